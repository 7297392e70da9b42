using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Session;
using Fuse4fs.State;
using Handles;
using TestSupport;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

/// <summary>What a worker tells the kernel when the image was written.</summary>
public sealed class RestartedTests : IDisposable
{
    private const int InvalInode = 2, IncEpoch = 8, Restarted = 10;

    private readonly Ext4Image _image = Ext4Image.Open(Images.Get("ext4"));
    private readonly SessionState _state = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 }, tableBytes: 1 << 20);
    private readonly ulong _file;
    private readonly ulong _directory;
    private readonly ulong _gone = 5UL << 32 | 12;

    public RestartedTests()
    {
        _file = Know("hello.txt"u8, fingerprint: 1); // not what it looks like now
        _directory = Know("docs"u8, fingerprint: null);
        _state.Known.Add(new NodeId(_gone).Handle, out _);
    }

    [Fact]
    public void A_kernel_that_asks_is_told_once_before_anything_is_answered()
    {
        (List<(int Code, ulong Node)> before, List<(int Code, ulong Node)> beside) = Pass(Dialect.RfcV2Finished);
        Assert.Equal([(Restarted, 0UL)], before);
        // What it cannot find out by asking: contents, and pages of what is gone.
        Assert.Equal(new[] { (InvalInode, 1UL), (InvalInode, _file), (InvalInode, _gone) }.Order(), beside.Order());
    }

    [Theory]
    [InlineData((uint)Dialect.Stock)]
    [InlineData((uint)Dialect.RfcV2)]
    [InlineData((uint)Dialect.RfcV3)]
    public void Others_are_told_what_to_forget(uint dialect)
    {
        (List<(int Code, ulong Node)> before, List<(int Code, ulong Node)> beside) = Pass((Dialect)dialect);
        Assert.Equal((IncEpoch, 0UL), before[^1]);
        Assert.Equal(new[] { (InvalInode, 1UL), (InvalInode, _file), (InvalInode, _directory), (InvalInode, _gone) }.Order(), before[..^1].Order());
        Assert.Equal(before[..^1].Order(), beside.Order());
    }

    [Fact]
    public void A_worker_that_dies_in_the_middle_leaves_its_successor_all_there_is_to_do()
    {
        Negotiate(Dialect.Stock);
        (Descriptor kernel, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        using (kernel)
        {
            using var device = new FuseDevice(server);
            using var pass = new CachePass(_image, _state, device);
            pass.Begin();
        }
        (_, List<(int Code, ulong Node)> beside) = Pass(Dialect.Stock);
        Assert.Equal(new[] { (InvalInode, 1UL), (InvalInode, _file), (InvalInode, _directory), (InvalInode, _gone) }.Order(), beside.Order());
        Assert.Equal((1U, 1U, 1U), (_state.Resume.Unchanged, _state.Resume.Changed, _state.Resume.Stale));
        // And once it is over, it is over: the next pass finds nothing changed.
        _ = Pass(Dialect.Stock);
        Assert.Equal((2U, 0U, 1U), (_state.Resume.Unchanged, _state.Resume.Changed, _state.Resume.Stale));
    }

    public void Dispose()
    {
        _image.Dispose();
        _state.Dispose();
    }

    private ulong Know(ReadOnlySpan<byte> name, ulong? fingerprint)
    {
        Assert.True(_image.TryLookup(_image.GetRoot(), name, out uint number));
        Assert.True(_image.TryGetInode(number, out Inode inode));
        FileHandle handle = FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime);
        _state.Known.Add(handle, out KnownInodes.Slot slot);
        slot.Fingerprint = fingerprint ?? Server.InodeFingerprint.Of(_image, number);
        return NodeId.From(handle).Value;
    }

    private (List<(int Code, ulong Node)> Before, List<(int Code, ulong Node)> Beside) Pass(Dialect dialect)
    {
        Negotiate(dialect);
        (Descriptor kernel, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        using (kernel)
        {
            using var device = new FuseDevice(server);
            using var pass = new CachePass(_image, _state, device);
            pass.Begin();
            List<(int, ulong)> before = Sent(kernel);
            pass.Finish();
            return (before, Sent(kernel));
        }
    }

    private void Negotiate(Dialect dialect) => _state.Negotiated = new Negotiated { Minor = 45, Dialect = (uint)dialect };

    private static List<(int Code, ulong Node)> Sent(Descriptor kernel)
    {
        var sent = new List<(int, ulong)>();
        byte[] buffer = new byte[100];
        while (kernel.WaitReadable(0))
        {
            int length = kernel.Read(buffer, out _);
            OutHeader header = Message.Header(buffer);
            Assert.Equal(((uint)length, 0UL), (header.Length, header.Unique));
            sent.Add((header.Error, length > 16 ? Message.Body<ulong>(buffer) : 0));
        }
        return sent;
    }
}
