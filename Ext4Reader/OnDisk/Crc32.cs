namespace Ext4Reader.OnDisk;

/// <summary>
/// The CRC-32 of Ethernet, highest bit first and never inverted, with which the oldest kind of journal checksum covers whole
/// transactions. Eight bytes a step: a journal is large.
/// </summary>
internal static class Crc32
{
    /// <summary>What a transaction's checksum starts from.</summary>
    internal const uint Start = uint.MaxValue;

    private const uint Polynomial = 0x04c11db7;
    private const int Step = 8;

    private static readonly uint[] Table = MakeTable();

    internal static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= Step)
        {
            uint high = BigEndian.U32(bytes, 0) ^ crc;
            crc = At(7, high >> 24) ^ At(6, high >> 16) ^ At(5, high >> 8) ^ At(4, high)
                ^ At(3, bytes[4]) ^ At(2, bytes[5]) ^ At(1, bytes[6]) ^ At(0, bytes[7]);
            bytes = bytes[Step..];
        }

        foreach (byte value in bytes)
            crc = crc << 8 ^ At(0, crc >> 24 ^ value);
        return crc;
    }

    // What a byte does to the sum when so many bytes follow it.
    private static uint At(int following, uint value) => Table[following * 256 + (int)(value & 0xff)];

    private static uint[] MakeTable()
    {
        var table = new uint[Step * 256];
        for (uint value = 0; value < 256; value++)
        {
            uint crc = value << 24;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 0x80000000) != 0 ? crc << 1 ^ Polynomial : crc << 1;
            table[value] = crc;
        }

        for (int entry = 256; entry < table.Length; entry++)
            table[entry] = table[entry - 256] << 8 ^ table[table[entry - 256] >> 24];
        return table;
    }
}
