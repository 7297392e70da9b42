namespace Ext4Reader.OnDisk;

/// <summary>
/// The extended attributes in one place: what is left of an inode behind its fields, or a block.
/// <code>
/// | header | entry | entry | … | four zero bytes |   free   | values, from the end downwards |
/// </code>
/// The constructor checks all entries: afterwards every name and value lies inside.
/// </summary>
internal readonly ref struct ExtendedAttributeArea
{
    private const uint Magic = 0xea020000;

    // The header in an inode is the magic alone.
    private const int InodeHeaderSize = 4;

    private const int BlockHeaderSize = 32;
    private const int ChecksumOffset = 0x10;
    private const int TerminatorSize = 4;

    // What Linux takes in an inode of its own.
    private const uint MaximumValueSize = 1 << 24;

    private readonly ReadOnlySpan<byte> _raw;

    /// <param name="raw">The area; value offsets count from its start.</param>
    /// <param name="first">Where the first entry is.</param>
    /// <param name="inode">The inode, for the message.</param>
    /// <param name="superblock">The filesystem's.</param>
    private ExtendedAttributeArea(ReadOnlySpan<byte> raw, int first, uint inode, Superblock superblock)
    {
        _raw = raw;
        First = first;
        int end = FindEnd(first, inode);
        for (int offset = first; offset < end; offset += Entry(offset).Length)
            CheckValue(Entry(offset), end + TerminatorSize, inode, superblock);
    }

    /// <summary>Where the first entry is.</summary>
    internal int First { get; }

    /// <summary>Where in an inode's record its attributes are, if it has any.</summary>
    internal static bool TryFindInInode(ReadOnlySpan<byte> raw, int extraSize, out int start)
    {
        int header = InodeRecord.MinimumSize + extraSize;
        start = header + InodeHeaderSize;
        // An inode that tune2fs enlarged has no extra fields at first, and no attributes behind them either.
        return extraSize != 0 && start <= raw.Length && LittleEndian.U32(raw, header) == Magic;
    }

    /// <summary>The area in an inode, of the bytes behind its header.</summary>
    internal static ExtendedAttributeArea InInode(ReadOnlySpan<byte> raw, uint inode, Superblock superblock) => new(raw, 0, inode, superblock);

    /// <summary>The area in a block of its own.</summary>
    internal static ExtendedAttributeArea InBlock(ReadOnlySpan<byte> raw, uint inode, Superblock superblock)
    {
        uint magic = LittleEndian.U32(raw, 0x00);                          // h_magic
        uint blocks = LittleEndian.U32(raw, 0x08);                         // h_blocks
        if (magic != Magic || blocks != 1)
            throw Broken(inode, $"a block with magic {magic:x8} and a length of {blocks} blocks");
        return new ExtendedAttributeArea(raw, BlockHeaderSize, inode, superblock);
    }

    /// <summary>Compares the checksum of an attribute block.</summary>
    internal static void CheckChecksum(ReadOnlySpan<byte> raw, ulong block, Superblock superblock, uint inode)
    {
        uint stored = LittleEndian.U32(raw, ChecksumOffset);               // h_checksum
        uint computed = Crc32c.Append(Crc32c.Append(superblock.ChecksumSeed, block), raw[..ChecksumOffset]);
        computed = Crc32c.Append(Crc32c.Append(computed, 0u), raw[(ChecksumOffset + sizeof(uint))..]);
        if (stored != computed)
        {
            throw new CorruptImageException(Corruption.ExtendedAttributeChecksum, inode,
                $"extended attribute block {block}: checksum {stored:x8} stored, {computed:x8} computed");
        }
    }

    /// <summary>Parses the entry at an offset and moves on; false behind the last one.</summary>
    internal bool TryNext(ref int offset, out ExtendedAttributeEntry entry, out ReadOnlySpan<byte> name)
    {
        if (LittleEndian.U32(_raw, offset) == 0)
        {
            entry = default;
            name = default;
            return false;
        }

        entry = Entry(offset);
        name = _raw.Slice(offset + ExtendedAttributeEntry.HeaderSize, entry.NameLength);
        offset += entry.Length;
        return true;
    }

    internal ReadOnlySpan<byte> Value(in ExtendedAttributeEntry entry) =>
        entry.ValueSize == 0 ? default : _raw.Slice(entry.ValueOffset, (int)entry.ValueSize);

    private static CorruptImageException Broken(uint inode, string what) =>
        new(Corruption.ExtendedAttributes, inode, $"extended attributes: {what}");

    private ExtendedAttributeEntry Entry(int offset) => ExtendedAttributeEntry.Parse(_raw[offset..]);

    /// <summary>Where the four zero bytes behind the last entry are.</summary>
    private int FindEnd(int first, uint inode)
    {
        int offset = first;
        while (true)
        {
            if (offset > _raw.Length - TerminatorSize)
                throw Broken(inode, $"no end within {_raw.Length} bytes");
            if (LittleEndian.U32(_raw, offset) == 0)
                return offset;
            int length = offset > _raw.Length - ExtendedAttributeEntry.HeaderSize ? int.MaxValue : Entry(offset).Length;
            if (length > _raw.Length - offset)
                throw Broken(inode, $"the entry at {offset} runs over the end of {_raw.Length} bytes");
            ReadOnlySpan<byte> name = _raw.Slice(offset + ExtendedAttributeEntry.HeaderSize, Entry(offset).NameLength);
            if (name.Contains((byte)0))
                throw Broken(inode, $"the entry at {offset} has a NUL in its name");
            offset += length;
        }
    }

    private void CheckValue(in ExtendedAttributeEntry entry, int lowest, uint inode, Superblock superblock)
    {
        if (entry.ValueInode != 0)
        {
            if (!superblock.Features.Has(IncompatibleFeatures.AttributeInodes))
                throw Broken(inode, $"a value in inode {entry.ValueInode} without the feature ea_inode");
            if (entry.ValueInode == inode || entry.ValueInode < superblock.FirstInode || entry.ValueInode > superblock.InodeCount || entry.ValueSize > MaximumValueSize)
                throw Broken(inode, $"a value of {entry.ValueSize} bytes in inode {entry.ValueInode}");
            return;
        }

        if (entry.ValueSize == 0)
            return;
        // Values are padded to a multiple of four, and the padding must fit, too.
        if (entry.ValueOffset < lowest || entry.ValueOffset > _raw.Length
            || (entry.ValueSize + 3UL & ~3UL) > (ulong)(_raw.Length - entry.ValueOffset))
        {
            throw Broken(inode, $"a value of {entry.ValueSize} bytes at {entry.ValueOffset} of {_raw.Length}");
        }
    }
}
