using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>Reads the blocks of directories, each checked once as what it is used as.</summary>
internal sealed class DirectoryBlocks(BlockReader blocks, BlockMap map)
{
    // The most that one request visits by an index. More is only there when nearly all leaves are empty, or the same over and over.
    private const uint MaximumLeaves = 1 << 20;
    private const ulong MaximumLeafBytes = 1UL << 32;

    // What an index of two levels can hold in blocks of 4 KiB. A block map takes four blocks to name one of them a billion times, and no request
    // may take for ever: this much takes a second, if it is full of the shortest entries there are.
    private const ulong MaximumScan = 1UL << 30;

    // Each name is folded, which takes longer by far than to compare it.
    private const ulong MaximumFoldedScan = MaximumScan / 4;

    internal Superblock Superblock { get; } = blocks.Superblock;

    /// <summary>The most leaves that one request visits by an index.</summary>
    internal uint MostLeaves(in Inode directory) =>
        (uint)Math.Min(Math.Min(Count(directory), MaximumLeaves), MaximumLeafBytes >> Superblock.BlockSizeBits);

    /// <summary>Whether a directory has an index that may be used.</summary>
    internal bool IsIndexed(in Inode directory) => directory.HasIndex && Superblock.Features.Has(CompatibleFeatures.DirectoryIndex);

    /// <summary>Number of blocks of a directory.</summary>
    /// <exception cref="CorruptImageException">Its size is none a directory can have.</exception>
    internal uint Count(in Inode directory)
    {
        long size = directory.Size;
        ulong count = (ulong)(size >> Superblock.BlockSizeBits);
        if (count == 0 || (size & (Superblock.BlockSize - 1)) != 0 || count > Superblock.BlockCount || count > uint.MaxValue)
            throw new CorruptImageException(Corruption.DirectorySize, directory.Number, $"a directory of {size} bytes in blocks of {Superblock.BlockSize}");
        return (uint)count;
    }

    /// <summary>The same, for who is about to look at all of them.</summary>
    /// <exception cref="CorruptImageException">There are too many for that.</exception>
    internal uint CountToScan(in Inode directory)
    {
        uint count = Count(directory);
        return (ulong)count << Superblock.BlockSizeBits <= (directory.IsCasefolded ? MaximumFoldedScan : MaximumScan)
            ? count
            : throw new CorruptImageException(Corruption.DirectorySize, directory.Number, $"a directory of {directory.Size} bytes without a usable index");
    }

    /// <summary>Leases a block that is read entry by entry.</summary>
    internal BlockLease ReadEntries(scoped in Inode directory, uint fileBlock)
    {
        BlockLease lease = Read(directory, fileBlock);
        if (!Superblock.HasMetadataChecksums)
            return lease;
        try
        {
            // Index blocks pass for directory blocks without entries, but their checksum is elsewhere.
            if (IsIndexed(directory) && (fileBlock == 0 || DirectoryBlock.LooksLikeIndex(lease.Bytes)))
                CheckIndex(lease, directory);
            else
                CheckLeaf(lease, directory);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Leases a block that is a node of the index.</summary>
    internal BlockLease ReadIndex(scoped in Inode directory, uint fileBlock)
    {
        BlockLease lease = Read(directory, fileBlock);
        if (!Superblock.HasMetadataChecksums)
            return lease;
        try
        {
            CheckIndex(lease, directory);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    private static void CheckLeaf(BlockLease lease, in Inode directory)
    {
        ulong token = Verification.DirectoryLeaf(directory.Number);
        if (lease.IsVerified(token))
            return;
        DirectoryBlock.CheckChecksum(lease.Bytes, directory.ChecksumSeed, directory.Number);
        lease.SetVerified(token);
    }

    private static void CheckIndex(BlockLease lease, in Inode directory)
    {
        ulong token = Verification.DirectoryIndex(directory.Number);
        if (lease.IsVerified(token))
            return;
        HashTreeNode.CheckChecksum(lease.Bytes, directory.ChecksumSeed, directory.Number);
        lease.SetVerified(token);
    }

    private BlockLease Read(scoped in Inode directory, uint fileBlock)
    {
        BlockRun run = map.Find(directory, fileBlock, 1);
        if (run.ReadsAsZeros)
            throw new CorruptImageException(Corruption.DirectoryHole, directory.Number, $"directory block {fileBlock} is missing");
        return blocks.Read(run.ImageBlock, directory.Number);
    }
}
