namespace Ext4Reader.OnDisk;

/// <summary>
/// A directory block: records that fill it without a gap.
/// <code>
/// | entry | entry | … | entry, its record reaching to the end | checksum 12, looks like a free entry |
/// </code>
/// </summary>
internal readonly ref struct DirectoryBlock(ReadOnlySpan<byte> raw, uint inode, uint inodeCount, bool isEncrypted = false)
{
    private const int ChecksumEntrySize = 12;
    private const int StoredHashSize = 8;
    private const byte ChecksumEntryType = 0xde;

    private readonly ReadOnlySpan<byte> _raw = raw;

    /// <summary>Parses the entry at an offset and moves on to the next one; false at the end of the block.</summary>
    /// <exception cref="CorruptImageException">The entry cannot be; every entry is checked before it is given out.</exception>
    internal bool TryNext(ref int offset, out DirectoryEntry entry)
    {
        if (offset >= _raw.Length)
        {
            entry = default;
            return false;
        }

        int left = _raw.Length - offset;
        if (left < DirectoryEntry.MinimumLength)
            throw TooCloseToTheEnd(offset);
        entry = DirectoryEntry.Parse(_raw[offset..], _raw.Length);
        int length = entry.RecordLength;
        bool fits = length >= DirectoryEntry.MinimumLength && (length & 3) == 0 && length >= DirectoryEntry.LengthFor(entry.NameLength)
            && (length == left || length <= left - DirectoryEntry.MinimumLength);
        if (!fits || entry.InodeNumber > inodeCount)
            throw Broken(offset, entry, fits);
        offset += length;
        return true;
    }

    /// <summary>The name of the entry at an offset.</summary>
    internal ReadOnlySpan<byte> Name(int offset, scoped in DirectoryEntry entry) => _raw.Slice(offset + DirectoryEntry.HeaderSize, entry.NameLength);

    /// <summary>The hash behind the name of the entry at an offset, in directories that store them.</summary>
    internal (uint Major, uint Minor) StoredHash(int offset, scoped in DirectoryEntry entry)
    {
        int start = DirectoryEntry.LengthFor(entry.NameLength);
        if (start + StoredHashSize > entry.RecordLength)
            throw new CorruptImageException(Corruption.EncryptedName, inode, $"directory entry at {offset} has no room for a hash");
        return (LittleEndian.U32(_raw, offset + start), LittleEndian.U32(_raw, offset + start + 4)); // hash, minor_hash
    }

    /// <summary>Refuses names that would mean something else to whoever gets them.</summary>
    internal void CheckName(int offset, scoped in DirectoryEntry entry)
    {
        ReadOnlySpan<byte> name = Name(offset, entry);
        bool isSound = name.Length != 0;
        // A loop: names are short, and the class library's search, made for long texts, would have to be compiled.
        for (int i = 0; i < name.Length && !isEncrypted; i++)
            isSound &= name[i] is not ((byte)'/' or 0);
        if (!isSound)
            throw Impossible(offset, name.Length);
    }

    /// <summary>Whether the block is an inner node of a directory's index: to a linear scan, one free entry.</summary>
    internal static bool LooksLikeIndex(ReadOnlySpan<byte> raw)
    {
        DirectoryEntry first = DirectoryEntry.Parse(raw, raw.Length);
        return first.InodeNumber == 0 && first.RecordLength == raw.Length;
    }

    /// <summary>Compares the checksum in the last twelve bytes.</summary>
    internal static void CheckChecksum(ReadOnlySpan<byte> raw, uint seed, uint inode)
    {
        ReadOnlySpan<byte> covered = raw[..^ChecksumEntrySize];
        ReadOnlySpan<byte> tail = raw[^ChecksumEntrySize..];
        uint stored = LittleEndian.U32(tail, 0x08);                        // det_checksum
        uint computed = Crc32c.Append(seed, covered);
        bool isTail = LittleEndian.U32(tail, 0x00) == 0                    // det_reserved_zero1
            && LittleEndian.U16(tail, 0x04) == ChecksumEntrySize           // det_rec_len
            && tail[0x06] == 0 && tail[0x07] == ChecksumEntryType;         // det_reserved_zero2, det_reserved_ft
        if (!isTail || stored != computed)
        {
            throw new CorruptImageException(Corruption.DirectoryBlockChecksum, inode,
                isTail ? $"directory block: checksum {stored:x8} stored, {computed:x8} computed" : "directory block without a checksum");
        }
    }

    private CorruptImageException TooCloseToTheEnd(int offset) => BadLength(offset, "starts too close to the end of the block");

    private CorruptImageException Broken(int offset, in DirectoryEntry entry, bool fits) => fits
        ? new CorruptImageException(Corruption.DirectoryEntryInode, inode, $"directory entry at {offset} names inode {entry.InodeNumber} of {inodeCount}")
        : BadLength(offset, $"has {entry.RecordLength} bytes, a name of {entry.NameLength}, and {_raw.Length - offset} bytes to the end of the block");

    private CorruptImageException BadLength(int offset, string what) =>
        new(Corruption.DirectoryEntryLength, inode, $"directory entry at {offset} of its block {what}");

    private CorruptImageException Impossible(int offset, int length) =>
        new(Corruption.DirectoryEntryName, inode, $"directory entry at {offset} has an impossible name of {length} bytes");
}
