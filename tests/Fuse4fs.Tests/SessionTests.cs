using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Microsoft.Extensions.Logging.Abstractions;
using TestSupport;
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

    [Fact]
    public void The_next_part_of_a_listing_is_made_before_it_is_asked_for_and_once()
    {
        using var connection = new Connection(this, new Gate(isOpen: true));
        ulong[] parts = [.. Enumerable.Range(0, 17).Select(part => (ulong)part * 6), 100];
        for (int i = 0; i < parts.Length; i++)
        {
            byte[] reply = connection.Ask(List(parts[i]));
            Assert.Equal(Direct(List(parts[i])), reply);
            AwaitListed(parts[..Math.Min(i + 2, parts.Length)]);
        }
        connection.HangUp();
        Assert.Equal((ulong)parts.Length, _state.Requests((int)Opcode.ReadDirPlus));
    }

    [Theory]
    [InlineData(6u, 2048u, 1ul)] // more of it than was expected
    [InlineData(7u, 1024u, 1ul)] // from elsewhere
    [InlineData(6u, 1024u, 5ul)] // another directory
    public void What_was_made_for_another_question_is_nobodys_answer(uint after, uint size, ulong node)
    {
        using var connection = new Connection(this, new Gate(isOpen: true));
        _ = connection.Ask(List(0));
        AwaitListed(0, 6);
        Assert.Equal(Direct(List(after, size, node)), connection.Ask(List(after, size, node)));
        Assert.Equal(after, _files.Listed.ElementAt(2));
    }

    [Fact]
    public void A_next_part_that_failed_is_tried_again_when_it_is_asked_for()
    {
        _files.Verdict = () => _files.Listed.Count == 1 ? Errno.EIO : Errno.Ok;
        using var connection = new Connection(this, new Gate(isOpen: true));
        _ = connection.Ask(List(0));
        AwaitListed(0, 6);
        Assert.Equal(Direct(List(6)), connection.Ask(List(6)));
    }

    [Fact]
    public void The_end_of_a_listing_is_not_made_twice()
    {
        using var connection = new Connection(this, new Gate(isOpen: true));
        _ = connection.Ask(List(98));
        connection.HangUp();
        Assert.Equal(98ul, Assert.Single(_files.Listed));
    }

    public void Dispose() => _state.Dispose();

    private static byte[] List(ulong after, uint size = 1024, ulong node = 1) =>
        Message.Request(Opcode.ReadDirPlus, node, Message.Bytes(new ReadIn { Offset = after, Size = size }));

    // As it is without anything made in advance.
    private static byte[] Direct(byte[] request)
    {
        byte[] reply = new byte[8192];
        return reply[..new Dispatcher(new FakeFileSystem(), new FaultLog(NullLogger.Instance)).Dispatch(request, reply)];
    }

    private void AwaitListed(params ulong[] cookies)
    {
        Deadline.In(5).WaitUntil(() => _files.Listed.Count >= cookies.Length, "the next part is made");
        Assert.Equal(cookies, _files.Listed);
    }

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
