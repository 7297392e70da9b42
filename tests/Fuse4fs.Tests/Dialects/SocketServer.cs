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

/// <summary>
/// A server as the program runs it, threads and gate and all, at the other end of a socket pair that keeps message borders as /dev/fuse does. A worker that dies takes
/// its socket with it; what it had in hand is sent again to the next one.
/// </summary>
internal sealed class SocketServer : IFuseServer, IDisposable
{
    private const uint Forget = 2;
    private const int Threads = 2;

    private readonly string _imagePath;
    private readonly SessionState _state = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 }, tableBytes: 1 << 20);
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<Thread> _threads = [];
    private Ext4Image? _image;
    private FuseDevice? _device;
    private Descriptor? _kernelsEnd;

    public SocketServer(string imagePath, KernelForm form)
    {
        _imagePath = imagePath;
        Kernel = new KernelModel(form, this, () => Start(touched: false));
        byte[] body = Kernel.InitIn();
        InitIn init = MemoryMarshal.Read<InitIn>(body);
        var flags = (InitFlags)((ulong)MemoryMarshal.Read<uint>(body.AsSpan(16)) << 32 | init.Flags);
        LookupHandleMode mode = form switch { KernelForm.RfcV2 => LookupHandleMode.V2, KernelForm.RfcV3 => LookupHandleMode.V3, _ => LookupHandleMode.Auto };
        Assert.Null(Negotiation.TryChoose(init, flags, mode, out Dialect dialect));
        Kernel.Initialize(Message.Bytes(Negotiation.Answer(init, flags, ReadDirPlusMode.Always, posixAcl: true, 256, out _state.Negotiated, dialect)));
        Start(touched: false);
    }

    public KernelModel Kernel { get; }

    /// <summary>Starts a worker; when the image was written, it returns when nothing former is visible any more.</summary>
    public void Start(bool touched)
    {
        _image = Ext4Image.Open(_imagePath);
        (_kernelsEnd, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        _device = new FuseDevice(server);
        _state.Resume.FingerprintsSince = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var dispatcher = new Dispatcher(new Ext4FileSystem(_image, _state), new FaultLog(NullLogger.Instance), HandleService.For(_image, _state.Negotiated));
        var session = new FuseSession(_device, dispatcher, _state, new Gate(isOpen: !touched), NullLogger.Instance);
        using CachePass? pass = touched ? new CachePass(_image, _state, _device) : null;
        pass?.Begin();
        var readers = new Thread(() => session.Run(Threads));
        readers.Start();
        _threads.Add(readers);
        if (pass is null)
            return;
        pass.Finish();
        session.AnswerParked(Threads);
        while (_kernelsEnd.WaitReadable(0))
            Kernel.Notify(Receive());
    }

    /// <summary>Ends the worker and its socket.</summary>
    public void Kill()
    {
        _kernelsEnd?.Dispose();
        foreach (Thread thread in _threads)
            Assert.True(thread.Join(5000));
        _threads.Clear();
        _device?.Dispose();
        _image?.Dispose();
    }

    public byte[]? Ask(byte[] request)
    {
        Assert.Equal(Errno.Ok, _kernelsEnd!.Write(request));
        if (MemoryMarshal.Read<uint>(request.AsSpan(4)) == Forget)
            return [];
        Assert.True(_kernelsEnd.WaitReadable(10_000));
        return Receive();
    }

    public void Dispose()
    {
        Kill();
        _state.Dispose();
    }

    private byte[] Receive() => _buffer[.._kernelsEnd!.Read(_buffer, out _)];
}
