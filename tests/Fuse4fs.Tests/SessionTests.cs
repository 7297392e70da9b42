using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>The session over a socket pair that keeps message borders and hangs up as /dev/fuse does.</summary>
public sealed class SessionTests : IDisposable
{
    private readonly FakeFileSystem _files = new();
    private readonly SessionState _state = SessionState.Create(new ServeOptions { UserId = -1 }, tableBytes: 1 << 20);
    private readonly byte[] _reply = new byte[8192];

    [Fact]
    public void Requests_are_answered_until_the_device_hangs_up()
    {
        using var connection = new Connection(this, new Gate(isOpen: true));
        for (int i = 0; i < 1000; i++)
            Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(connection.Ask(Lookup())).NodeId);
        connection.HangUp();
        Assert.Equal(1000UL, _state.Requests((int)Opcode.Lookup));
        Assert.Equal(0UL, _state.Thread(0).Unique);
    }

    [Fact]
    public void Errors_are_counted_by_number()
    {
        using var connection = new Connection(this, new Gate(isOpen: true));
        _ = connection.Ask(Message.Request(Opcode.Unlink, 1));
        _ = connection.Ask(Message.Request(Opcode.Open, 1));
        connection.HangUp();
        Assert.Equal((1UL, 1UL), (_state.Errors((int)Errno.EROFS), _state.Errors((int)Errno.ENOSYS)));
    }

    [Fact]
    public void Behind_a_closed_gate_reads_are_answered_and_the_rest_waits_for_its_opening()
    {
        using var connection = new Connection(this, new Gate(isOpen: false));
        connection.Tell(Lookup());
        connection.Tell(Message.Request(Opcode.Forget, 1, new byte[8]));
        Assert.Equal("hello, world"u8, connection.Ask(Message.Request(Opcode.Read, FakeFileSystem.File, Message.Bytes(new ReadIn { Size = 100 }))).AsSpan(16));
        Assert.True(connection.IsSilent);
        connection.Session.AnswerParked(5);
        Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(connection.Receive()).NodeId);
        Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(connection.Ask(Lookup())).NodeId);
    }

    [Fact]
    public void A_request_that_crashed_two_workers_is_refused_and_only_that_one()
    {
        _state.Suspects[0] = new Suspect { Unique = Message.Unique & ~(1UL << 63), Opcode = (uint)Opcode.Lookup, Deaths = 2 };
        _files.Verdict = () => throw new InvalidOperationException("must not be run");
        using var connection = new Connection(this, new Gate(isOpen: true));
        byte[] other = Lookup();
        other[8] ^= 0xff; // another unique
        _files.Verdict = () => Errno.Ok;
        Assert.Equal(0, Message.Header(connection.Ask(other)).Error);
        _files.Verdict = () => throw new InvalidOperationException("must not be run");
        Assert.Equal(-(int)Errno.EIO, Message.Header(connection.Ask(Lookup())).Error);
        _files.Verdict = () => Errno.Ok;
        Assert.Equal(0, Message.Header(connection.Ask(Lookup())).Error); // answered once: the number is free for another request
        connection.HangUp();
        Assert.Equal(0UL, _state.Suspects[0].Unique);
    }

    [Fact]
    public void A_request_that_crashed_one_worker_is_run_again()
    {
        _state.Suspects[3] = new Suspect { Unique = Message.Unique & ~(1UL << 63), Deaths = 1 };
        using var connection = new Connection(this, new Gate(isOpen: true));
        Assert.Equal(0, Message.Header(connection.Ask(Lookup())).Error);
        connection.HangUp();
        Assert.Equal(0UL, _state.Suspects[3].Unique);
    }

    public void Dispose() => _state.Dispose();

    private static byte[] Lookup() => Message.Request(Opcode.Lookup, 1, Message.Name("hello"));

    private sealed class Connection : IDisposable
    {
        private readonly SessionTests _test;
        private readonly Descriptor _kernel;
        private readonly FuseDevice _device;
        private readonly Thread _thread;

        public Connection(SessionTests test, Gate gate)
        {
            _test = test;
            (_kernel, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
            _device = new FuseDevice(server);
            test._state.Negotiated = new Negotiated { MaxPages = 32, MaxWrite = 4096, Minor = 45 };
            Session = new FuseSession(_device, new Dispatcher(test._files, new FaultLog(NullLogger.Instance)), test._state, gate, NullLogger.Instance);
            _thread = new Thread(() => Session.Run(2));
            _thread.Start();
        }

        public FuseSession Session { get; }

        public bool IsSilent => !_kernel.WaitReadable(200);

        public void Tell(byte[] request) => Assert.Equal(Errno.Ok, _kernel.Write(request));

        public byte[] Ask(byte[] request)
        {
            Tell(request);
            return Receive();
        }

        public byte[] Receive()
        {
            Assert.True(_kernel.WaitReadable(5000));
            return _test._reply[.._kernel.Read(_test._reply, out _)];
        }

        public void HangUp()
        {
            _kernel.Dispose();
            Assert.True(_thread.Join(5000));
        }

        public void Dispose()
        {
            HangUp();
            _device.Dispose();
        }
    }
}
