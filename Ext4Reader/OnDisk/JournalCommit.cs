namespace Ext4Reader.OnDisk;

/// <summary>The block that makes a transaction count.</summary>
/// <param name="Checksum">Of the whole transaction or of this block, whichever kind the journal has.</param>
/// <param name="ChecksumType">0 for none.</param>
/// <param name="ChecksumSize">Bytes of a checksum; 0 for none.</param>
/// <param name="Seconds">When.</param>
internal readonly record struct JournalCommit(byte ChecksumType, byte ChecksumSize, uint Checksum, ulong Seconds)
{
    /// <summary>Where the checksum lies; in checksums of the block itself it counts as 0.</summary>
    internal const int ChecksumOffset = 0x10;

    private const byte TypeCrc32 = 1;

    internal static JournalCommit Parse(ReadOnlySpan<byte> raw) => new(
        ChecksumType: raw[0x0c],                                           // h_chksum_type
        ChecksumSize: raw[0x0d],                                           // h_chksum_size
        Checksum: BigEndian.U32(raw, ChecksumOffset),                      // h_chksum[0]
        Seconds: BigEndian.U64(raw, 0x30));                                // h_commit_sec

    /// <summary>Whether the checksum of the transaction's blocks is right, or was never made.</summary>
    internal bool Vouches(uint computed) => ChecksumType == 0
        ? ChecksumSize == 0 && Checksum == 0
        : ChecksumType == TypeCrc32 && ChecksumSize == sizeof(uint) && Checksum == computed;
}
