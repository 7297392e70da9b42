using Ext4Reader;

namespace Fuse4fs.Server;

/// <summary>Lists of extended attribute names, a NUL behind each.</summary>
internal static class XattrNames
{
    /// <summary>Takes <c>trusted.*</c> out of an inode's list. Answers the bytes left, as though they had never been there.</summary>
    /// <param name="image">The image.</param>
    /// <param name="inode">Whose attributes.</param>
    /// <param name="destination">Holds the list, if it fits.</param>
    /// <param name="length">Bytes of the whole list.</param>
    public static int WithoutTrusted(Ext4Image image, in Inode inode, Span<byte> destination, int length)
    {
        if (length <= destination.Length)
            return RemoveTrusted(destination[..length]);
        // Only the size was asked for, or the room does not do for the whole list: then it is made elsewhere, which root never needs.
        byte[] whole = new byte[length];
        int kept = RemoveTrusted(whole.AsSpan(0, image.ListExtendedAttributes(inode, whole)));
        if (kept <= destination.Length)
            whole.AsSpan(0, kept).CopyTo(destination);
        return kept;
    }

    private static int RemoveTrusted(Span<byte> names)
    {
        int kept = 0;
        int position = 0;
        while (position < names.Length)
        {
            int end = names[position..].IndexOf((byte)0);
            int next = end < 0 ? names.Length : position + end + 1;
            Span<byte> name = names[position..next];
            if (!name.StartsWith("trusted."u8))
            {
                name.CopyTo(names[kept..]);
                kept += name.Length;
            }
            position = next;
        }
        return kept;
    }
}
