using System.Text;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>Unix sockets with a name in the filesystem (unix(7)).</summary>
internal static unsafe class UnixSocket
{
    private const int AddressSize = 110; // sizeof(struct sockaddr_un)
    private const int LongestPath = 107;

    /// <summary>A socket connected to the one at <paramref name="path"/>, or null when nobody listens there.</summary>
    public static Descriptor? TryConnect(string path, int type)
    {
        byte* address = stackalloc byte[AddressSize];
        if (!TryFill(path, address))
            return null;
        var socket = new Descriptor(SystemCall.Check(Libc.Socket(Libc.AF_UNIX, type | Libc.SOCK_CLOEXEC, 0), "socket"));
        if (Libc.Connect(socket.Number, address, AddressSize) == 0)
            return socket;
        socket.Dispose();
        return null;
    }

    /// <summary>A socket that listens at <paramref name="path"/>, where nothing may be. Null, and why, when it cannot.</summary>
    public static Descriptor? TryListen(string path, int type, out Errno errno)
    {
        byte* address = stackalloc byte[AddressSize];
        errno = Errno.ENAMETOOLONG;
        if (!TryFill(path, address))
            return null;
        var socket = new Descriptor(SystemCall.Check(Libc.Socket(Libc.AF_UNIX, type | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK, 0), "socket"));
        if (Libc.Bind(socket.Number, address, AddressSize) == 0 && Libc.Listen(socket.Number, 16) == 0)
        {
            errno = Errno.Ok;
            return socket;
        }
        errno = SystemCall.LastError;
        socket.Dispose();
        return null;
    }

    /// <summary>The next caller of a listening socket, or null when there is none.</summary>
    public static Descriptor? TryAccept(Descriptor listener)
    {
        int number = Libc.Accept(listener.Number, null, null, Libc.SOCK_CLOEXEC);
        return number < 0 ? null : new Descriptor(number);
    }

    private static bool TryFill(string path, byte* address)
    {
        var all = new Span<byte>(address, AddressSize);
        all.Clear();
        if (Encoding.UTF8.GetByteCount(path) > LongestPath)
            return false;
        *(ushort*)address = Libc.AF_UNIX;
        Encoding.UTF8.GetBytes(path, all[2..]);
        return true;
    }
}
