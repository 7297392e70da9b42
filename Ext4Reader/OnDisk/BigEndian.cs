using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>The journal's integers: big-endian, at a byte offset.</summary>
internal static class BigEndian
{
    internal static ushort U16(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt16BigEndian(raw[offset..]);

    internal static uint U32(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt32BigEndian(raw[offset..]);

    internal static ulong U64(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt64BigEndian(raw[offset..]);
}
