using Ext4Reader.Journal;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Computes what statfs shows, the way Linux does.</summary>
internal sealed class Statistics(Superblock superblock, GroupTable groups, InodeTable inodes, FreedSpace freed = default)
{
    // Linux keeps back a fiftieth, but never more, for what delayed allocation may turn out to need.
    private const ulong ReserveDivisor = 50;
    private const ulong MaximumReserve = 4096;

    // One block each for the two bitmaps of a group.
    private const uint Bitmaps = 2;

    // 512 TiB of blocks of 4 KiB: about a second's worth of descriptors. Beyond it statfs shows what the superblock says, and leaves out of the
    // overhead what only a few groups have.
    private const uint MostGroups = 1 << 22;

    private Box? _computed;

    internal Ext4Statistics Get()
    {
        // Two threads may both compute it: the image does not change, so they agree.
        Box box = Volatile.Read(ref _computed) ?? Compute();
        Volatile.Write(ref _computed, box);
        return box.Value;
    }

    private Box Compute()
    {
        (ulong freeClusters, ulong freeInodes) = freed.ApplyTo(superblock.GroupCount <= MostGroups
            ? groups.CountFree()
            : (superblock.FreeBlockCount >> superblock.ClusterBits, superblock.FreeInodeCount));
        int clusterBits = superblock.ClusterBits;
        ulong freeBlocks = Math.Min(freeClusters, ulong.MaxValue >> clusterBits) << clusterBits;
        ulong overhead = Math.Min(OverheadClusters() << clusterBits, superblock.BlockCount);
        ulong reserve = superblock.Features.Has(IncompatibleFeatures.Extents)
            ? Math.Min((superblock.BlockCount >> clusterBits) / ReserveDivisor, MaximumReserve)
            : 0;
        ulong kept = Math.Min(superblock.ReservedBlockCount, superblock.BlockCount) + (reserve << clusterBits);
        return new Box(new Ext4Statistics(
            Blocks: superblock.BlockCount - overhead,
            FreeBlocks: freeBlocks,
            AvailableBlocks: freeBlocks > kept ? freeBlocks - kept : 0,
            Files: superblock.InodeCount,
            FreeFiles: freeInodes,
            OverheadBlocks: overhead));
    }

    private ulong OverheadClusters()
    {
        if (superblock.ClusterBits != 0)
        {
            // Linux does not count either where mke2fs did.
            bool isCounted = superblock.OverheadClusters != 0 && superblock.OverheadClusters <= superblock.BlockCount;
            return isCounted ? superblock.OverheadClusters : ClusterOverhead.Count(superblock, groups) + Clusters(JournalBlocks());
        }

        uint count = superblock.GroupCount;
        ulong overhead = superblock.FirstDataBlock + count * ((ulong)superblock.InodeTableBlocks + Bitmaps);
        for (uint group = 0; group < count && count <= MostGroups; group++)
            overhead += superblock.BackupBlocks(group);
        return overhead + JournalBlocks();
    }

    private ulong Clusters(ulong blocks) => (blocks + (1UL << superblock.ClusterBits) - 1) >> superblock.ClusterBits;

    private ulong JournalBlocks()
    {
        uint number = superblock.JournalInode;
        if (number == 0 || number > superblock.InodeCount)
            return 0;
        try
        {
            return inodes.TryReadAny(number, out Inode journal) ? (ulong)journal.Size >> superblock.BlockSizeBits : 0;
        }
        catch (CorruptImageException)
        {
            // A broken journal inode must not take statfs down with it: Linux counts nothing for it either.
            return 0;
        }
    }

    private sealed record Box(Ext4Statistics Value);
}
