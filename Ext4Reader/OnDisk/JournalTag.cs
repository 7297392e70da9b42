namespace Ext4Reader.OnDisk;

/// <summary>A descriptor's entry: which image block one of the following blocks is the new content of.</summary>
/// <param name="Block">The image block.</param>
/// <param name="IsEscaped">Whether the journal's magic at its start was replaced by 0.</param>
/// <param name="Checksum">Of the copy, 16 or 32 bits; 0 where copies have none.</param>
internal readonly record struct JournalTag(ulong Block, bool IsEscaped, uint Checksum);

/// <summary>
/// A descriptor block: the header, then tags, each but the first of a series followed by nothing or by the 16 bytes of a UUID, then, with
/// block checksums, 4 bytes of checksum at the end. The blocks that the tags are about follow in the log.
/// </summary>
internal ref struct JournalTags
{
    private const ushort EscapedFlag = 0x1;
    private const ushort SameUuidFlag = 0x2;
    private const ushort LastFlag = 0x8;
    private const int UuidSize = 16;
    private const int TailSize = 4;

    private readonly ReadOnlySpan<byte> _raw;
    private readonly bool _is64Bit;
    private readonly bool _isV3;
    private readonly bool _isV2;
    private readonly int _size;
    private readonly int _end;
    private int _offset;

    internal JournalTags(ReadOnlySpan<byte> raw, JournalSuperblock journal)
    {
        _raw = raw;
        _is64Bit = journal.Has(JournalIncompatibleFeatures.SixtyFourBit);
        _isV3 = journal.Has(JournalIncompatibleFeatures.ChecksumV3);
        _isV2 = journal.Has(JournalIncompatibleFeatures.ChecksumV2);
        _size = _isV3 ? 16 : 8 + (_isV2 ? 2 : 0) + (_is64Bit ? 4 : 0);
        _end = raw.Length - (journal.HasBlockChecksums ? TailSize : 0);
        _offset = JournalHeader.Size;
    }

    /// <summary>Parses the next tag; false behind the last one.</summary>
    internal bool TryNext(out JournalTag tag)
    {
        if (_offset + _size > _end)
        {
            tag = default;
            return false;
        }

        ReadOnlySpan<byte> raw = _raw[_offset..];
        int flags = BigEndian.U16(raw, 0x06);                              // t_flags
        ulong high = _is64Bit ? BigEndian.U32(raw, 0x08) : 0;              // t_blocknr_high
        tag = new JournalTag(
            Block: high << 32 | BigEndian.U32(raw, 0x00),                  // t_blocknr
            IsEscaped: (flags & EscapedFlag) != 0,
            Checksum: _isV3 ? BigEndian.U32(raw, 0x0c) : _isV2 ? BigEndian.U16(raw, 0x04) : 0u); // t_checksum
        _offset = (flags & LastFlag) != 0 ? _end : _offset + _size + ((flags & SameUuidFlag) != 0 ? 0 : UuidSize);
        return true;
    }
}
