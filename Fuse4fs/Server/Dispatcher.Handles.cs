using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Handles;

namespace Fuse4fs.Server;

// Requests of the dialects with handles. A kernel that speaks none never sends one of them.
internal sealed partial class Dispatcher
{
    // LOOKUP_HANDLE of v2, and the compounds of v3 have the same number.
    private int AnswerWithHandle(NodeId node, ref RequestReader request, ReplyWriter reply, HandleService service) =>
        !service.Fits ? reply.Send(Errno.EOVERFLOW)
        : service.Dialect.IsV2() ? LookupHandle(node, ref request, reply, service)
        : service.Dialect == Dialect.RfcV3 ? AnswerCompound(ref request, reply, service)
        : reply.Send(Errno.ENOSYS);

    private int LookupHandle(NodeId parent, ref RequestReader request, ReplyWriter reply, HandleService service)
    {
        if (!request.TryReadName(out ReadOnlySpan<byte> name))
            return Truncated(reply);
        Errno errno = CheckParent(parent, RfcV2.TryReadParent(request.Rest, service.MaxSize, out ReadOnlySpan<byte> handle), handle, service);
        if (errno != Errno.Ok)
            return reply.Send(errno);
        if (name.Length > Limits.LongestName)
            return reply.Send(Errno.ENAMETOOLONG);
        ref EntryOut entry = ref reply.Structure<EntryOut>();
        errno = files.Lookup(parent, name, ref entry);
        return errno == Errno.Ok ? SendEntry(entry.NodeId, reply, service) : reply.Send(errno);
    }

    private static int SendEntry(ulong nodeId, ReplyWriter reply, HandleService service)
    {
        if (nodeId == NodeId.Root.Value && !service.Dialect.MayNameRoot())
            return reply.Send(Errno.EIO);
        int size = nodeId == 0 ? 0 : HandleCodec.Size; // a name that is not there has none
        Span<byte> body = reply.Payload((uint)RfcV2.ReplySize(size));
        if (!RfcV2.TryPlaceHandle(body, size, service.MaxSize, out Span<byte> place))
            return reply.Send(Errno.EOVERFLOW);
        if (size != 0)
            service.Encode(nodeId, place);
        return reply.Send(body.Length);
    }

    // What makes something is refused, but not before it is clear that its place is what the caller means.
    private int RefuseToMake(NodeId parent, ref RequestReader request, ReplyWriter reply)
    {
        if (handles is null || !handles.Dialect.IsV2())
            return reply.Send(Errno.EROFS);
        if (!RfcV2.TrySkipArguments(ref request))
            return Truncated(reply);
        Errno errno = CheckParent(parent, RfcV2.TryReadParent(request.Rest, handles.MaxSize, out ReadOnlySpan<byte> handle), handle, handles);
        return reply.Send(errno == Errno.Ok ? Errno.EROFS : errno);
    }

    private static void AddHandles(Span<byte> listing, HandleService service)
    {
        while (!listing.IsEmpty)
        {
            Span<byte> place = RfcV2.NextListed(ref listing, HandleCodec.Size, out ulong nodeId);
            if (nodeId != 0)
                service.Encode(nodeId, place);
        }
    }

    private int AnswerCompound(ref RequestReader request, ReplyWriter reply, HandleService service)
    {
        HandleProblem problem = CompoundReader.TryOpen(ref request, out CompoundReader parts);
        if (problem != HandleProblem.None)
            return reply.Send(Malformed(problem));
        if ((parts.Flags & ~CompoundReader.KnownFlags) != 0)
            return reply.Send(Errno.EOPNOTSUPP);
        reply.Structure<CompoundOut>().Count = (uint)parts.Count;
        Span<byte> body = reply.Payload(uint.MaxValue);
        int end = Unsafe.SizeOf<CompoundOut>();
        long room = (long)parts.Room + end + (parts.Count * ReplyWriter.HeaderSize);
        ulong found = 0;
        bool failed = false;
        while (parts.TryNext(out RequestReader part))
        {
            var own = new ReplyWriter(body[end..], part.Header.Unique);
            int length = failed ? own.Send(Errno.ECANCELED) : AnswerPart(ref part, ref found, own, service);
            failed |= MemoryMarshal.Read<OutHeader>(body[end..]).Error != 0;
            end += length;
            if (end > room)
                return reply.Send(Errno.EOVERFLOW);
        }
        return reply.Send(end);
    }

    // Parts run in their order. The kernel names the root in those that are to go on with what the first one finds. Whatever it may put together, only what it
    // does is supported, and its like: their replies are small, so that all have room.
    private int AnswerPart(ref RequestReader part, ref ulong found, ReplyWriter reply, HandleService service)
    {
        var node = new NodeId(part.Header.NodeId);
        switch (part.Header.Opcode)
        {
            case RfcV3.LookupHandle:
            case RfcV3.MakeObjectHandle:
                return FindPart(node, ref part, ref found, reply, service);
            case Opcode.StatX:
            case Opcode.GetAttr:
            case Opcode.Open:
                return Answer(node.IsRoot && found != 0 ? new NodeId(found) : node, ref part, reply);
            default:
                return reply.Send(Errno.EOPNOTSUPP);
        }
    }

    private int FindPart(NodeId parent, ref RequestReader part, ref ulong found, ReplyWriter reply, HandleService service)
    {
        if (!RfcV3.TryReadName(ref part, out ReadOnlySpan<byte> name))
            return Truncated(reply);
        Errno errno = CheckParent(parent, RfcV3.TryReadParent(part.Rest, out ReadOnlySpan<byte> handle), handle, service);
        if (errno != Errno.Ok)
            return reply.Send(errno);
        if (part.Header.Opcode == RfcV3.MakeObjectHandle)
            return reply.Send(Errno.EROFS);
        if (name.Length > Limits.LongestName)
            return reply.Send(Errno.ENAMETOOLONG);
        EntryOut entry = default;
        errno = files.Lookup(parent, name, ref entry);
        if (errno != Errno.Ok)
            return reply.Send(errno);
        if (entry.NodeId == 0)
            return reply.Send(Errno.ENOENT); // a success without a node is more than this kernel understands
        if (!RfcV3.TryWriteEntry(reply.Payload(RfcV3.EntrySize), entry, HandleCodec.Size, out Span<byte> place))
            return reply.Send(Errno.EOVERFLOW);
        service.Encode(entry.NodeId, place);
        found = entry.NodeId;
        return reply.Send(RfcV3.EntrySize);
    }

    private Errno CheckParent(NodeId parent, HandleProblem problem, ReadOnlySpan<byte> handle, HandleService service) =>
        problem != HandleProblem.None ? Malformed(problem)
        : service.IsOf(parent, handle) ? Errno.Ok
        : Errno.ESTALE;

    private Errno Malformed(HandleProblem problem)
    {
        faults.BadHandle(problem);
        return Errno.EIO;
    }
}
