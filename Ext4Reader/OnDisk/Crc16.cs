namespace Ext4Reader.OnDisk;

/// <summary>The 16-bit CRC (polynomial 0x8005, reflected) that guards group descriptors where uninit_bg is set.</summary>
internal static class Crc16
{
    private static readonly ushort[] Table = MakeTable();

    internal static ushort Append(ushort crc, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
            crc = (ushort)(crc >> 8 ^ Table[(crc ^ value) & 0xff]);
        return crc;
    }

    private static ushort[] MakeTable()
    {
        var table = new ushort[256];
        for (int value = 0; value < table.Length; value++)
        {
            int crc = value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1;
            table[value] = (ushort)crc;
        }

        return table;
    }
}
