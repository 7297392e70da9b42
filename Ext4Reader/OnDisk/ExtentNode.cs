using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>
/// One node of an extent tree: the 60 bytes in an inode, or a block.
/// <code>
/// | header 12 | entry 0 (12) | entry 1 | … up to the capacity | checksum 4, in blocks only |
/// </code>
/// Entries are extents in a leaf (depth 0) and pointers to nodes one level down elsewhere, sorted by first file block.
/// </summary>
internal readonly ref struct ExtentNode
{
    internal const int MaximumDepth = 5;

    private const ushort Magic = 0xf30a;
    private const int HeaderSize = 12;

    private readonly ReadOnlySpan<byte> _raw;

    /// <summary>A node that <see cref="Check"/> has passed.</summary>
    internal ExtentNode(ReadOnlySpan<byte> raw)
    {
        _raw = raw;
        Count = LittleEndian.U16(raw, 0x02);                               // eh_entries
        Depth = LittleEndian.U16(raw, 0x06);                               // eh_depth
    }

    internal int Count { get; }

    internal int Depth { get; }

    /// <summary>The bytes of a node block that its checksum covers; the checksum follows.</summary>
    internal static int ChecksummedLength(ReadOnlySpan<byte> raw) => HeaderSize + LittleEndian.U16(raw, 0x04) * Extent.Size; // eh_max

    /// <summary>Whether this is a node of an extent tree at all.</summary>
    internal static bool HasMagic(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, 0x00) == Magic;

    /// <summary>Makes the root of a file without content.</summary>
    internal static void MakeEmptyRoot(Span<byte> raw)
    {
        raw.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(raw, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(raw[0x04..], (ushort)((raw.Length - HeaderSize) / Extent.Size));
    }

    /// <summary>The depth a node claims.</summary>
    internal static int DepthOf(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, 0x06);

    internal Extent ExtentAt(int index) => Extent.Parse(Entry(index));

    internal uint FirstFileBlock(int index) => LittleEndian.U32(Entry(index), 0x00); // ee_block, ei_block

    /// <summary>The block with the node below an entry.</summary>
    internal ulong Child(int index) => LittleEndian.U48(Entry(index), low: 0x04, high: 0x08); // ei_leaf_lo, ei_leaf_hi

    /// <summary>The last entry that starts at or before a file block, or -1.</summary>
    internal int Find(uint fileBlock)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (FirstFileBlock(middle) <= fileBlock)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    /// <summary>Checks a node's header: afterwards its entries lie inside of it.</summary>
    /// <param name="raw">The node.</param>
    /// <param name="depth">What the depth must be. Each child being one level shallower than its parent, no cycle can be.</param>
    /// <param name="inode">The inode, for the message.</param>
    internal static void CheckHeader(ReadOnlySpan<byte> raw, int depth, uint inode)
    {
        int count = LittleEndian.U16(raw, 0x02);                           // eh_entries
        int capacity = LittleEndian.U16(raw, 0x04);                        // eh_max
        bool isSound = HasMagic(raw) && DepthOf(raw) == depth && depth <= MaximumDepth
            && capacity != 0 && capacity <= (raw.Length - HeaderSize) / Extent.Size && count <= capacity && (count != 0 || depth == 0);
        if (!isSound)
            throw BadHeader(raw, depth, inode);
    }

    /// <summary>Checks order and range of a node's entries.</summary>
    internal void Check(uint inode, Superblock superblock)
    {
        ulong next = 0;
        for (int index = 0; index < Count; index++)
        {
            uint first = FirstFileBlock(index);
            ulong image;
            ulong length = 1;
            if (Depth == 0)
            {
                Extent extent = ExtentAt(index);
                (image, length) = (extent.FirstImageBlock, extent.Length);
            }
            else
            {
                image = Child(index);
            }

            // The last file block has no number after it: an extent that ends there would wrap.
            bool isInOrder = first >= next && length != 0 && first + length <= uint.MaxValue;
            if (!isInOrder || !superblock.IsDataRun(image, length))
                throw BadEntry(inode, first, next, image, length, isInOrder, superblock);
            next = first + length;
        }
    }

    private static CorruptImageException BadHeader(ReadOnlySpan<byte> raw, int depth, uint inode)
    {
        if (!HasMagic(raw))
            return new CorruptImageException(Corruption.ExtentHeader, inode, $"extent node with magic {LittleEndian.U16(raw, 0x00):x4}");
        if (DepthOf(raw) != depth || depth > MaximumDepth)
            return new CorruptImageException(Corruption.ExtentDepth, inode, $"extent node of depth {DepthOf(raw)} where {depth} belongs");
        return new CorruptImageException(Corruption.ExtentHeader, inode,
            $"extent node with {LittleEndian.U16(raw, 0x02)} entries of {LittleEndian.U16(raw, 0x04)} in {raw.Length} bytes");
    }

    private static CorruptImageException BadEntry(uint inode, uint first, ulong expected, ulong image, ulong length, bool isInOrder, Superblock superblock) => isInOrder
        ? new CorruptImageException(Corruption.BlockPointer, inode, $"extent of {length} blocks at image block {image} of {superblock.BlockCount}")
        : new CorruptImageException(Corruption.ExtentOrder, inode, $"extent of {length} blocks at file block {first}, expected from {expected} on");

    private ReadOnlySpan<byte> Entry(int index) => _raw.Slice(HeaderSize + index * Extent.Size, Extent.Size);
}
