using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>
/// Counts the clusters that hold metadata. A cluster can hold several kinds of it, and of several groups, so pieces are gathered and those
/// that fall together count once.
/// </summary>
internal static class ClusterOverhead
{
    // Beyond it (16 TiB with the smallest clusters of blocks of 4 KiB) the count is an estimate: nobody waits for statfs to sort millions of pieces,
    // and all threads may be at it at once.
    private const uint MostGroups = 1 << 16;

    internal static ulong Count(Superblock superblock, GroupTable groups)
    {
        uint count = superblock.GroupCount;
        if (count > MostGroups)
            return count * (ulong)Clusters(superblock, superblock.InodeTableBlocks);
        var pieces = new List<(ulong First, ulong Last)>(4 * (int)count);
        for (uint group = 0; group < count; group++)
        {
            ulong start = superblock.FirstDataBlock + (ulong)group * superblock.BlocksPerGroup;
            GroupDescriptor descriptor = groups.ReadUnchecked(group);
            Add(pieces, superblock, start, superblock.BackupBlocks(group));
            Add(pieces, superblock, descriptor.BlockBitmap, 1);
            Add(pieces, superblock, descriptor.InodeBitmap, 1);
            Add(pieces, superblock, descriptor.InodeTable, superblock.InodeTableBlocks);
        }

        pieces.Sort();
        ulong total = 0;
        ulong next = 0;
        foreach ((ulong first, ulong last) in pieces)
        {
            if (last < next)
                continue;
            total += last + 1 - Math.Max(first, next);
            next = last + 1;
        }

        return total;
    }

    private static void Add(List<(ulong First, ulong Last)> pieces, Superblock superblock, ulong block, uint blocks)
    {
        // What a broken descriptor puts outside of the image is no part of it.
        if (blocks == 0 || block >= superblock.BlockCount || blocks > superblock.BlockCount - block)
            return;
        pieces.Add((block >> superblock.ClusterBits, (block + blocks - 1) >> superblock.ClusterBits));
    }

    private static uint Clusters(Superblock superblock, uint blocks) => (blocks - 1 >> superblock.ClusterBits) + 1;
}
