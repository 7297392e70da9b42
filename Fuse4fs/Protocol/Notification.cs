using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

/// <summary>
/// Messages to the kernel that answer nothing: <c>unique</c> 0 and a positive code in place of the error
/// (include/uapi/linux/fuse.h, enum fuse_notify_code).
/// </summary>
internal static class Notification
{
    /// <summary>Bytes of the longest notification made here.</summary>
    public const int MostBytes = 40;

    private const int InvalInodeCode = 2;
    private const int ResendCode = 7;
    private const int IncEpochCode = 8;
    private const int RestartedCode = 10;

    /// <summary>
    /// RESEND (protocol 7.40): every request that was read and not answered is queued again, bit 63 of its <c>unique</c> set,
    /// for whoever reads next. Written by the supervisor alone.
    /// </summary>
    public static int Resend(Span<byte> destination) => Header(destination, ResendCode, 0);

    /// <summary>
    /// INC_EPOCH (protocol 7.44): no cached name and no cached listing is believed any more; each is looked up again when it is next used. Costs
    /// nothing now. Mounts on our directories are detached at the next walk, and an overlayfs above us never recovers.
    /// </summary>
    public static int IncEpoch(Span<byte> destination) => Header(destination, IncEpochCode, 0);

    /// <summary>
    /// RESTARTED (only kernels with the finished form of LOOKUP_HANDLE): before a node or a name is used again, the kernel asks whether it is what it was, once each.
    /// Costs nothing now. What is gone is bad from then on; mounts on our directories stay.
    /// </summary>
    public static int Restarted(Span<byte> destination) => Header(destination, RestartedCode, 0);

    /// <summary>INVAL_INODE: the attributes and ACLs of a node are not believed any more. Never blocks.</summary>
    public static int InvalAttributes(Span<byte> destination, ulong nodeId) => InvalInode(destination, nodeId, offset: -1);

    /// <summary>
    /// INVAL_INODE: attributes, ACLs and all pages of a node are dropped. Waits for pages that a READ is to fill: whoever answers those must not be the
    /// one who sends this.
    /// </summary>
    public static int InvalAll(Span<byte> destination, ulong nodeId) => InvalInode(destination, nodeId, offset: 0);

    private static int InvalInode(Span<byte> destination, ulong nodeId, long offset)
    {
        int header = Header(destination, InvalInodeCode, 3 * sizeof(ulong));
        MemoryMarshal.Write(destination[header..], in nodeId);
        MemoryMarshal.Write(destination[(header + 8)..], in offset);
        MemoryMarshal.Write(destination[(header + 16)..], 0L); // length 0: to the end
        return header + (3 * sizeof(ulong));
    }

    private static int Header(Span<byte> destination, int code, int payload)
    {
        var header = new OutHeader { Length = (uint)(Unsafe.SizeOf<OutHeader>() + payload), Error = code, Unique = 0 };
        MemoryMarshal.Write(destination, in header);
        return Unsafe.SizeOf<OutHeader>();
    }
}
