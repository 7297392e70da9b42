using Ext4Reader.Directories;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Targets of symbolic links: short ones lie in the inode, others in a block, or inline like files.</summary>
internal sealed class SymbolicLinks(BlockReader blocks, FileReader files, InlineFiles inline)
{
    // PATH_MAX less its NUL: Linux can neither make nor follow a longer one.
    private const int MaximumLength = 4095;

    private const int EncryptedLengthSize = 2;

    /// <summary>Copies a target; the destination must have room for it.</summary>
    internal int Read(in Inode link, Span<byte> destination)
    {
        if (link.IsEncrypted)
            return ReadEncrypted(link, destination);
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

    /// <summary>The length of an encrypted link's target as it is shown.</summary>
    internal int ShownLength(in Inode link)
    {
        Span<byte> stored = stackalloc byte[MaximumLength];
        return EncryptedName.Length(ReadStored(link, stored).Length);
    }

    private int ReadEncrypted(in Inode link, Span<byte> destination)
    {
        Span<byte> stored = stackalloc byte[MaximumLength];
        ReadOnlySpan<byte> target = ReadStored(link, stored);
        int length = EncryptedName.Length(target.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, length, nameof(destination));
        return EncryptedName.Encode(target, default, destination, link.Number);
    }

    /// <summary>An encrypted target: its length in two bytes, then its bytes.</summary>
    private ReadOnlySpan<byte> ReadStored(in Inode link, Span<byte> buffer)
    {
        Inode stored = link with { Size = link.StoredSize };
        int got = Math.Min(InodeRecord.MapSize, buffer.Length);
        if (link.IsFastSymbolicLink)
            link.Map.CopyTo(buffer);
        else
            got = link.HasInlineContent ? inline.Read(stored, 0, buffer) : files.Read(stored, 0, buffer[..Math.Min(buffer.Length, blocks.Superblock.BlockSize)]);
        int length = got < EncryptedLengthSize ? 0 : LittleEndian.U16(buffer, 0);                      // len
        if (length == 0 || length > got - EncryptedLengthSize)
            throw Broken(link, $"encrypted symbolic link of {length} bytes in {got}");
        return buffer.Slice(EncryptedLengthSize, length);
    }

    private static CorruptImageException Broken(in Inode link, string what) => new(Corruption.SymbolicLinkTarget, link.Number, what);
}
