using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>Shows every extent of a file, in order, and every block of its extent tree, each before what lies below it.</summary>
internal sealed class ExtentWalk(BlockReader blocks)
{
    /// <summary>Walks the whole tree.</summary>
    /// <param name="inode">A file with extents.</param>
    /// <param name="onExtent">Gets the extents. Throws to end a walk that is too long.</param>
    /// <param name="onNode">Gets image block and first file block of each block of the tree.</param>
    internal void Run(in Inode inode, Action<Extent> onExtent, Action<ulong, uint> onNode) =>
        Visit(new ExtentNode(inode.Map), inode, onExtent, onNode);

    private void Visit(scoped ExtentNode node, in Inode inode, Action<Extent> onExtent, Action<ulong, uint> onNode)
    {
        for (int index = 0; index < node.Count; index++)
        {
            if (node.Depth == 0)
            {
                onExtent(node.ExtentAt(index));
                continue;
            }

            ulong child = node.Child(index);
            onNode(child, node.FirstFileBlock(index));
            using BlockLease lease = blocks.Read(child, inode.Number);
            // One level less each time: a tree that points to itself ends here.
            ExtentNode.CheckHeader(lease.Bytes, node.Depth - 1, inode.Number);
            CheckChecksum(lease.Bytes, inode);
            var below = new ExtentNode(lease.Bytes);
            below.Check(inode.Number, blocks.Superblock);
            Visit(below, inode, onExtent, onNode);
        }
    }

    private void CheckChecksum(ReadOnlySpan<byte> raw, in Inode inode)
    {
        if (!blocks.Superblock.HasMetadataChecksums)
            return;
        int length = ExtentNode.ChecksummedLength(raw);
        if (LittleEndian.U32(raw, length) != Crc32c.Append(inode.ChecksumSeed, raw[..length]))
            throw new CorruptImageException(Corruption.ExtentBlockChecksum, inode.Number, "extent node: wrong checksum");
    }
}
