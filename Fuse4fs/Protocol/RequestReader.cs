using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

/// <summary>Walks over the arguments of one request, each length checked. The bytes stay where the kernel put them.</summary>
internal ref struct RequestReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>
    /// Reads the header of <paramref name="message"/>. False when the message is no request: too short, or not as long as it says.
    /// </summary>
    public static bool TryOpen(ReadOnlySpan<byte> message, out RequestReader reader)
    {
        reader = default;
        if (message.Length < Unsafe.SizeOf<InHeader>())
            return false;
        reader.Header = MemoryMarshal.Read<InHeader>(message);
        if (reader.Header.Length != (uint)message.Length)
            return false;
        int extensions = reader.Header.TotalExtLength * 8;
        int arguments = message.Length - Unsafe.SizeOf<InHeader>();
        if (extensions > arguments)
            return false;
        reader._rest = message.Slice(Unsafe.SizeOf<InHeader>(), arguments - extensions);
        return true;
    }

    /// <summary>The same for a request inside of another, whose extensions, if it has any, count as the rest of its arguments.</summary>
    public static bool TryOpenPart(ReadOnlySpan<byte> message, out RequestReader reader)
    {
        reader = default;
        if (message.Length < Unsafe.SizeOf<InHeader>())
            return false;
        reader.Header = MemoryMarshal.Read<InHeader>(message);
        reader._rest = message[Unsafe.SizeOf<InHeader>()..];
        return true;
    }

    /// <summary>The request's header.</summary>
    public InHeader Header { get; private set; }

    /// <summary>What has not been read yet. Extensions do not count.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>The next argument, a structure. False when the message ends before it does.</summary>
    public bool TryRead<T>(out T argument)
        where T : unmanaged
    {
        if (!MemoryMarshal.TryRead(_rest, out argument))
            return false;
        _rest = _rest[Unsafe.SizeOf<T>()..];
        return true;
    }

    /// <summary>Passes over an argument. False when the message ends before it does.</summary>
    public bool TrySkip(int length)
    {
        if (length > _rest.Length)
            return false;
        _rest = _rest[length..];
        return true;
    }

    /// <summary>The next argument, a name without its NUL. False when there is no NUL or no name.</summary>
    public bool TryReadName(out ReadOnlySpan<byte> name)
    {
        int end = _rest.IndexOf((byte)0);
        if (end <= 0)
        {
            name = default;
            return false;
        }
        name = _rest[..end];
        _rest = _rest[(end + 1)..];
        return true;
    }
}
