namespace Ext4Reader.OnDisk;

/// <summary>What a tag of a fast commit says.</summary>
internal enum FastCommitTagType : ushort
{
    None = 0,
    AddRange = 1,
    DeleteRange = 2,
    Create = 3,
    Link = 4,
    Unlink = 5,
    Inode = 6,
    Padding = 7,
    Tail = 8,
    Head = 9,
}

/// <summary>
/// A tag of a fast commit: type, length, value; unlike the rest of the journal little-endian. A commit is a series of tags that ends with a
/// tail, which fills its block; the first one starts with a head.
/// </summary>
/// <param name="Type">What it says.</param>
/// <param name="Length">Bytes of the value, which follows.</param>
internal readonly record struct FastCommitTag(FastCommitTagType Type, int Length)
{
    internal const int HeaderSize = 4;

    /// <summary>Bytes of a tail that its checksum covers, this header included.</summary>
    internal const int CheckedTailSize = HeaderSize + 4;

    private const int EntryHeaderSize = 8;
    private const int InodeHeaderSize = 4;
    private const int MaximumNameLength = 255;

    /// <summary>Parses the tag at the start of the bytes that are left of a block; false if there is none that fits.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> raw, int inodeSize, out FastCommitTag tag)
    {
        tag = default;
        if (raw.Length < HeaderSize)
            return false;
        tag = new FastCommitTag(
            Type: (FastCommitTagType)LittleEndian.U16(raw, 0x00),          // fc_tag
            Length: LittleEndian.U16(raw, 0x02));                          // fc_len
        return tag.Length <= raw.Length - HeaderSize && tag.HasSoundLength(inodeSize);
    }

    /// <summary>The features and the transaction of a head.</summary>
    internal static (uint Features, uint Sequence) Head(ReadOnlySpan<byte> value) =>
        (LittleEndian.U32(value, 0x00), LittleEndian.U32(value, 0x04));    // fc_features, fc_tid

    /// <summary>The transaction and the checksum of a tail.</summary>
    internal static (uint Sequence, uint Checksum) Tail(ReadOnlySpan<byte> value) =>
        (LittleEndian.U32(value, 0x00), LittleEndian.U32(value, 0x04));    // fc_tid, fc_crc

    /// <summary>A name: its directory, its inode, and itself.</summary>
    internal static ReadOnlySpan<byte> Entry(ReadOnlySpan<byte> value, out uint directory, out uint inode)
    {
        directory = LittleEndian.U32(value, 0x00);                         // fc_parent_ino
        inode = LittleEndian.U32(value, 0x04);                             // fc_ino
        return value[EntryHeaderSize..];                                   // fc_dname
    }

    /// <summary>An inode: its number and its record, which may end early.</summary>
    internal static ReadOnlySpan<byte> Inode(ReadOnlySpan<byte> value, out uint inode)
    {
        inode = LittleEndian.U32(value, 0x00);                             // fc_ino
        return value[InodeHeaderSize..];                                   // fc_raw_inode
    }

    /// <summary>A new piece of a file.</summary>
    internal static (uint Inode, Extent Extent) Added(ReadOnlySpan<byte> value) =>
        (LittleEndian.U32(value, 0x00), Extent.Parse(value[0x04..]));      // fc_ino, fc_ex

    /// <summary>A piece of a file that is no more.</summary>
    internal static (uint Inode, uint First, uint Length) Deleted(ReadOnlySpan<byte> value) =>
        (LittleEndian.U32(value, 0x00), LittleEndian.U32(value, 0x04), LittleEndian.U32(value, 0x08)); // fc_ino, fc_lblk, fc_len

    private bool HasSoundLength(int inodeSize) => Type switch
    {
        FastCommitTagType.AddRange => Length == 16,
        FastCommitTagType.DeleteRange => Length == 12,
        FastCommitTagType.Create or FastCommitTagType.Link or FastCommitTagType.Unlink => Length is > EntryHeaderSize and <= EntryHeaderSize + MaximumNameLength,
        FastCommitTagType.Inode => Length >= InodeHeaderSize + InodeRecord.MinimumSize && Length <= InodeHeaderSize + inodeSize,
        FastCommitTagType.Padding => true,
        FastCommitTagType.Tail => Length >= 8,
        FastCommitTagType.Head => Length == 8,
        _ => false,
    };
}
