using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>
/// A node of a directory's index, dressed up as directory entries for readers that do not know about it.
/// <code>
/// root (file block 0): | "." 12 | ".." to the end of the block: 12 | info 8 | entries … | checksum 8 |
/// inner node:          | free entry to the end of the block: 8              | entries … | checksum 8 |
/// </code>
/// An entry is (lowest hash, file block) and covers hashes up to the next entry's. The first entry's hash is implied
/// (its bytes hold capacity and count). A hash with bit 0 set continues the hash of the entry before.
/// </summary>
internal readonly ref struct HashTreeNode
{
    internal const int RootEntriesOffset = 32;
    internal const int InnerEntriesOffset = 8;

    private const int InfoOffset = 24;
    private const int InfoSize = 8;
    private const int EntrySize = 8;
    private const int ChecksumSize = 8;
    private const uint BlockMask = 0x0fffffff;

    private readonly ReadOnlySpan<byte> _raw;
    private readonly int _entries;

    private HashTreeNode(ReadOnlySpan<byte> raw, int entriesOffset)
    {
        _raw = raw;
        _entries = entriesOffset;
        Count = LittleEndian.U16(raw, entriesOffset + 2);                  // count
    }

    internal int Count { get; }

    /// <summary>The hash version the root names; a number that may mean nothing.</summary>
    internal static byte HashVersion(ReadOnlySpan<byte> root) => root[InfoOffset + 4]; // hash_version

    /// <summary>How many levels of inner nodes lie below the root.</summary>
    internal static int InnerLevels(ReadOnlySpan<byte> root) => root[InfoOffset + 6]; // indirect_levels

    /// <summary>Whether the root's own fields make sense.</summary>
    internal static bool HasSoundInfo(ReadOnlySpan<byte> root) =>
        root[InfoOffset + 5] == InfoSize                                   // info_length
        && (root[InfoOffset + 7] & 1) == 0                                 // unused_flags
        && HashVersion(root) is <= (byte)NameHashVersion.Tea or (byte)NameHashVersion.Stored;

    /// <summary>A node, if its capacity is that of its block and its count within; nothing else can go wrong then.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> raw, bool isRoot, bool hasChecksum, out HashTreeNode node)
    {
        int offset = isRoot ? RootEntriesOffset : InnerEntriesOffset;
        int capacity = (raw.Length - offset - (hasChecksum ? ChecksumSize : 0)) / EntrySize;
        node = new HashTreeNode(raw, offset);
        return LittleEndian.U16(raw, offset) == capacity && node.Count >= 1 && node.Count <= capacity; // limit
    }

    /// <summary>The lowest hash below an entry, bit 0 set if names of the hash before go on there.</summary>
    internal uint Hash(int index) => index == 0 ? 0 : LittleEndian.U32(_raw, _entries + index * EntrySize); // hash

    /// <summary>The file block below an entry.</summary>
    internal uint Block(int index) => LittleEndian.U32(_raw, _entries + index * EntrySize + 4) & BlockMask; // block

    /// <summary>The last entry whose hash is not above the one wanted.</summary>
    internal int Find(uint hash)
    {
        int low = 1;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Hash(middle) > hash)
                high = middle;
            else
                low = middle + 1;
        }

        return low - 1;
    }

    /// <summary>Compares the checksum behind the entries, which covers all of them that are in use.</summary>
    internal static void CheckChecksum(ReadOnlySpan<byte> raw, uint seed, uint inode)
    {
        if (!TryFindEntries(raw, out int offset))
            throw new CorruptImageException(Corruption.HashTreeChecksum, inode, "directory index block without a place for its checksum");
        int limit = LittleEndian.U16(raw, offset);
        int count = LittleEndian.U16(raw, offset + 2);
        int tail = offset + limit * EntrySize;
        if (tail > raw.Length - ChecksumSize || count > limit)
        {
            throw new CorruptImageException(Corruption.HashTreeChecksum, inode,
                $"directory index block with {count} of {limit} entries: no place for its checksum");
        }

        uint computed = Crc32c.Append(seed, raw[..(offset + count * EntrySize)]);
        computed = Crc32c.Append(Crc32c.Append(computed, raw.Slice(tail, 4)), 0u); // dt_reserved, then dt_checksum as zero
        uint stored = LittleEndian.U32(raw, tail + 4);                     // dt_checksum
        if (stored != computed)
        {
            throw new CorruptImageException(Corruption.HashTreeChecksum, inode,
                $"directory index block: checksum {stored:x8} stored, {computed:x8} computed");
        }
    }

    /// <summary>Whether a sound node can take another entry.</summary>
    internal static bool HasRoom(ReadOnlySpan<byte> raw, bool isRoot)
    {
        int offset = isRoot ? RootEntriesOffset : InnerEntriesOffset;
        return LittleEndian.U16(raw, offset + 2) < LittleEndian.U16(raw, offset);
    }

    /// <summary>Inserts an entry into a node that has room.</summary>
    internal static void Insert(Span<byte> raw, bool isRoot, int index, uint hash, uint block)
    {
        int offset = isRoot ? RootEntriesOffset : InnerEntriesOffset;
        int count = LittleEndian.U16(raw, offset + 2);
        Span<byte> behind = raw.Slice(offset + index * EntrySize, (count - index) * EntrySize);
        behind.CopyTo(raw[(offset + (index + 1) * EntrySize)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[(offset + index * EntrySize)..], hash);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[(offset + index * EntrySize + 4)..], block);
        BinaryPrimitives.WriteUInt16LittleEndian(raw[(offset + 2)..], (ushort)(count + 1));
    }

    /// <summary>Makes the checksum of a changed node right.</summary>
    internal static void SetChecksum(Span<byte> raw, bool isRoot, uint seed)
    {
        int offset = isRoot ? RootEntriesOffset : InnerEntriesOffset;
        int tail = offset + LittleEndian.U16(raw, offset) * EntrySize;
        uint crc = Crc32c.Append(seed, raw[..(offset + LittleEndian.U16(raw, offset + 2) * EntrySize)]);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[(tail + 4)..], Crc32c.Append(Crc32c.Append(crc, raw.Slice(tail, 4)), 0u));
    }

    private static bool TryFindEntries(ReadOnlySpan<byte> raw, out int offset)
    {
        int first = DirectoryEntry.Parse(raw, raw.Length).RecordLength;
        offset = InnerEntriesOffset;
        if (first == raw.Length)
            return true;
        offset = RootEntriesOffset;
        return first == DirectoryEntry.MinimumLength
            && DirectoryEntry.Parse(raw[DirectoryEntry.MinimumLength..], raw.Length).RecordLength == raw.Length - DirectoryEntry.MinimumLength
            && LittleEndian.U32(raw, InfoOffset) == 0                      // reserved_zero
            && raw[InfoOffset + 5] == InfoSize;                            // info_length
    }
}
