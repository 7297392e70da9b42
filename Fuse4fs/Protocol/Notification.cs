using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

/// <summary>
/// Messages to the kernel that answer nothing: <c>unique</c> 0 and a positive code in place of the error
/// (include/uapi/linux/fuse.h, enum fuse_notify_code).
/// </summary>
internal static class Notification
{
    private const int ResendCode = 7;

    /// <summary>Bytes of <see cref="Resend"/>.</summary>
    public static int ResendSize => Unsafe.SizeOf<OutHeader>();

    /// <summary>
    /// RESEND (protocol 7.40): every request that was read and not answered is queued again, bit 63 of its <c>unique</c> set,
    /// for whoever reads next. Written by the supervisor alone.
    /// </summary>
    public static void Resend(Span<byte> destination)
    {
        var header = new OutHeader { Length = (uint)ResendSize, Error = ResendCode, Unique = 0 };
        MemoryMarshal.Write(destination, in header);
    }
}
