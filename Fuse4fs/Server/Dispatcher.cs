using System.Runtime.CompilerServices;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Handles;

namespace Fuse4fs.Server;

/// <summary>
/// The one place where a request becomes a call: decode, call, encode; one switch, one catch. Pure: bytes in, bytes out, so it
/// runs over a device and over a test alike.
/// </summary>
/// <param name="files">The operations.</param>
/// <param name="faults">What goes wrong.</param>
/// <param name="handles">How handles are told to the kernel; null where it knows nothing of them, which costs requests nothing.</param>
internal sealed partial class Dispatcher(IFileSystem files, FaultLog faults, HandleService? handles = null)
{
    private const uint KeepCache = 1 << 1; // FOPEN_KEEP_CACHE
    private const uint NoFlush = 1 << 5;   // FOPEN_NOFLUSH
    private const int NoReply = 0;

    private readonly int _listedHandle = handles is { Dialect: Dialect.RfcV2Finished } ? HandleCodec.Size : 0;

    /// <summary>Whether replies to READDIRPLUS have handles in them.</summary>
    public bool ListsHandles => _listedHandle != 0;

    /// <summary>Answers one request.</summary>
    /// <param name="request">The whole message.</param>
    /// <param name="reply">Room for a header and the largest payload; must not overlap the request.</param>
    /// <returns>Bytes of <paramref name="reply"/> to send; 0 for none, where the kernel expects none.</returns>
    public int Dispatch(ReadOnlySpan<byte> request, Span<byte> reply)
    {
        if (!RequestReader.TryOpen(request, out RequestReader reader))
        {
            faults.BadMessage(request.Length);
            return NoReply; // there is no telling what it would answer
        }
        var writer = new ReplyWriter(reply, reader.Header.Unique);
#pragma warning disable CA1031 // whatever an image does to us, the kernel gets an answer and the next request is served
        try
        {
            return Answer(new NodeId(reader.Header.NodeId), ref reader, writer);
        }
        catch (Exception e)
        {
            return writer.Send(faults.Explain(e, reader.Header.Opcode, reader.Header.NodeId));
        }
#pragma warning restore CA1031
    }

    private int Answer(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Lookup:
                return Lookup(node, ref request, reply);
            case Opcode.GetAttr:
                return Reply<AttrOut>(reply, files.GetAttributes(node, ref reply.Structure<AttrOut>()));
            case Opcode.StatX:
                return Reply<StatxOut>(reply, files.GetExtendedAttributes(node, ref reply.Structure<StatxOut>()));
            case Opcode.Open:
                return Open(node, reply);
            case Opcode.Read:
                return Read(node, ref request, reply);
            case Opcode.ReadDirPlus:
                return ReadDirectory(node, plus: true, ref request, reply);
            case Opcode.ReadDir:
                return ReadDirectory(node, plus: false, ref request, reply);
            case Opcode.ReadLink:
                return Reply(reply, files.ReadLink(node, reply.Payload(Limits.LongestLink), out int length), length);
            case Opcode.GetXattr:
                return GetXattr(node, ref request, reply);
            case Opcode.ListXattr:
                return ListXattr(node, ref request, reply);
            case Opcode.StatFs:
                return Reply<StatFsOut>(reply, files.GetStatistics(ref reply.Structure<StatFsOut>()));
            case Opcode.LSeek:
                return Seek(node, ref request, reply);
            case Opcode.IoCtl:
                return Ioctl(node, ref request, reply);
            case Opcode.Access:
                return request.TryRead(out AccessIn access) ? reply.Send(files.Access(node, access.Mask)) : Truncated(reply);

            // The server keeps no counts and runs requests to their end: nothing to do, and the kernel expects no reply.
            case Opcode.Forget:
            case Opcode.BatchForget:
            case Opcode.Interrupt:
            case Opcode.NotifyReply:
                return NoReply;

            case Opcode.Release:
            case Opcode.ReleaseDir:
            case Opcode.Destroy:
                return reply.Send(Errno.Ok);

            case Opcode.LookupHandle when handles is not null:
                return AnswerWithHandle(node, ref request, reply, handles);

            case Opcode.SymLink:
            case Opcode.MkNod:
            case Opcode.MkDir:
            case Opcode.Link:
            case Opcode.Create:
            case Opcode.TmpFile:
                return RefuseToMake(node, ref request, reply);

            case Opcode.SetAttr:
            case Opcode.Unlink:
            case Opcode.RmDir:
            case Opcode.Rename:
            case Opcode.Rename2:
            case Opcode.Write:
            case Opcode.SetXattr:
            case Opcode.RemoveXattr:
            case Opcode.FAllocate:
            case Opcode.CopyFileRange:
            case Opcode.CopyFileRange64:
                return reply.Send(Errno.EROFS);

            // ENOSYS is an answer that the kernel remembers for the whole connection. To OPEN and OPENDIR: no server is asked any more, pages and
            // listings stay cached between opens, and there is no open id that a restart could lose; where some files cannot be opened, OPEN is
            // answered, without an id. To FLUSH, FSYNC and FSYNCDIR: success
            // without a message.
            case Opcode.OpenDir:
            case Opcode.Flush:
            case Opcode.FSync:
            case Opcode.FSyncDir:
            default:
                return reply.Send(Errno.ENOSYS);
        }
    }

    private int Open(NodeId node, ReplyWriter reply)
    {
        // As where OPEN is not answered: pages stay cached between opens, and closing is nobody's concern.
        reply.Structure<OpenOut>().OpenFlags = KeepCache | NoFlush;
        return Reply<OpenOut>(reply, files.Open(node));
    }

    private int Lookup(NodeId parent, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryReadName(out ReadOnlySpan<byte> name))
            return Truncated(reply);
        return name.Length > Limits.LongestName
            ? reply.Send(Errno.ENAMETOOLONG)
            : Reply<EntryOut>(reply, files.Lookup(parent, name, ref reply.Structure<EntryOut>()));
    }

    private int Read(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out ReadIn read))
            return Truncated(reply);
        return read.Offset > long.MaxValue
            ? reply.Send(Errno.EINVAL)
            : Reply(reply, files.Read(node, (long)read.Offset, reply.Payload(read.Size), out int count), count);
    }

    private int ReadDirectory(NodeId node, bool plus, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out ReadIn read))
            return Truncated(reply);
        var names = new DirectoryWriter(reply.Payload(read.Size), plus, _listedHandle);
        Errno errno;
