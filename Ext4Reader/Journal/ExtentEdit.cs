using System.Buffers.Binary;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Journal;

/// <summary>
/// The extents of one file while fast commits change them: a list in memory, from which a new tree is made. The tree's old blocks are used again.
/// </summary>
internal sealed class ExtentEdit
{
    private const int MaximumExtents = 1 << 18;
    private const int RootEntries = 4;
    private const int HeaderSize = 12;
    private const ushort Magic = 0xf30a;
    private const uint MaximumWritten = 0x8000;
    private const uint MaximumUnwritten = 0x7fff;

    private readonly List<Extent> _extents = [];
    private readonly List<ulong> _nodes = [];

    private ExtentEdit()
    {
    }

    /// <summary>Whether the tree must be made anew.</summary>
    internal bool IsChanged { get; set; }

    /// <summary>Pieces of content and blocks of the tree.</summary>
    internal int Pieces => _extents.Count + _nodes.Count;

    /// <summary>Blocks of content and of the tree.</summary>
    internal ulong BlockCount => (ulong)_extents.Sum(extent => (long)extent.Length) + (ulong)_nodes.Count;

    /// <summary>Reads the tree of a file.</summary>
    internal static ExtentEdit Load(in Inode inode, Workspace workspace)
    {
        ExtentNode.CheckHeader(inode.Map, Math.Min(ExtentNode.DepthOf(inode.Map), ExtentNode.MaximumDepth), inode.Number);
        new ExtentNode(inode.Map).Check(inode.Number, workspace.Superblock);
        var edit = new ExtentEdit();
        uint number = inode.Number;
        new ExtentWalk(workspace.Blocks).Run(
            inode,
            extent =>
            {
                workspace.Spend(1);
                edit.Append(extent);
                edit.CheckCount(number);
            },
            (block, _) =>
            {
                edit._nodes.Add(block);
                edit.CheckCount(number);
            });
        return edit;
    }

    /// <summary>Marks all blocks of content and of the tree.</summary>
    internal void MarkAll(SpaceEdit space, bool isUsed)
    {
        foreach (Extent extent in _extents)
            space.MarkBlocks(extent.FirstImageBlock, extent.Length, isUsed);
        foreach (ulong node in _nodes)
            space.MarkBlocks(node, 1, isUsed);
    }

    /// <summary>Puts a piece into the file, over whatever was there.</summary>
    internal void Add(Extent added, uint inode, SpaceEdit space)
    {
        Remove(added.FirstFileBlock, added.Length, space);
        _extents.Insert(IndexOf(added.FirstFileBlock), added);
        CheckCount(inode);
    }

    /// <summary>Takes a piece out of the file.</summary>
    internal void Remove(uint first, ulong length, SpaceEdit space)
    {
        IsChanged = true;
        // What lies behind moves in memory.
        space.Spend(1 + (_extents.Count >> 5));
        ulong end = first + length;
        int index = IndexOf(first);
        if (index > 0 && _extents[index - 1].FirstFileBlock + (ulong)_extents[index - 1].Length > first)
            index--;
        int start = index;
        var kept = new List<Extent>(2);
        for (; index < _extents.Count && _extents[index].FirstFileBlock < end; index++)
        {
            Extent old = _extents[index];
            ulong oldEnd = old.FirstFileBlock + (ulong)old.Length;
            uint before = first > old.FirstFileBlock ? first - old.FirstFileBlock : 0;
            uint after = oldEnd > end ? (uint)(oldEnd - end) : 0;
            if (before > 0)
                kept.Add(old with { Length = before });
            if (after > 0)
                kept.Add(Part(old, old.Length - after, after));
            space.MarkBlocks(old.FirstImageBlock + before, old.Length - before - after, isUsed: false, isWhole: true);
        }

        _extents.RemoveRange(start, index - start);
        _extents.InsertRange(start, kept);
    }

