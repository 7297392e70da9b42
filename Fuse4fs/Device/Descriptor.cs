using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Fuse4fs.Device;

/// <summary>An open file descriptor and what is done with one. Closed by <see cref="Dispose"/>, once.</summary>
internal sealed unsafe class Descriptor : IDisposable
{
    private int _number;

    /// <param name="number">The descriptor, which this object owns from now on.</param>
    public Descriptor(int number) => _number = number;

    /// <summary>The descriptor's number.</summary>
    public int Number => _number >= 0 ? _number : throw new ObjectDisposedException(nameof(Descriptor));

    /// <summary>Hands the descriptor over to an object of the class library's. This one is as good as closed.</summary>
    public SafeFileHandle ToFileHandle()
    {
        var handle = new SafeFileHandle(Number, ownsHandle: true);
        _number = -1;
        return handle;
    }

    /// <summary>Whether it is closed.</summary>
    public bool IsClosed => _number < 0;

    /// <summary>Opens a path, close-on-exec. On failure null, and what stands in the way.</summary>
    public static Descriptor? TryOpen(string path, int flags, out Errno errno, uint mode = 0)
    {
        int number;
        do
        {
            number = Libc.Open(path, flags | Libc.O_CLOEXEC, mode);
            errno = number < 0 ? (Errno)Marshal.GetLastPInvokeError() : Errno.Ok;
        }
        while (errno == Errno.EINTR);
        return number < 0 ? null : new Descriptor(number);
    }

    /// <summary>Both ends of a connected pair of sockets that keep the borders of messages.</summary>
    public static (Descriptor Ours, Descriptor Theirs) SocketPair(int type)
    {
        int* ends = stackalloc int[2];
        SystemCall.Check(Libc.SocketPair(Libc.AF_UNIX, type | Libc.SOCK_CLOEXEC, 0, ends), "socketpair");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>Both ends of a pipe.</summary>
    public static (Descriptor Read, Descriptor Write) Pipe()
    {
        int* ends = stackalloc int[2];
        SystemCall.Check(Libc.Pipe(ends, Libc.O_CLOEXEC), "pipe2");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>Another descriptor of the same open file.</summary>
    /// <param name="least">The lowest number it may get.</param>
    public Descriptor Duplicate(int least = 3) =>
        new(SystemCall.Check(Libc.FControl(Number, Libc.F_DUPFD_CLOEXEC, least), "fcntl(F_DUPFD_CLOEXEC)"));

    /// <summary>read(2), taken up again after signals. Bytes read, 0 at the end, or -1 and the error.</summary>
    public int Read(Span<byte> destination, out Errno errno)
    {
        fixed (byte* start = destination)
        {
            nint count;
            do
            {
                count = Libc.Read(Number, start, (nuint)destination.Length);
                errno = count < 0 ? (Errno)Marshal.GetLastPInvokeError() : Errno.Ok;
            }
            while (errno == Errno.EINTR);
            return (int)count;
        }
    }

    /// <summary>pread(2), as far as there is anything. Bytes read; an error ends it like the end of the file.</summary>
    public int ReadAt(Span<byte> destination, long offset)
    {
        fixed (byte* start = destination)
        {
            int done = 0;
            while (done < destination.Length)
            {
                nint count = Libc.ReadAt(Number, start + done, (nuint)(destination.Length - done), offset + done);
                if (count > 0)
                    done += (int)count;
                else if (count == 0 || SystemCall.LastError != Errno.EINTR)
                    break;
            }
            return done;
        }
    }

    /// <summary>write(2), taken up again after signals; short writes are carried on with.</summary>
    public Errno Write(ReadOnlySpan<byte> source)
    {
        fixed (byte* start = source)
        {
            int done = 0;
            while (done < source.Length)
            {
                nint count = Libc.Write(Number, start + done, (nuint)(source.Length - done));
                if (count >= 0)
                {
                    done += (int)count;
                    continue;
                }
                var errno = (Errno)Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                    return errno;
            }
            return Errno.Ok;
        }
    }

    /// <summary>poll(2), taken up again after signals (with the whole time anew). How many descriptors have something to say.</summary>
    /// <param name="watched">A negative descriptor is passed over.</param>
    /// <param name="milliseconds">-1: for ever.</param>
    public static int Poll(Span<Libc.PollFd> watched, int milliseconds)
    {
        fixed (Libc.PollFd* first = watched)
        {
            int count;
            do
                count = Libc.Poll(first, (nuint)watched.Length, milliseconds);
            while (count < 0 && SystemCall.LastError == Errno.EINTR);
            return SystemCall.Check(count, "poll");
        }
    }

    /// <summary>Waits until there is something to read or the other side is gone. False when the time is over first.</summary>
    /// <param name="milliseconds">-1: for ever.</param>
    public bool WaitReadable(int milliseconds) => Poll([new Libc.PollFd { Descriptor = Number, Events = Libc.POLLIN }], milliseconds) > 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        int number = Interlocked.Exchange(ref _number, -1);
        if (number >= 0)
            _ = Libc.Close(number);
    }
}
