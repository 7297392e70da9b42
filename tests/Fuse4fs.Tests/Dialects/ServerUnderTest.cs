using System.Runtime.InteropServices;
using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Microsoft.Extensions.Logging.Abstractions;
using TestSupport.FakeKernel;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

/// <summary>Ways to break the server, to see that the properties notice.</summary>
internal enum Sabotage
{
    None,

    /// <summary>Serves whatever has the inode number, and says that it is what was asked for.</summary>
    IgnoresGenerations,

    /// <summary>Says nothing when the image was written.</summary>
    KeepsQuiet,

    /// <summary>Says nothing of pages.</summary>
    LeavesPages,

    /// <summary>Gives each entry a handle of no use.</summary>
    ForgetsHandles,
}

/// <summary>
/// The server's half: workers that come and go over one state, with the dispatcher, operations and pass over the caches that the program has. Runs in the
/// caller's thread, so that thousands of lives fit into seconds.
/// </summary>
internal sealed class ServerUnderTest : IFuseServer, IDisposable
{
    private static readonly byte[] ReplyBuffer = new byte[64 * 1024];

    private readonly string _imagePath;
    private readonly Sabotage _sabotage;
    private readonly SessionState _state = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 }, tableBytes: 1 << 17);
    private readonly Descriptor _notified;
    private readonly FuseDevice _device;
    private readonly byte[] _message = new byte[100];
    private Ext4Image? _image;
    private Dispatcher? _dispatcher;
    private int _requestsToLive = int.MaxValue;
    private bool _diesAfterwards;

    public ServerUnderTest(string imagePath, KernelForm form, Sabotage sabotage, Action died)
    {
        _imagePath = imagePath;
        _sabotage = sabotage;
        (_notified, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        _device = new FuseDevice(server);
        Kernel = new KernelModel(form, this, died);
        Negotiate(form);
        Start(touched: false);
    }

    public KernelModel Kernel { get; }

    public bool Runs => _dispatcher is not null;

    public Dialect Dialect => (Dialect)_state.Negotiated.Dialect;

    /// <summary>A worker starts, as the successor of one that is dead.</summary>
    /// <param name="touched">The image was written.</param>
    /// <param name="diesInPass">It is killed between the two halves of what it does about that: the next one has to do it again.</param>
    public void Start(bool touched, bool diesInPass = false)
    {
        _image = Ext4Image.Open(_imagePath, new Ext4OpenOptions { CacheBytes = 64 << 10 });
        _dispatcher = new Dispatcher(new Ext4FileSystem(_image, _state), new FaultLog(NullLogger.Instance), HandleService.For(_image, _state.Negotiated));
        if (_state.Resume.FingerprintsSince == 0)
            _state.Resume.FingerprintsSince = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (!touched || _sabotage == Sabotage.KeepsQuiet)
            return;
        using var pass = new CachePass(_image, _state, _device);
        pass.Begin();
        Deliver();
        if (diesInPass || _sabotage == Sabotage.LeavesPages)
            return;
        pass.Finish();
        Deliver();
    }

    /// <summary>The worker dies at once.</summary>
    public void Kill()
    {
        _image?.Dispose();
        _image = null;
        _dispatcher = null;
        _requestsToLive = int.MaxValue;
    }

    /// <summary>The worker will die over one of its next requests, before or after it was run, and before it is answered.</summary>
    public void Doom(int requests, bool afterwards) => (_requestsToLive, _diesAfterwards) = (requests, afterwards);

    public byte[]? Ask(byte[] request)
    {
        bool dies = --_requestsToLive <= 0;
        if (dies && !_diesAfterwards)
        {
            Kill();
            return null;
        }
        byte[] sent = _sabotage == Sabotage.IgnoresGenerations ? Redirect(request) : request;
        int length = _dispatcher!.Dispatch(sent, ReplyBuffer);
        byte[] reply = ReplyBuffer[..length];
        if (_sabotage == Sabotage.IgnoresGenerations)
            Rename(request, reply);
        if (_sabotage == Sabotage.ForgetsHandles && reply.Length == 16 + 128 + 8 + 16)
            reply.AsSpan(^8).Fill(++reply[^8]);
        if (!dies)
            return reply;
        Kill();
        return null;
    }

    public void Dispose()
    {
        Kill();
        _notified.Dispose();
        _device.Dispose();
        _state.Dispose();
    }

    private void Negotiate(KernelForm form)
    {
        byte[] body = Kernel.InitIn();
        InitIn init = MemoryMarshal.Read<InitIn>(body);
        var flags = (InitFlags)((ulong)MemoryMarshal.Read<uint>(body.AsSpan(16)) << 32 | init.Flags);
        LookupHandleMode mode = form switch { KernelForm.RfcV2 => LookupHandleMode.V2, KernelForm.RfcV3 => LookupHandleMode.V3, _ => LookupHandleMode.Auto };
        Assert.Null(Negotiation.TryChoose(init, flags, mode, out Dialect dialect));
        Assert.Equal(form.ToString(), dialect.ToString());
        InitOut answer = Negotiation.Answer(init, flags, ReadDirPlusMode.Always, posixAcl: true, 256, out _state.Negotiated, dialect);
        Kernel.Initialize(Message.Bytes(answer));
    }

    private void Deliver()
    {
        while (_notified.WaitReadable(0))
            Kernel.Notify(_message.AsSpan(0, _notified.Read(_message, out _)));
    }

    // The request as if its node were what has the number now, without any handle.
    private byte[] Redirect(byte[] request)
    {
        byte[] other = [.. request];
        ulong node = MemoryMarshal.Read<ulong>(request.AsSpan(16));
        uint opcode = MemoryMarshal.Read<uint>(request.AsSpan(4));
        if (node > 1 && _image!.TryGetInode((uint)(node & uint.MaxValue), out Inode inode))
            BitConverter.TryWriteBytes(other.AsSpan(20), inode.Generation);
        if (opcode == 54 && Dialect.IsV2())
        {
            int end = 40 + other.AsSpan(40).IndexOf((byte)0) + 1;
            other = other[..end];
            other[0] = (byte)end;
        }
        return other;
    }

    // Says of what was found by "." that it is what was asked for.
    private void Rename(byte[] request, byte[] reply)
    {
        if (request.Length > 42 && request[4] == 54 && Dialect.IsV2() && request[40] == '.' && request[41] == 0 && reply.Length == 16 + 128 + 8 + 16)
        {
            request.AsSpan(16, 8).CopyTo(reply.AsSpan(16)); // nodeid
            request.AsSpan(20, 4).CopyTo(reply.AsSpan(24)); // generation
            request.AsSpan(20, 4).CopyTo(reply.AsSpan(^4)); // the handle's
        }
    }
}
