using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Searches the extent tree of an inode.</summary>
internal sealed class ExtentTree(BlockReader blocks, SystemZones? zones)
{
    // One more than the last file block there can be.
    private const ulong EndOfFileBlocks = 1UL << 32;

    private readonly Superblock _superblock = blocks.Superblock;

    internal BlockRun Find(in Inode inode, uint fileBlock)
    {
        ulong end = EndOfFileBlocks;
        var root = new ExtentNode(inode.Map);
        if (root.Depth == 0)
            return FindInLeaf(root, fileBlock, end);
        if (!TryDescend(root, fileBlock, ref end, out ulong block, out uint first))
            return BlockRun.Zeros(end - fileBlock);
        for (int depth = root.Depth - 1; ; depth--)
        {
            using BlockLease lease = blocks.Read(block, inode.Number);
            CheckBlock(lease, depth, first, inode);
            var node = new ExtentNode(lease.Bytes);
            if (depth == 0)
                return FindInLeaf(node, fileBlock, end);
            if (!TryDescend(node, fileBlock, ref end, out block, out first))
                return BlockRun.Zeros(end - fileBlock);
        }
    }

    /// <summary>The file block behind the last extent; 0 if there is none.</summary>
    internal ulong End(in Inode inode)
    {
        var root = new ExtentNode(inode.Map);
        if (root.Depth == 0)
            return EndOfLeaf(root);
        (ulong block, uint first) = (root.Child(root.Count - 1), root.FirstFileBlock(root.Count - 1));
        for (int depth = root.Depth - 1; ; depth--)
        {
            using BlockLease lease = blocks.Read(block, inode.Number);
            CheckBlock(lease, depth, first, inode);
            var node = new ExtentNode(lease.Bytes);
            if (depth == 0)
                return EndOfLeaf(node);
            (block, first) = (node.Child(node.Count - 1), node.FirstFileBlock(node.Count - 1));
        }
    }

    private static ulong EndOfLeaf(ExtentNode leaf)
    {
        if (leaf.Count == 0)
            return 0;
        Extent last = leaf.ExtentAt(leaf.Count - 1);
        return (ulong)last.FirstFileBlock + last.Length;
    }

    /// <summary>Finds the child that covers a file block; false if that lies before the first one.</summary>
    /// <param name="node">An inner node.</param>
    /// <param name="fileBlock">The file block.</param>
    /// <param name="end">The end of the part of the file this node covers; becomes that of the child, or of the hole.</param>
    /// <param name="child">The child's image block.</param>
    /// <param name="first">The child's first file block.</param>
    private static bool TryDescend(ExtentNode node, uint fileBlock, ref ulong end, out ulong child, out uint first)
    {
        int index = node.Find(fileBlock);
        if (index + 1 < node.Count)
            end = Math.Min(end, node.FirstFileBlock(index + 1));
        if (index < 0)
        {
            (child, first) = (0, 0);
            return false;
        }

        (child, first) = (node.Child(index), node.FirstFileBlock(index));
        return true;
    }

    private static BlockRun FindInLeaf(ExtentNode leaf, uint fileBlock, ulong end)
    {
        int index = leaf.Find(fileBlock);
        if (index >= 0)
        {
            Extent extent = leaf.ExtentAt(index);
            uint skipped = fileBlock - extent.FirstFileBlock;
            if (skipped < extent.Length)
            {
                ulong length = Math.Min(extent.Length - skipped, end - fileBlock);
                return extent.IsUnwritten ? BlockRun.Zeros(length) : new BlockRun(extent.FirstImageBlock + skipped, length);
            }
        }

        if (index + 1 < leaf.Count)
            end = Math.Min(end, leaf.FirstFileBlock(index + 1));
        return BlockRun.Zeros(end - fileBlock);
    }

    private void CheckBlock(BlockLease lease, int depth, uint first, in Inode inode)
    {
        ReadOnlySpan<byte> raw = lease.Bytes;
        ulong token = Verification.ExtentNode(inode.Number);
        if (lease.IsVerified(token))
        {
            // The same block may hang in two places of a broken tree, so what depends on the place is always checked.
            if (ExtentNode.DepthOf(raw) != depth)
                ExtentNode.CheckHeader(raw, depth, inode.Number);
        }
        else
        {
            ExtentNode.CheckHeader(raw, depth, inode.Number);
            CheckChecksum(raw, inode);
            new ExtentNode(raw).Check(inode.Number, _superblock);
            zones?.Check(new ExtentNode(raw), inode.Number);
            lease.SetVerified(token);
        }

        var node = new ExtentNode(raw);
        if (node.Count > 0 && node.FirstFileBlock(0) != first)
        {
            throw new CorruptImageException(Corruption.ExtentOrder, inode.Number,
                $"extent node for file block {first} starts with {node.FirstFileBlock(0)}");
        }
    }

    private void CheckChecksum(ReadOnlySpan<byte> raw, in Inode inode)
    {
        if (!_superblock.HasMetadataChecksums)
            return;
        int length = ExtentNode.ChecksummedLength(raw);
        // The capacity was checked against the block, but the checksum needs room behind it: always 4 bytes, as no
        // power of two is a multiple of 12 and blocks are multiples of 4.
        uint stored = LittleEndian.U32(raw, length);                       // et_checksum
        uint computed = Crc32c.Append(inode.ChecksumSeed, raw[..length]);
        if (stored != computed)
        {
            throw new CorruptImageException(Corruption.ExtentBlockChecksum, inode.Number,
                $"extent node: checksum {stored:x8} stored, {computed:x8} computed");
        }
    }
}
