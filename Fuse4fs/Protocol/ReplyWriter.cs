using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

/// <summary>
/// One reply in one buffer: the header, then a structure or a payload that the filesystem writes in place, so that a reply leaves
/// with one write and data is copied once.
/// </summary>
internal ref struct ReplyWriter
{
    private readonly Span<byte> _buffer;
    private readonly ulong _unique;

    /// <param name="buffer">Room for the header and the largest payload.</param>
    /// <param name="unique">The request's, bit 63 included.</param>
    public ReplyWriter(Span<byte> buffer, ulong unique)
    {
        _buffer = buffer;
        _unique = unique;
    }

    /// <summary>Bytes of the reply's header.</summary>
    public static int HeaderSize => Unsafe.SizeOf<OutHeader>();

    /// <summary>Room for <paramref name="size"/> bytes behind the header, or less where the buffer is smaller.</summary>
    public readonly Span<byte> Payload(uint size) =>
        _buffer.Slice(HeaderSize, (int)Math.Min(size, (uint)(_buffer.Length - HeaderSize)));

    /// <summary>The place of the reply's structure, zeroed.</summary>
    public readonly ref T Structure<T>()
        where T : unmanaged
    {
        Span<byte> place = _buffer.Slice(HeaderSize, Unsafe.SizeOf<T>());
        place.Clear();
        return ref MemoryMarshal.AsRef<T>(place);
    }

    /// <summary>Ends a reply that is the structure filled before. Answers the bytes to write.</summary>
    public readonly int Send<T>()
        where T : unmanaged => Send(Unsafe.SizeOf<T>());

    /// <summary>Ends a reply of <paramref name="count"/> payload bytes. Answers the bytes to write.</summary>
    public readonly int Send(int count) => Finish(HeaderSize + count, Errno.Ok);

    /// <summary>Ends a reply that is an error, or an empty success. Answers the bytes to write.</summary>
    public readonly int Send(Errno errno) => Finish(HeaderSize, errno);

    private readonly int Finish(int length, Errno errno)
    {
        var header = new OutHeader { Length = (uint)length, Error = -(int)errno, Unique = _unique };
        MemoryMarshal.Write(_buffer, in header);
        return length;
    }
}
