using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>
/// Finishes truncations: the blocks behind a file's end, and the blocks of its map that then map nothing, are free. The map itself may stay
/// as it is, because nobody reads behind the end; so all that changes is the space that the inode says it uses.
/// </summary>
internal sealed class Truncation(Workspace workspace)
{
    // For all files together: the time it takes must not depend on what a hostile image says. Real orphans are far below.
    private const int MaximumSteps = 1 << 20;
    private const int DirectPointers = 12;
    private const int Levels = 3;
    private const int PointerSize = 4;

    private readonly Superblock _superblock = workspace.Superblock;
    private int _steps;

    /// <summary>Truncates a file to its size.</summary>
    internal void TryTruncate(uint number)
    {
        try
        {
            // With clusters a block's neighbours decide whether it becomes free: left to e2fsck.
            if (_superblock.Features.Has(ReadOnlyFeatures.BigAllocation) || !workspace.Inodes.TryRead(number, out Inode inode))
                return;
            bool hasMap = inode.Type is FileType.Regular or FileType.Directory || (inode.Type == FileType.SymbolicLink && !inode.IsFastSymbolicLink);
            if (!hasMap)
                return;
            ulong end = ((ulong)inode.Size + (uint)_superblock.BlockSize - 1) >> _superblock.BlockSizeBits;
            ulong freed = inode.UsesExtents ? CountExtents(inode, end) : CountPointers(inode, end);
            ulong sectors = freed << (_superblock.BlockSizeBits - 9);
            if (freed == 0 || sectors > inode.Sectors)
                return;
            InodeRecord.SetSectors(workspace.EditInode(number), inode.Sectors - sectors, _superblock);
            workspace.SealInode(number);
            workspace.Freed = workspace.Freed with { Blocks = workspace.Freed.Blocks + (long)freed };
        }
        catch (CorruptImageException)
        {
            // A broken file stays as it is; whoever reads it will be told.
        }
    }

    private void Step()
    {
        if (++_steps > MaximumSteps)
            throw new CorruptImageException(Corruption.BlockMapLoop, 0, "the orphans have more parts than any filesystem leaves behind");
    }

    private ulong CountExtents(in Inode inode, ulong end)
    {
        ulong freed = 0;
        uint number = inode.Number;
        new ExtentWalk(workspace.Blocks).Run(
            inode,
            extent =>
            {
                Step();
                ulong kept = end > extent.FirstFileBlock ? Math.Min(end - extent.FirstFileBlock, extent.Length) : 0;
                freed += extent.Length - kept;
            },
            (_, first) =>
            {
                Step();
                freed += first >= end ? 1UL : 0;
            });
        return freed;
    }

    private ulong CountPointers(in Inode inode, ulong end)
    {
        ulong freed = 0;
        ulong first = 0;
        for (int index = 0; index < DirectPointers; index++, first++)
        {
            if (LittleEndian.U32(inode.Map, index * PointerSize) != 0 && first >= end)
                freed++;
        }

        for (int level = 1; level <= Levels; level++)
        {
            uint pointer = LittleEndian.U32(inode.Map, (DirectPointers + level - 1) * PointerSize);
            ulong span = 1UL << ((_superblock.BlockSizeBits - 2) * level);
            if (pointer != 0 && first + span > end)
                _ = Count(inode.Number, pointer, level, first, end, ref freed);
            first += span;
        }

        return freed;
    }

    /// <summary>Counts what becomes free of a tree of pointers, its root included if nothing else is left; whether anything is.</summary>
    private bool Count(uint inode, ulong block, int level, ulong first, ulong end, ref ulong freed)
    {
        bool isUsed = false;
        using BlockLease lease = workspace.Blocks.Read(block, inode);
        ulong span = 1UL << ((_superblock.BlockSizeBits - 2) * (level - 1));
        for (int offset = 0; offset < lease.Bytes.Length; offset += PointerSize, first += span)
        {
            uint pointer = LittleEndian.U32(lease.Bytes, offset);
            if (pointer == 0)
                continue;
            Step();
            if (first + span <= end)
                isUsed = true;
            else if (level == 1)
                freed++;
            else
                isUsed |= Count(inode, pointer, level - 1, first, end, ref freed);
        }

        freed += isUsed ? 0UL : 1;
        return isUsed;
    }
}
