using System.Buffers.Binary;

namespace EndToEnd.Tests.Nfs;

/// <summary>Writes the forms of RFC 4506: big-endian, in steps of four bytes.</summary>
internal sealed class XdrWriter
{
    private readonly List<byte> _bytes = [];

    public byte[] ToArray() => _bytes.ToArray();

    public XdrWriter Add(uint value)
    {
        Span<byte> raw = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(raw, value);
        return Add(raw);
    }

    public XdrWriter Add(ulong value) => Add((uint)(value >> 32)).Add((uint)(value & uint.MaxValue));

    /// <summary>Bytes whose number is not told: it is a constant.</summary>
    public XdrWriter Add(ReadOnlySpan<byte> constant)
    {
        _bytes.AddRange(constant);
        _bytes.AddRange(new byte[-constant.Length & 3]);
        return this;
    }

    public XdrWriter AddCounted(ReadOnlySpan<byte> bytes) => Add((uint)bytes.Length).Add(bytes);

    public XdrWriter AddText(string latin1) => AddCounted(System.Text.Encoding.Latin1.GetBytes(latin1));
}

/// <summary>Reads them; whatever is too short throws.</summary>
internal sealed class XdrReader(ReadOnlyMemory<byte> bytes)
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public byte[] Rest => _rest.ToArray();

    public uint Word() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong Long() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public bool Flag() => Word() != 0;

    public byte[] Constant(int length)
    {
        byte[] value = Take(length).ToArray();
        _ = Take(-length & 3);
        return value;
    }

    public byte[] Counted() => Constant(checked((int)Word()));

    public string Text() => System.Text.Encoding.Latin1.GetString(Counted());

    private ReadOnlySpan<byte> Take(int length)
    {
        ReadOnlySpan<byte> taken = _rest.Span[..length];
        _rest = _rest[length..];
        return taken;
    }
}
