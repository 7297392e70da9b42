using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Reads content that lies in inodes.</summary>
internal sealed class InlineFiles(InodeTable inodes)
{
    /// <summary>Fills the destination from a byte offset; shorter only at the end of the file. What the inode does not hold reads as zeros.</summary>
    internal int Read(in Inode inode, long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (offset >= inode.Size)
            return 0;
        destination = destination[..(int)Math.Min(destination.Length, inode.Size - offset)];
        int done = Copy(inode.Map, offset, destination);
        if (done < destination.Length && inode.InlineLength > 0)
        {
            using BlockLease lease = Lease(inode, out ReadOnlySpan<byte> rest);
            done += Copy(rest, offset + done - InodeRecord.MapSize, destination[done..]);
        }

        destination[done..].Clear();
        return destination.Length;
    }

    /// <summary>The first byte at or after an offset that has data; -1 if there is none.</summary>
    internal static long SeekData(in Inode inode, long offset) => offset >= 0 && offset < DataEnd(inode) ? offset : -1;

    /// <summary>The first byte at or after an offset that has none; the end of the file counts. -1 behind it.</summary>
    internal static long SeekHole(in Inode inode, long offset) =>
        offset < 0 || offset >= inode.Size ? -1 : Math.Max(offset, DataEnd(inode));

    /// <summary>The content behind the map bytes; the lease must be held while it is used.</summary>
    internal BlockLease Lease(in Inode inode, out ReadOnlySpan<byte> rest)
    {
        // Where it is was checked when the inode was parsed, and the image does not change.
        BlockLease lease = inodes.Lease(inode.Number, out ReadOnlySpan<byte> raw);
        rest = raw.Slice(inode.InlineOffset, inode.InlineLength);
        return lease;
    }

    private static long DataEnd(in Inode inode) => Math.Min(inode.Size, InodeRecord.MapSize + inode.InlineLength);

    private static int Copy(ReadOnlySpan<byte> source, long offset, Span<byte> destination)
    {
        if (offset >= source.Length)
            return 0;
        int length = (int)Math.Min(source.Length - offset, destination.Length);
        source.Slice((int)offset, length).CopyTo(destination);
        return length;
    }
}
