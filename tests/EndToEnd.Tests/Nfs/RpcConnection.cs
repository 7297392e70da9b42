using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EndToEnd.Tests.Nfs;

/// <summary>Remote procedure calls over TCP (RFC 5531), one after the other, as root. Whoever does not answer within half a minute is an error.</summary>
internal sealed class RpcConnection : IDisposable
{
    private const uint Version = 2, LastFragment = 0x80000000, UnixCredentials = 1;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000, SendTimeout = 30_000, NoDelay = true };
    private readonly uint _program;
    private readonly uint _programVersion;
    private uint _call;

    public RpcConnection(int port, uint program, uint version)
    {
        (_program, _programVersion) = (program, version);
        try
        {
            _socket.Connect(IPAddress.Loopback, port);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Calls a procedure and answers what comes behind the header of an accepted call.</summary>
    public XdrReader Call(uint procedure, XdrWriter arguments)
    {
        XdrWriter credentials = new XdrWriter().Add(0u).AddText("tests").Add(0u).Add(0u).Add(0u); // stamp, machine, uid, gid, no further groups
        byte[] call = new XdrWriter()
            .Add(++_call).Add(0u).Add(Version).Add(_program).Add(_programVersion).Add(procedure)
            .Add(UnixCredentials).AddCounted(credentials.ToArray())
            .Add(0u).Add(0u) // no verifier
            .Add(arguments.ToArray()).ToArray();
        Send([.. new XdrWriter().Add((uint)call.Length | LastFragment).ToArray(), .. call]);
        var reply = new XdrReader(Receive());
        (uint number, uint type, uint denied) = (reply.Word(), reply.Word(), reply.Word());
        _ = reply.Word(); // the verifier
        _ = reply.Counted();
        uint status = reply.Word();
        return (number, type, denied, status) == (_call, 1u, 0u, 0u)
            ? reply : throw new InvalidDataException($"call {_call} of procedure {procedure}: reply {number}, type {type}, denied {denied}, status {status}");
    }

    public void Dispose() => _socket.Dispose();

    private void Send(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[_socket.Send(bytes)..];
    }

    private byte[] Receive()
    {
        List<byte> whole = [];
        uint header;
        do
        {
            header = BinaryPrimitives.ReadUInt32BigEndian(Exactly(4));
            whole.AddRange(Exactly((int)(header & ~LastFragment)));
        }
        while ((header & LastFragment) == 0);
        return [.. whole];
    }

    private byte[] Exactly(int count)
    {
        byte[] bytes = new byte[count];
        for (int have = 0; have < count;)
        {
            int got = _socket.Receive(bytes.AsSpan(have));
            have += got != 0 ? got : throw new EndOfStreamException("the server has closed the connection");
        }
        return bytes;
    }
}
