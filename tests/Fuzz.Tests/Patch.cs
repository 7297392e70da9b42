using System.Buffers.Binary;

namespace Fuzz.Tests;

/// <summary>Changes to the bytes of an image that can be undone.</summary>
internal sealed class Patch(byte[] bytes)
{
    private readonly List<(int Offset, byte[] Before)> _changes = [];

    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>The ranges that were changed.</summary>
    public IEnumerable<(int Offset, int Length)> Changes => _changes.Select(change => (change.Offset, change.Before.Length));

    public void Write(int offset, ReadOnlySpan<byte> value)
    {
        _changes.Add((offset, bytes.AsSpan(offset, value.Length).ToArray()));
        value.CopyTo(bytes.AsSpan(offset));
    }

    /// <summary>Writes the low bytes of a little-endian number.</summary>
    public void Write(int offset, int width, ulong value)
    {
        Span<byte> raw = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(raw, value);
        Write(offset, raw[..width]);
    }

    public ulong Read(int offset, int width)
    {
        ulong value = 0;
        for (int index = width - 1; index >= 0; index--)
            value = (value << 8) | bytes[offset + index];
        return value;
    }

    public void Undo()
    {
        for (int index = _changes.Count - 1; index >= 0; index--)
            _changes[index].Before.CopyTo(bytes.AsSpan(_changes[index].Offset));
    }
}
