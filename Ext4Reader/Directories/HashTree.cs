using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>
/// Walks the index of a directory. Whatever is wrong with it, short of a checksum, makes it damaged and no more: the
/// names are all there without it.
/// </summary>
internal sealed class HashTree(DirectoryBlocks blocks)
{
    private readonly Superblock _superblock = blocks.Superblock;

    /// <summary>The outcome of a step through the index.</summary>
    internal enum Step
    {
        /// <summary>The path leads to a leaf.</summary>
        Leaf,

        /// <summary>There is no further leaf.</summary>
        End,

        /// <summary>The index cannot be used.</summary>
        Damaged,
    }

    /// <summary>The hash function an index names; false if its root is damaged.</summary>
    internal bool TryGetHash(in Inode directory, out NameHash hash)
    {
        using BlockLease root = blocks.ReadIndex(directory, 0);
        bool isSound = IsSoundRoot(root.Bytes, directory);
        hash = isSound ? NameHash.Of((NameHashVersion)HashTreeNode.HashVersion(root.Bytes), directory, _superblock) : NameHash.Default(directory, _superblock);
        return isSound;
    }

    /// <summary>Finds the first leaf that can hold a hash.</summary>
    internal Step Find(in Inode directory, uint hash, out HashTreePath path)
    {
        path = default;
        uint count = blocks.Count(directory);
        uint block = 0;
        uint lowest = 0;
        for (int level = 0; level == 0 || level < path.Levels; level++)
        {
            using BlockLease lease = blocks.ReadIndex(directory, block);
            if (level == 0 && !TryReadInfo(lease.Bytes, directory, ref path))
                return Step.Damaged;
            if (!HashTreeNode.TryParse(lease.Bytes, level == 0, _superblock.HasMetadataChecksums, out HashTreeNode node))
                return Step.Damaged;
            int entry = node.Find(hash);
            path.Set(level, block, entry);
            if (entry > 0)
                lowest = node.Hash(entry);
            block = node.Block(entry);
            if (block >= count || path.Contains(block, level + 1))
                return Step.Damaged;
        }

        (path.Leaf, path.LowestHash) = (block, lowest);
        return Step.Leaf;
    }

    /// <summary>Moves on to the next leaf.</summary>
    internal Step Next(in Inode directory, ref HashTreePath path)
    {
        uint count = blocks.Count(directory);
        for (int level = path.Levels - 1; level >= 0; level--)
        {
            uint block;
            uint lowest;
            using (BlockLease lease = blocks.ReadIndex(directory, path.Block(level)))
            {
                if (!HashTreeNode.TryParse(lease.Bytes, level == 0, _superblock.HasMetadataChecksums, out HashTreeNode node))
                    return Step.Damaged;
                int entry = path.Entry(level) + 1;
                if (entry >= node.Count)
                    continue;
                path.Set(level, path.Block(level), entry);
                (block, lowest) = (node.Block(entry), node.Hash(entry));
            }

            if (block >= count || path.Contains(block, level + 1) || (lowest & ~1u) < (path.LowestHash & ~1u))
                return Step.Damaged;
            return DescendFirst(directory, ref path, level + 1, block, lowest);
        }

        return Step.End;
    }

    /// <summary>Looks a name up.</summary>
    internal Step Lookup(in Inode directory, scoped in WantedName name, out uint inodeNumber)
    {
        inodeNumber = 0;
        if (!TryGetHash(directory, out NameHash function))
            return Step.Damaged;
        uint hash = name.Hash(function).Major;
        Step step = Find(directory, hash, out HashTreePath path);
        // Each leaf that continues the hash is another block: more of them than blocks means a loop.
        for (uint left = blocks.MostLeaves(directory); step == Step.Leaf; left--)
        {
            if (left == 0)
                return Step.Damaged;
            if (!TryReadLeaf(directory, path.Leaf, out BlockLease lease))
                return Step.Damaged;
            using (lease)
            {
                if (NameSearch.TryFind(lease.Bytes, name, directory.Number, _superblock, out inodeNumber))
                    return Step.Leaf;
            }

            step = Next(directory, ref path);
            if (step == Step.Leaf && path.LowestHash != (hash | 1))
                return Step.End;
        }

        return step;
    }

    /// <summary>Leases a leaf; false if it is an index block and so no leaf.</summary>
    internal bool TryReadLeaf(in Inode directory, uint fileBlock, out BlockLease lease)
    {
        lease = blocks.ReadEntries(directory, fileBlock);
        if (fileBlock != 0 && !(_superblock.HasMetadataChecksums && DirectoryBlock.LooksLikeIndex(lease.Bytes)))
            return true;
        lease.Dispose();
        lease = default;
        return false;
    }

    private bool TryReadInfo(ReadOnlySpan<byte> root, in Inode directory, ref HashTreePath path)
    {
        int levels = HashTreeNode.InnerLevels(root) + 1;
        int most = _superblock.Features.Has(IncompatibleFeatures.LargeDirectory) ? 3 : 2;
        path.Levels = levels;
        return IsSoundRoot(root, directory) && levels <= most;
    }

    private static bool IsSoundRoot(ReadOnlySpan<byte> root, in Inode directory) =>
        HashTreeNode.HasSoundInfo(root) && HashTreeNode.HashVersion(root) == (byte)NameHashVersion.Stored == directory.HasStoredHashes;

    private Step DescendFirst(in Inode directory, ref HashTreePath path, int level, uint block, uint lowest)
    {
        uint count = blocks.Count(directory);
        for (; level < path.Levels; level++)
        {
            using BlockLease lease = blocks.ReadIndex(directory, block);
            if (!HashTreeNode.TryParse(lease.Bytes, isRoot: false, _superblock.HasMetadataChecksums, out HashTreeNode node))
                return Step.Damaged;
            path.Set(level, block, 0);
            block = node.Block(0);
            if (block >= count || path.Contains(block, level + 1))
                return Step.Damaged;
        }

        (path.Leaf, path.LowestHash) = (block, lowest);
        return Step.Leaf;
    }
}
