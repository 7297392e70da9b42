namespace Ext4Reader.OnDisk;

/// <summary>A revocation block: numbers of image blocks whose older copies in the journal must not be used any more.</summary>
internal ref struct JournalRevocations
{
    private const int HeaderSize = 16;
    private const int TailSize = 4;

    private readonly ReadOnlySpan<byte> _raw;
    private readonly bool _is64Bit;
    private readonly int _end;
    private int _offset;

    /// <exception cref="CorruptImageException">More of them than fit into a block.</exception>
    internal JournalRevocations(ReadOnlySpan<byte> raw, JournalSuperblock journal)
    {
        uint used = BigEndian.U32(raw, 0x0c);                              // r_count
        if (used > (uint)(raw.Length - (journal.HasBlockChecksums ? TailSize : 0)))
            throw new CorruptImageException(Corruption.JournalTransaction, 0, $"journal: {used} bytes of revocations in a block of {raw.Length}");
        _raw = raw;
        _is64Bit = journal.Has(JournalIncompatibleFeatures.SixtyFourBit);
        _end = (int)used;
        _offset = HeaderSize;
    }

    /// <summary>The next revoked image block; false behind the last one.</summary>
    internal bool TryNext(out ulong block)
    {
        int size = _is64Bit ? sizeof(ulong) : sizeof(uint);
        if (_offset + size > _end)
        {
            block = 0;
            return false;
        }

        block = _is64Bit ? BigEndian.U64(_raw, _offset) : BigEndian.U32(_raw, _offset);
        _offset += size;
        return true;
    }
}
