using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>ext4's integers: little-endian, at a byte offset, some of them torn into two fields.</summary>
internal static class LittleEndian
{
    internal static ushort U16(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(raw[offset..]);

    internal static uint U32(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(raw[offset..]);

    /// <summary>A number kept as its low 16 bits at one place and its high 16 bits at another.</summary>
    internal static uint U32(ReadOnlySpan<byte> raw, int low, int high) => U16(raw, low) | (uint)U16(raw, high) << 16;

    /// <summary>A number kept as its low 32 bits at one place and its high 16 bits at another.</summary>
    internal static ulong U48(ReadOnlySpan<byte> raw, int low, int high) => U32(raw, low) | (ulong)U16(raw, high) << 32;

    /// <summary>A number kept as its low 32 bits at one place and its high 32 bits at another.</summary>
    internal static ulong U64(ReadOnlySpan<byte> raw, int low, int high) => U32(raw, low) | (ulong)U32(raw, high) << 32;
}
