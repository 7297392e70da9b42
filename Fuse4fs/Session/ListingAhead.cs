using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Fuse4fs.Server;

namespace Fuse4fs.Session;

/// <summary>
/// The next part of a long listing, made while the kernel digests the last one. It takes longer to make dentries and inodes of a reply to READDIRPLUS than we take to fill one,
/// and it asks for the next part only after that: so both work at the same time. Nothing that is made of an image goes out of date while a worker lives.
/// </summary>
/// <remarks>
/// One part at a time, whatever the number of threads and listings: so no more than one thread is ever busy with what nobody has asked for yet. A listing that is
/// never taken up again costs one part for nothing.
/// </remarks>
internal sealed class ListingAhead(Dispatcher dispatcher)
{
    private const int MostBytes = 64 * 1024; // getdents(2) of libc asks for 32 KiB
    private const int LongestRecord = 128 + 24 + 256; // READDIRPLUS: entry, dirent, name

    // Copied from and to buffers of the threads: what the kernel is handed is resident.
    private readonly byte[] _reply = new byte[MostBytes + LongestRecord];
    private readonly byte[] _request = new byte[HeaderSize + Unsafe.SizeOf<ReadIn>()];
    private int _length; // of the reply; 0 for none
    private int _taken; // by whoever has to do with the two above

    private static int HeaderSize => Unsafe.SizeOf<InHeader>();

    /// <summary>The reply to a request, if it is the one that was expected.</summary>
    /// <param name="request">A READDIRPLUS.</param>
    /// <param name="reply">Where the reply goes.</param>
    /// <param name="length">Its bytes.</param>
    public bool TryTake(ReadOnlySpan<byte> request, Span<byte> reply, out int length)
    {
        length = 0;
        if (request.Length != _request.Length || Interlocked.Exchange(ref _taken, 1) != 0)
            return false;
        if (_length != 0 && _length <= reply.Length && IsExpected(request))
        {
            length = _length;
            _length = 0;
            _reply.AsSpan(0, length).CopyTo(reply);
            MemoryMarshal.AsRef<OutHeader>(reply).Unique = Header(request).Unique;
        }
        Volatile.Write(ref _taken, 0);
        return length != 0;
    }

    /// <summary>Makes what will be asked for next, if a listing was cut off for lack of room.</summary>
    /// <param name="request">The READDIRPLUS that was answered.</param>
    /// <param name="reply">Its whole reply.</param>
    public void Prepare(ReadOnlySpan<byte> request, ReadOnlySpan<byte> reply)
    {
        if (dispatcher.ListsHandles || request.Length != _request.Length || MemoryMarshal.Read<OutHeader>(reply).Error != 0)
            return;
        uint size = Arguments(request).Size;
        ReadOnlySpan<byte> names = reply[ReplyWriter.HeaderSize..];
        if (size > MostBytes || names.IsEmpty || names.Length + LongestRecord <= size || Interlocked.Exchange(ref _taken, 1) != 0)
            return;
        request.CopyTo(_request);
        MemoryMarshal.AsRef<ReadIn>(_request.AsSpan(HeaderSize)).Offset = DirectoryWriter.LastCookie(names);
        int length = dispatcher.Dispatch(_request, _reply);
        _length = length != 0 && MemoryMarshal.Read<OutHeader>(_reply).Error == 0 ? length : 0;
        Volatile.Write(ref _taken, 0);
    }

    private bool IsExpected(ReadOnlySpan<byte> request) =>
        Header(request).NodeId == Header(_request).NodeId
        && Arguments(request).Offset == Arguments(_request).Offset
        && Arguments(request).Size == Arguments(_request).Size;

    private static InHeader Header(ReadOnlySpan<byte> request) => MemoryMarshal.Read<InHeader>(request);

    private static ReadIn Arguments(ReadOnlySpan<byte> request) => MemoryMarshal.Read<ReadIn>(request[HeaderSize..]);
}
