namespace Ext4Reader.OnDisk;

/// <summary>What a block of the journal is.</summary>
internal enum JournalBlockType : uint
{
    None = 0,
    Descriptor = 1,
    Commit = 2,
    SuperblockV1 = 3,
    SuperblockV2 = 4,
    Revocation = 5,
}

/// <summary>The start of every block of the journal that is not the copy of another block.</summary>
internal readonly record struct JournalHeader(uint Magic, JournalBlockType Type, uint Sequence)
{
    internal const int Size = 12;

    /// <summary>A copy that would start with this number has 0 there instead, and a flag that says so.</summary>
    internal const uint JournalMagic = 0xc03b3998;

    internal static JournalHeader Parse(ReadOnlySpan<byte> raw) => new(
        Magic: BigEndian.U32(raw, 0x00),                                   // h_magic
        Type: (JournalBlockType)BigEndian.U32(raw, 0x04),                  // h_blocktype
        Sequence: BigEndian.U32(raw, 0x08));                               // h_sequence
}
