namespace Ext4Reader.Partitions;

/// <summary>The CRC-32 of IEEE 802.3, which GPT shares with zip (ext4 uses another, CRC-32C).</summary>
internal static class Crc32
{
    private const uint Polynomial = 0xedb8_8320;

    private static readonly uint[] Table = MakeTable();

    internal static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte one in bytes)
            crc = Table[(byte)(crc & 0xff) ^ one] ^ crc >> 8;
        return ~crc;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < table.Length; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ Polynomial : crc >> 1;
            table[i] = crc;
        }

        return table;
    }
}
