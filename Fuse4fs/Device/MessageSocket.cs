using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>A connected Unix socket of whole messages, which may carry one open file each (unix(7), SCM_RIGHTS).</summary>
internal sealed unsafe class MessageSocket : IDisposable
{
    private const int ControlSize = 24; // CMSG_SPACE(sizeof(int)): length 8, level 4, type 4, descriptor 4, padding 4
    private const ulong ControlLength = 20; // CMSG_LEN(sizeof(int))

    /// <param name="descriptor">The socket, which this object owns from now on.</param>
    public MessageSocket(Descriptor descriptor) => Descriptor = descriptor;

    /// <summary>The socket's descriptor.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Sends one message. False when the other side is gone.</summary>
    public bool Send(ReadOnlySpan<byte> message, Descriptor? file = null)
    {
        ulong* control = stackalloc ulong[ControlSize / 8];
        fixed (byte* start = message)
        {
            var vector = new Libc.IoVector { Base = start, Length = (nuint)message.Length };
            var header = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1 };
            if (file is not null)
            {
                control[0] = ControlLength;
                ((int*)control)[2] = Libc.SOL_SOCKET;
                ((int*)control)[3] = Libc.SCM_RIGHTS;
                ((int*)control)[4] = file.Number;
                header.Control = control;
                header.ControlLength = ControlSize;
            }
            while (true)
            {
                if (Libc.SendMessage(Descriptor.Number, &header, Libc.MSG_NOSIGNAL) >= 0)
                    return true;
                switch (SystemCall.LastError)
                {
                    case Errno.EINTR:
                        continue;
                    default:
                        return false;
                }
            }
        }
    }

    /// <summary>
    /// Receives one message, waiting for it. The part of <paramref name="buffer"/> that it fills; empty when the other side is gone.
    /// </summary>
    /// <param name="buffer">A longer message is cut off.</param>
    /// <param name="file">The open file that came with it, or null.</param>
    public Span<byte> Receive(Span<byte> buffer, out Descriptor? file)
    {
        ulong* control = stackalloc ulong[ControlSize / 8];
        file = null;
        fixed (byte* start = buffer)
        {
            var vector = new Libc.IoVector { Base = start, Length = (nuint)buffer.Length };
            var header = new Libc.MessageHeader { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ControlSize };
            nint count;
            do
                count = Libc.ReceiveMessage(Descriptor.Number, &header, Libc.MSG_CMSG_CLOEXEC);
            while (count < 0 && SystemCall.LastError == Errno.EINTR);
            if (count <= 0)
                return [];
            if (header.ControlLength >= (nuint)ControlLength && ((int*)control)[2] == Libc.SOL_SOCKET && ((int*)control)[3] == Libc.SCM_RIGHTS)
                file = new Descriptor(((int*)control)[4]);
            return buffer[..(int)count];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();
}
