using System.Buffers.Binary;
using System.Numerics;

namespace Ext4Reader.OnDisk;

/// <summary>CRC-32C as ext4 uses it: the running value is neither inverted before nor after.</summary>
internal static class Crc32c
{
    /// <summary>What ext4 starts a chain of checksums with.</summary>
    internal const uint Start = uint.MaxValue;

    internal static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes)
            crc = BitOperations.Crc32C(crc, value);
        return crc;
    }

    /// <summary>Continues with the four bytes of a little-endian number.</summary>
    internal static uint Append(uint crc, uint number) => BitOperations.Crc32C(crc, number);

    /// <summary>Continues with the eight bytes of a little-endian number.</summary>
    internal static uint Append(uint crc, ulong number) => BitOperations.Crc32C(crc, number);
}