    /// <summary>Writes the tree anew.</summary>
    /// <param name="root">The 60 bytes in the inode.</param>
    /// <param name="seed">What checksums of this inode's blocks start from.</param>
    /// <param name="group">The group for further blocks.</param>
    /// <param name="workspace">The image.</param>
    /// <param name="space">Its free space.</param>
    internal void Write(Span<byte> root, uint seed, uint group, Workspace workspace, SpaceEdit space)
    {
        IsChanged = false;
        workspace.Spend(_extents.Count);
        Merge();
        int perBlock = (workspace.Superblock.BlockSize - HeaderSize) / Extent.Size;
        var spare = new Queue<ulong>(_nodes);
        _nodes.Clear();
        // From the leaves up, until what is left fits into the inode.
        byte[][] level = [.. _extents.Select(Format)];
        ushort depth = 0;
        for (; level.Length > RootEntries; depth++)
            level = [.. level.Chunk(perBlock).Select(entries => WriteNode(entries, depth))];
        root.Clear();
        WriteEntries(root, level, RootEntries, depth);
        foreach (ulong unused in spare)
            space.MarkBlocks(unused, 1, isUsed: false);

        byte[] WriteNode(byte[][] entries, ushort height)
        {
            ulong block = spare.Count > 0 ? spare.Dequeue() : space.Allocate(group);
            _nodes.Add(block);
            byte[] node = workspace.Create(block);
            WriteEntries(node, entries, perBlock, height);
            if (workspace.Superblock.HasMetadataChecksums)
            {
                int length = ExtentNode.ChecksummedLength(node);
                BinaryPrimitives.WriteUInt32LittleEndian(node.AsSpan(length), Crc32c.Append(seed, node.AsSpan(0, length))); // et_checksum
            }

            return FormatIndex(entries[0], block);
        }
    }

    private static void WriteEntries(Span<byte> node, byte[][] entries, int capacity, ushort depth)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(node, Magic);                                   // eh_magic
        BinaryPrimitives.WriteUInt16LittleEndian(node[0x02..], (ushort)entries.Length);          // eh_entries
        BinaryPrimitives.WriteUInt16LittleEndian(node[0x04..], (ushort)capacity);                // eh_max
        BinaryPrimitives.WriteUInt16LittleEndian(node[0x06..], depth);                           // eh_depth
        for (int index = 0; index < entries.Length; index++)
            entries[index].CopyTo(node[(HeaderSize + index * Extent.Size)..]);
    }

    private static byte[] Format(Extent extent)
    {
        var raw = new byte[Extent.Size];
        BinaryPrimitives.WriteUInt32LittleEndian(raw, extent.FirstFileBlock);                    // ee_block
        BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(0x04), (ushort)(extent.Length + (extent.IsUnwritten ? MaximumWritten : 0))); // ee_len
        BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(0x06), (ushort)(extent.FirstImageBlock >> 32)); // ee_start_hi
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(0x08), (uint)(extent.FirstImageBlock & uint.MaxValue)); // ee_start_lo
        return raw;
    }

    private static byte[] FormatIndex(byte[] first, ulong child)
    {
        var raw = new byte[Extent.Size];
        first.AsSpan(0, sizeof(uint)).CopyTo(raw);                                               // ei_block
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(0x04), (uint)(child & uint.MaxValue)); // ei_leaf_lo
        BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(0x08), (ushort)(child >> 32));       // ei_leaf_hi
        return raw;
    }

    private static Extent Part(Extent extent, uint skipped, uint length) =>
        extent with { FirstFileBlock = extent.FirstFileBlock + skipped, FirstImageBlock = extent.FirstImageBlock + skipped, Length = length };

    private void Append(Extent extent) => _extents.Add(extent);

    private void CheckCount(uint inode)
    {
        if (_extents.Count + _nodes.Count > MaximumExtents)
            throw UnsupportedImageException.FastCommit($"they change inode {inode}, which is in more than {MaximumExtents} pieces");
    }

    /// <summary>The first extent that starts at or behind a file block.</summary>
    private int IndexOf(uint fileBlock)
    {
        int low = 0;
        int high = _extents.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_extents[middle].FirstFileBlock < fileBlock)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private void Merge()
    {
        int last = 0;
        for (int index = 1; index < _extents.Count; index++)
        {
            Extent left = _extents[last];
            Extent right = _extents[index];
            bool isNext = left.IsUnwritten == right.IsUnwritten
                && left.FirstFileBlock + (ulong)left.Length == right.FirstFileBlock
                && left.FirstImageBlock + left.Length == right.FirstImageBlock
                && left.Length + right.Length <= (left.IsUnwritten ? MaximumUnwritten : MaximumWritten);
            if (isNext)
                _extents[last] = left with { Length = left.Length + right.Length };
            else
                _extents[++last] = right;
        }

        if (_extents.Count > 0)
            _extents.RemoveRange(last + 1, _extents.Count - last - 1);
    }
}
