using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>The group descriptors, read when needed: opening an image costs the same whatever its size.</summary>
internal sealed class GroupTable(BlockReader blocks)
{
    // A place: | 1 there is one | 22 group, without its lowest 10 bits | 41 block |. So 8 KiB serve every image; tables beyond 2^41 blocks are looked up each time.
    private const int PlaceBits = 10;
    private const int BlockBits = 41;
    private const ulong ThereIsOne = 1UL << (32 - PlaceBits);

    private readonly Superblock _superblock = blocks.Superblock;
    private readonly ulong[] _places = new ulong[1 << PlaceBits];

    /// <summary>
    /// The block in which the inode table of a group starts, from a descriptor whose checksum is right; all of the table lies in the image. Asked for with every
    /// inode, so what was found is kept, unless the table was never written: replay of a journal can change that.
    /// </summary>
    /// <param name="group">Below the group count.</param>
    /// <param name="inode">The inode that is wanted, for the message.</param>
    /// <param name="isUninitialized">Whether the table may never have been written. The flag can be trusted only where a checksum guards it.</param>
    internal ulong InodeTable(uint group, uint inode, out bool isUninitialized)
    {
        ref ulong kept = ref _places[group & ((1 << PlaceBits) - 1)];
        ulong tag = ThereIsOne | group >> PlaceBits;
        ulong place = Volatile.Read(ref kept);
        isUninitialized = false;
        if (place >> BlockBits == tag)
            return place & ((1UL << BlockBits) - 1);
        GroupDescriptor descriptor = Read(group, inode);
        isUninitialized = descriptor.IsInodeTableUninitialized && _superblock.HasGroupChecksums;
        if (!isUninitialized && descriptor.InodeTable >> BlockBits == 0)
            Volatile.Write(ref kept, tag << BlockBits | descriptor.InodeTable);
        return descriptor.InodeTable;
    }

    /// <summary>A descriptor whose checksum is right and whose inode table lies in the image.</summary>
    /// <param name="group">Below the group count.</param>
    /// <param name="inode">The inode that is wanted, for the message.</param>
    internal GroupDescriptor Read(uint group, uint inode)
    {
        using BlockLease lease = Lease(group, out ReadOnlySpan<byte> raw);
        if (!IsSound(raw, group))
        {
            throw new CorruptImageException(Corruption.GroupDescriptorChecksum, inode,
                $"descriptor of group {group}: checksum {GroupDescriptor.StoredChecksum(raw):x4} stored, {GroupDescriptor.ComputeChecksum(raw, group, _superblock):x4} computed");
        }

        GroupDescriptor descriptor = GroupDescriptor.Parse(raw);
        if (!_superblock.IsDataRun(descriptor.InodeTable, _superblock.InodeTableBlocks))
        {
            throw new CorruptImageException(Corruption.InodeTablePlace, inode,
                $"inode table of group {group} in block {descriptor.InodeTable} of {_superblock.BlockCount}");
        }

        return descriptor;
    }

    /// <summary>Where the descriptor of a group lies: image block and byte offset in it.</summary>
    internal (ulong Block, int Offset) Locate(uint group)
    {
        (uint block, uint index) = Math.DivRem(group, (uint)_superblock.DescriptorsPerBlock);
        return (_superblock.DescriptorBlock(block), (int)index * _superblock.DescriptorSize);
    }

    /// <summary>The sums of free clusters and inodes over all groups; checksums are not looked at, as in Linux.</summary>
    internal (ulong Clusters, ulong Inodes) CountFree()
    {
        ulong freeClusters = 0;
        ulong freeInodes = 0;
        uint perBlock = (uint)_superblock.DescriptorsPerBlock;
        for (uint first = 0; first < _superblock.GroupCount;)
        {
            using BlockLease lease = Lease(first, out _);
            uint end = (uint)Math.Min((ulong)first + perBlock, _superblock.GroupCount);
            for (int index = 0; first < end; first++, index++)
            {
                GroupDescriptor descriptor = GroupDescriptor.Parse(Slice(lease.Bytes, index));
                freeClusters += descriptor.FreeClusters;
                freeInodes += descriptor.FreeInodes;
            }
        }

        return (freeClusters, freeInodes);
    }

    /// <summary>A descriptor as it lies.</summary>
    internal GroupDescriptor ReadUnchecked(uint group)
    {
        using BlockLease lease = Lease(group, out ReadOnlySpan<byte> raw);
        return GroupDescriptor.Parse(raw);
    }

    /// <summary>A descriptor whose checksum is right; where its tables lie was not looked at.</summary>
    internal bool TryReadSound(uint group, out GroupDescriptor descriptor)
    {
        using BlockLease lease = Lease(group, out ReadOnlySpan<byte> raw);
        descriptor = GroupDescriptor.Parse(raw);
        return IsSound(raw, group);
    }

    private bool IsSound(ReadOnlySpan<byte> raw, uint group) =>
        !_superblock.HasGroupChecksums || GroupDescriptor.StoredChecksum(raw) == GroupDescriptor.ComputeChecksum(raw, group, _superblock);

    private BlockLease Lease(uint group, out ReadOnlySpan<byte> raw)
    {
        (ulong block, int offset) = Locate(group);
        BlockLease lease = blocks.Read(block, 0);
        raw = lease.Bytes.Slice(offset, _superblock.DescriptorSize);
        return lease;
    }

    private ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> block, int index) =>
        block.Slice(index * _superblock.DescriptorSize, _superblock.DescriptorSize);
}
