using Handles;

namespace Fuse4fs.Inspection;

/// <summary>A handle as users have it: in the forms that <c>handle</c> shows, and in those of the kernel and of NFS servers.</summary>
internal static class HandleText
{
    /// <summary>The forms, for messages.</summary>
    public const string Forms = "32 hexadecimal digits; inode:generation; 0xTYPE:HEX, as name_to_handle_at(2) has it; or nfs:HEX, a file handle of knfsd or Ganesha";

    private const string NfsPrefix = "nfs:";

    /// <summary>What to ask of an image to learn what the handle means there; null if the text is of none of the forms.</summary>
    public static Func<ImageFiles, Resolution>? Parse(string text)
    {
        if (text.Length == 2 * FileHandleEncoding.Size && TryHex(text) is byte[] bytes)
            return image => image.Resolve(bytes);
        if (FileHandle.TryParse(text, out FileHandle bare))
            return image => image.Resolve(bare);
        if (KernelFileHandle.TryParse(text, out KernelFileHandle kernel))
            return image => image.Resolve(kernel);
        if (text.StartsWith(NfsPrefix, StringComparison.Ordinal) && TryHex(text[NfsPrefix.Length..]) is byte[] nfs && NfsFileHandle.TryUnwrap(nfs, out kernel))
            return image => image.Resolve(kernel);
        return null;
    }

    private static byte[]? TryHex(string text) => text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : null;
}