#pragma warning disable CA1031 // whatever it is, it is met again by the next request, which starts where this one ends
        try
        {
            errno = files.ReadDirectory(node, read.Offset, plus, ref names);
        }
        catch (Exception) when (names.Count > 0)
        {
            errno = Errno.Ok;
        }
#pragma warning restore CA1031
        if (plus && _listedHandle != 0)
        {
            if (!handles!.Fits)
                return reply.Send(Errno.EOVERFLOW);
            AddHandles(reply.Payload((uint)names.Count), handles);
        }
        return Reply(reply, errno, names.Count);
    }

    private int GetXattr(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out GetXattrIn xattr) || !request.TryReadName(out ReadOnlySpan<byte> name))
            return Truncated(reply);
        return Sized(reply, files.GetXattr(node, name, reply.Payload(xattr.Size), out int length), xattr.Size, length);
    }

    private int ListXattr(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out GetXattrIn xattr))
            return Truncated(reply);
        bool withTrusted = request.Header.UserId == 0;
        return Sized(reply, files.ListXattrs(node, withTrusted, reply.Payload(xattr.Size), out int length), xattr.Size, length);
    }

    private int Seek(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out LSeekIn seek))
            return Truncated(reply);
        if (seek.Offset > long.MaxValue)
            return reply.Send(Errno.ENXIO);
        Errno errno = files.Seek(node, (long)seek.Offset, seek.Whence, out long result);
        reply.Structure<LSeekOut>().Offset = (ulong)Math.Max(result, 0);
        return Reply<LSeekOut>(reply, errno);
    }

    private int Ioctl(NodeId node, ref RequestReader request, ReplyWriter reply)
    {
        if (!request.TryRead(out IoctlIn ioctl))
            return Truncated(reply);
        _ = reply.Structure<IoctlOut>();
        int head = Unsafe.SizeOf<IoctlOut>();
        Span<byte> output = reply.Payload((uint)head + Math.Min(ioctl.OutSize, Limits.LongestIoctl))[head..];
        Errno errno = files.Ioctl(node, ioctl.Command, output, out int length);
        return Reply(reply, errno, head + length);
    }

    // Names and values whose size is asked for first (size 0) and which must fit afterwards.
    private static int Sized(ReplyWriter reply, Errno errno, uint room, int length)
    {
        if (errno != Errno.Ok)
            return reply.Send(errno);
        if (room != 0)
            return (uint)length > room ? reply.Send(Errno.ERANGE) : reply.Send(length);
        reply.Structure<GetXattrOut>().Size = (uint)length;
        return reply.Send<GetXattrOut>();
    }

    private static int Reply<T>(ReplyWriter reply, Errno errno)
        where T : unmanaged => errno == Errno.Ok ? reply.Send<T>() : reply.Send(errno);

    private static int Reply(ReplyWriter reply, Errno errno, int count) => errno == Errno.Ok ? reply.Send(count) : reply.Send(errno);

    // A message whose arguments are not all there is the kernel's bug or ours, never the caller's.
    private int Truncated(ReplyWriter reply)
    {
        faults.BadMessage(0);
        return reply.Send(Errno.EIO);
    }
}
