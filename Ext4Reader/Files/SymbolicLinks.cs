using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Targets of symbolic links: short ones lie in the inode, others in a block, or inline like files.</summary>
internal sealed class SymbolicLinks(BlockReader blocks, FileReader files, InlineFiles inline)
{
    // PATH_MAX less its NUL: Linux can neither make nor follow a longer one.
    private const int MaximumLength = 4095;

    /// <summary>Copies a target; the destination must have room for it.</summary>
    internal int Read(in Inode link, Span<byte> destination)
    {
        int limit = link.IsFastSymbolicLink ? InodeRecord.MapSize - 1 : Math.Min(blocks.Superblock.BlockSize - 1, MaximumLength);
        if (link.Size == 0 || link.Size > limit)
            throw Broken(link, $"symbolic link of {link.Size} bytes where at most {limit} can be");
        int length = (int)link.Size;
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, length, nameof(destination));
        destination = destination[..length];
        if (link.IsFastSymbolicLink)
        {
            link.Map[..length].CopyTo(destination);
            if (link.Map[length] != 0)
                throw Broken(link, $"symbolic link of {length} bytes that goes on behind its end");
        }
        else if (link.HasInlineContent)
        {
            inline.Read(link, 0, destination);
        }
        else
        {
            files.Read(link, 0, destination);
        }

        if (destination.Contains((byte)0))
            throw Broken(link, $"symbolic link of {length} bytes with a NUL inside");
        return length;
    }

    private static CorruptImageException Broken(in Inode link, string what) => new(Corruption.SymbolicLinkTarget, link.Number, what);
}
