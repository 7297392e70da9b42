namespace Ext4Reader.OnDisk;

/// <summary>A run of contiguous blocks of a file. Unwritten ones are reserved, and read as zeros.</summary>
internal readonly record struct Extent(uint FirstFileBlock, ulong FirstImageBlock, uint Length, bool IsUnwritten)
{
    internal const int Size = 12;

    private const int MaximumInitializedLength = 0x8000;

    internal static Extent Parse(ReadOnlySpan<byte> raw)
    {
        int length = LittleEndian.U16(raw, 0x04);                          // ee_len
        bool isUnwritten = length > MaximumInitializedLength;
        return new Extent(
            FirstFileBlock: LittleEndian.U32(raw, 0x00),                   // ee_block
            FirstImageBlock: LittleEndian.U48(raw, low: 0x08, high: 0x06), // ee_start_lo, ee_start_hi
            Length: (uint)(isUnwritten ? length - MaximumInitializedLength : length),
            IsUnwritten: isUnwritten);
    }
}
