using System.Numerics;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>The bitmaps of blocks and inodes while fast commits are carried out: they tell how much becomes free, and where a new block can be.</summary>
internal sealed class SpaceEdit
{
    private readonly Workspace _workspace;
    private readonly Superblock _superblock;
    private readonly List<(ulong First, ulong End)> _reserved = [];
    private readonly HashSet<uint> _blank = [];

    /// <param name="workspace">The image.</param>
    /// <param name="reserved">Blocks that fast commits will use, and that must not be given to anybody else: first and length.</param>
    internal SpaceEdit(Workspace workspace, List<(ulong First, ulong Length)> reserved)
    {
        _workspace = workspace;
        _superblock = workspace.Superblock;
        foreach ((ulong start, ulong length) in reserved.Order())
        {
            (ulong first, ulong end) = Clusters(start, length, isWhole: false);
            if (_reserved.Count > 0 && first <= _reserved[^1].End)
                _reserved[^1] = (_reserved[^1].First, Math.Max(end, _reserved[^1].End));
            else
                _reserved.Add((first, end));
        }
    }

    /// <summary>Counts what is done for fast commits.</summary>
    internal void Spend(long steps) => _workspace.Spend(steps);

    /// <summary>Marks blocks as used or free.</summary>
    /// <param name="start">The first block.</param>
    /// <param name="length">How many.</param>
    /// <param name="isUsed">Which of the two.</param>
    /// <param name="isWhole">Whether clusters count only if all of their blocks are meant: of the others, the rest may be in use.</param>
    internal void MarkBlocks(ulong start, ulong length, bool isUsed, bool isWhole = false)
    {
        uint perGroup = _superblock.BlocksPerGroup >> _superblock.ClusterBits;
        ulong origin = _superblock.FirstDataBlock >> _superblock.ClusterBits;
        (ulong first, ulong end) = Clusters(start, length, isWhole);
        Spend(1 + (long)(length >> 6));
        while (first < end)
        {
            (ulong group, ulong bit) = Math.DivRem(first - origin, perGroup);
            ulong part = Math.Min(end - first, perGroup - bit);
            Span<byte> bitmap = BlockBitmap((uint)group);
            long changed = 0;
            for (ulong last = bit + part; bit < last; bit++)
                changed += Set(bitmap, (int)bit, isUsed);
            _workspace.Freed = _workspace.Freed with { Blocks = _workspace.Freed.Blocks - changed };
            first += part;
        }
    }

    /// <summary>Marks an inode as used or free.</summary>
    internal void MarkInode(uint number, bool isUsed)
    {
        (uint group, uint bit) = Math.DivRem(number - 1, _superblock.InodesPerGroup);
        (ulong block, int offset) = _workspace.Groups.Locate(group);
        GroupDescriptor descriptor = _workspace.Groups.Read(group, number);
        if (isUsed && descriptor.IsInodeTableUninitialized)
        {
            GroupDescriptor.SetInodesInitialized(_workspace.Edit(block, number).AsSpan(offset, _superblock.DescriptorSize), group, _superblock);
            // The bitmap was never written either.
            _ = _workspace.Create(InodeBitmap(group));
        }

        long changed = Set(_workspace.Edit(InodeBitmap(group), number), (int)bit, isUsed);
        _workspace.Freed = _workspace.Freed with { Inodes = _workspace.Freed.Inodes - changed };
    }

    /// <summary>Takes a free block, near a group.</summary>
    /// <exception cref="CorruptImageException">There is none: the fast commit could not have been made.</exception>
    internal ulong Allocate(uint nearGroup)
    {
        uint groups = _superblock.GroupCount;
        for (uint passed = 0; passed < groups; passed++)
        {
            uint group = (uint)(((ulong)nearGroup + passed) % groups);
            Spend(10);
            if (IsUninitialized(group))
                continue;
            Span<byte> bitmap = BlockBitmap(group);
            ulong first = _superblock.FirstDataBlock + (ulong)group * _superblock.BlocksPerGroup;
            ulong count = Math.Min(_superblock.BlocksPerGroup, _superblock.BlockCount - first) >> _superblock.ClusterBits;
            for (int at = bitmap.IndexOfAnyExcept((byte)0xff); at >= 0 && (ulong)at * 8 < count; at++)
            {
                for (int free = bitmap[at] ^ byte.MaxValue; free != 0; free &= free - 1)
                {
                    ulong bit = (ulong)at * 8 + (uint)BitOperations.TrailingZeroCount(free);
                    ulong found = first + (bit << _superblock.ClusterBits);
                    if (bit >= count || IsReserved(found >> _superblock.ClusterBits))
                        continue;
                    MarkBlocks(found, 1, isUsed: true);
                    return found;
                }
            }
        }

        throw new CorruptImageException(Corruption.FastCommit, 0, "journal: a fast commit needs a block where none is free");
    }

    // 1 if the bit was set, -1 if it was cleared, 0 if it was so already.
    private static int Set(Span<byte> bitmap, int bit, bool isUsed)
    {
        byte mask = (byte)(1 << (bit & 7));
        ref byte value = ref bitmap[bit >> 3];
        if ((value & mask) != 0 == isUsed)
            return 0;
        value ^= mask;
        return isUsed ? 1 : -1;
    }

    /// <summary>The clusters of a run of blocks: those that have some of it, or those that have nothing else.</summary>
    private (ulong First, ulong End) Clusters(ulong start, ulong length, bool isWhole)
    {
        ulong rest = (1UL << _superblock.ClusterBits) - 1;
        ulong end = start + length;
        return isWhole
            ? ((start + rest) >> _superblock.ClusterBits, end >> _superblock.ClusterBits)
            : (start >> _superblock.ClusterBits, (end + rest) >> _superblock.ClusterBits);
    }

    private bool IsReserved(ulong cluster)
    {
        int low = 0;
        int high = _reserved.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_reserved[middle].End <= cluster)
                low = middle + 1;
            else
                high = middle;
        }

        return low < _reserved.Count && _reserved[low].First <= cluster;
    }

    private bool IsUninitialized(uint group)
    {
        (ulong block, int offset) = _workspace.Groups.Locate(group);
        using BlockLease lease = _workspace.Blocks.Read(block, 0);
        return _superblock.HasGroupChecksums && GroupDescriptor.IsBlockBitmapUninitialized(lease.Bytes.Slice(offset, _superblock.DescriptorSize));
    }

    private Span<byte> BlockBitmap(uint group)
    {
        ulong bitmap;
        (ulong block, int offset) = _workspace.Groups.Locate(group);
        using (BlockLease lease = _workspace.Blocks.Read(block, 0))
            bitmap = GroupDescriptor.ReadBlockBitmap(lease.Bytes.Slice(offset, _superblock.DescriptorSize));
        // Where it was never written, only metadata is in use, and that is nobody's to give away.
        return IsUninitialized(group) && _blank.Add(group) ? _workspace.Create(bitmap) : _workspace.Edit(bitmap, 0);
    }

    private ulong InodeBitmap(uint group)
    {
        (ulong block, int offset) = _workspace.Groups.Locate(group);
        using BlockLease lease = _workspace.Blocks.Read(block, 0);
        return GroupDescriptor.ReadInodeBitmap(lease.Bytes.Slice(offset, _superblock.DescriptorSize));
    }
}
