using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>
/// The image while it is recovered: a reader that sees the journal's blocks, and copies of those that recovery changes itself. A change is
/// seen at once; nothing of it outlives the process.
/// </summary>
internal sealed class Workspace
{
    // What fast commits and orphans may cost. They are a few hundred kilobytes, and change a few blocks each.
    private const int MaximumBytes = 48 << 20;

    // What fast commits may do: about a tenth of a microsecond each. Real ones need thousands.
    private const long MaximumEffort = 1 << 24;

    private readonly SortedList<ulong, byte[]> _owned = [];
    private readonly BlockOverlay _overlay;
    private long _effort;

    internal Workspace(ImageSource source, Superblock superblock, BlockOverlay? overlay, long cacheBytes)
    {
        _overlay = (overlay ?? BlockOverlay.OfJournal(source, [])).With(_owned);
        Blocks = new BlockReader(source, superblock, cacheBytes, _overlay);
        Superblock = superblock;
        Groups = new GroupTable(Blocks);
        Inodes = new InodeTable(Blocks, Groups);
        Map = new BlockMap(Blocks);
    }

    internal Superblock Superblock { get; }

    internal BlockReader Blocks { get; }

    internal GroupTable Groups { get; }

    internal InodeTable Inodes { get; }

    internal BlockMap Map { get; }

    /// <summary>What has become free so far.</summary>
    internal FreedSpace Freed { get; set; }

    /// <summary>The overlay with all changes; this object must not be used afterwards.</summary>
    internal BlockOverlay? Freeze() => _overlay.Count == 0 ? null : _overlay;

    /// <summary>A block to change.</summary>
    /// <param name="block">A block of metadata.</param>
    /// <param name="inode">The inode on whose behalf, for messages.</param>
    internal byte[] Edit(ulong block, uint inode)
    {
        if (_owned.TryGetValue(block, out byte[]? bytes))
            return bytes;
        using BlockLease lease = Blocks.Read(block, inode);
        return Own(block, lease.Bytes.ToArray());
    }

    /// <summary>A block to fill: its former content is of no interest.</summary>
    internal byte[] Create(ulong block)
    {
        if (!_owned.TryGetValue(block, out byte[]? bytes))
            return Own(block, new byte[Superblock.BlockSize]);
        bytes.AsSpan().Clear();
        return bytes;
    }

    /// <summary>An inode's record to change. <see cref="SealInode"/> ends the change.</summary>
    internal Span<byte> EditInode(uint number)
    {
        (ulong block, int offset) = Inodes.Locate(number);
        return Edit(block, number).AsSpan(offset, Superblock.InodeSize);
    }

    /// <summary>Makes the checksum of a changed inode right.</summary>
    internal void SealInode(uint number)
    {
        if (!Superblock.HasMetadataChecksums)
            return;
        Span<byte> raw = EditInode(number);
        InodeRecord.SetChecksum(raw, Superblock.InodeSeed(number, InodeRecord.Generation(raw)), InodeRecord.ExtraSize(raw, number));
    }

    /// <summary>Counts what is done, because the time it takes must not depend on what a hostile image says.</summary>
    internal void Spend(long steps)
    {
        _effort += steps;
        if (_effort > MaximumEffort)
            throw UnsupportedImageException.FastCommit("they take too long to carry out");
    }

    private byte[] Own(ulong block, byte[] bytes)
    {
        if ((_owned.Count + 1L) * bytes.Length > MaximumBytes)
            throw new CorruptImageException(Corruption.FastCommit, 0, $"recovery would have to keep more than {MaximumBytes} bytes of changed blocks");
        _owned.Add(block, bytes);
        return bytes;
    }
}
