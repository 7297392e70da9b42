using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Searches the block map of ext2 and ext3: twelve pointers to data, then one each through one, two and three levels.</summary>
internal sealed class IndirectBlocks(BlockReader blocks, SystemZones? zones)
{
    private const int DirectPointers = 12;
    private const int Levels = 3;
    private const int PointerSize = 4;

    private readonly Superblock _superblock = blocks.Superblock;
    private readonly int _pointerBits = blocks.Superblock.BlockSizeBits - 2;

    internal BlockRun Find(in Inode inode, uint fileBlock, ulong wanted)
    {
        if (fileBlock < DirectPointers)
            return FindRun(inode.Map[..(DirectPointers * PointerSize)], (int)fileBlock, wanted, inode.Number);
        ulong offset = fileBlock - DirectPointers;
        for (int level = 1; level <= Levels; level++)
        {
            ulong span = 1UL << (_pointerBits * level);
            if (offset < span)
                return FindBelow(inode, level, offset, wanted);
            offset -= span;
        }

        throw new CorruptImageException(Corruption.InodeSize, inode.Number, $"file block {fileBlock} is more than a block map can describe");
    }

    private BlockRun FindBelow(in Inode inode, int level, ulong offset, ulong wanted)
    {
        uint pointer = LittleEndian.U32(inode.Map, (DirectPointers + level - 1) * PointerSize);
        for (; ; level--)
        {
            ulong span = 1UL << (_pointerBits * level);
            if (pointer == 0)
                return BlockRun.Zeros(span - offset);
            using BlockLease lease = blocks.Read(pointer, inode.Number);
            zones?.Check(pointer, 1, inode.Number);
            int childBits = _pointerBits * (level - 1);
            int index = (int)(offset >> childBits);
            if (level == 1)
                return FindRun(lease.Bytes, index, wanted, inode.Number);
            pointer = LittleEndian.U32(lease.Bytes, index * PointerSize);
            offset &= (1UL << childBits) - 1;
        }
    }

    /// <summary>The run of neighbouring blocks, or of zeros, that starts at one pointer of an array.</summary>
    private BlockRun FindRun(ReadOnlySpan<byte> pointers, int index, ulong wanted, uint inode)
    {
        uint first = LittleEndian.U32(pointers, index * PointerSize);
        ulong most = Math.Min(wanted, (ulong)(pointers.Length / PointerSize - index));
        ulong length = 1;
        while (length < most)
        {
            uint next = LittleEndian.U32(pointers, (index + (int)length) * PointerSize);
            if (first == 0 ? next != 0 : next != first + length)
                break;
            length++;
        }

        if (first == 0)
            return BlockRun.Zeros(length);
        if (!_superblock.IsDataRun(first, length))
        {
            throw new CorruptImageException(Corruption.BlockPointer, inode,
                $"{length} blocks of data at image block {first} of {_superblock.BlockCount}");
        }

        zones?.Check(first, length, inode);
        return new BlockRun(first, length);
    }
}
