using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using BenchmarkDotNet.Attributes;
using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Microsoft.Extensions.Logging.Abstractions;
using TestSupport;

namespace Benchmarks.Pieces;

/// <summary>
/// Requests through a socket pair in place of /dev/fuse: written, read by a thread of the session, answered from an image, read back. With the
/// thread's wake-up, as a single client pays it; <see cref="Nothing"/> is the same for a request that needs no work.
/// </summary>
[MemoryDiagnoser]
[SuppressMessage("Design", "CA1001", Justification = "BenchmarkDotNet calls Cleanup.")]
public class RoundTripBenchmarks
{
    private const int BufferSize = 256 * 1024;
    private const uint MaxPages = 32;

    private readonly byte[] _reply = GC.AllocateArray<byte>(BufferSize, pinned: true);
    private Ext4Image _image = null!;
    private SessionState _state = null!;
    private Descriptor _kernel = null!;
    private FuseDevice _device = null!;
    private Thread _session = null!;
    private byte[] _nothing = [];
    private byte[] _lookup = [];
    private byte[] _absent = [];
    private byte[] _getAttr = [];
    private byte[] _read = [];
    private byte[] _readDirPlus = [];

    [GlobalSetup]
    public void Setup()
    {
        _image = Ext4Image.Open(Images.Get("blocks-4k"));
        _state = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 });
        _state.Negotiated = new Negotiated { Minor = Negotiation.NewestMinor, MaxPages = MaxPages, MaxWrite = 4096 };
        (_kernel, Descriptor server) = Descriptor.SocketPair(Fuse4fs.Device.Libc.SOCK_SEQPACKET);
        _device = new FuseDevice(server);
        var dispatcher = new Dispatcher(new Ext4FileSystem(_image, _state), new FaultLog(NullLogger.Instance));
        var session = new FuseSession(_device, dispatcher, _state, new Gate(isOpen: true), NullLogger.Instance);
        _session = new Thread(() => session.Run(2));
        _session.Start();

        ulong docs = NodeOf(1, "docs");
        ulong large = NodeOf(docs, "size-300001");
        _nothing = Request(Opcode.Release, large, new byte[24]);
        _lookup = Request(Opcode.Lookup, docs, "size-300001\0"u8.ToArray());
        _absent = Request(Opcode.Lookup, docs, "nothing\0"u8.ToArray());
        _getAttr = Request(Opcode.GetAttr, large, new byte[Unsafe.SizeOf<GetAttrIn>()]);
        _read = Request(Opcode.Read, large, Bytes(new ReadIn { Size = 128 * 1024 }));
        _readDirPlus = Request(Opcode.ReadDirPlus, docs, Bytes(new ReadIn { Size = 32 * 1024 }));
        if (Read128K() != 16 + 131072)
            throw new InvalidOperationException("READ was not answered in full");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _kernel.Dispose();
        _session.Join();
        _device.Dispose();
        _state.Dispose();
        _image.Dispose();
    }

    [Benchmark]
    public int Nothing() => Ask(_nothing);

    [Benchmark]
    public int Lookup() => Ask(_lookup);

    [Benchmark]
    public int LookupAbsent() => Ask(_absent);

    [Benchmark]
    public int GetAttr() => Ask(_getAttr);

    [Benchmark]
    public int Read128K() => Ask(_read);

    /// <summary>A directory of 18 names.</summary>
    [Benchmark]
    public int ReadDirPlus() => Ask(_readDirPlus);

    private int Ask(byte[] request)
    {
        _ = _kernel.Write(request);
        return _kernel.Read(_reply, out _);
    }

    private ulong NodeOf(ulong parent, string name)
    {
        _ = Ask(Request(Opcode.Lookup, parent, Encoding.ASCII.GetBytes(name + "\0")));
        return MemoryMarshal.Read<EntryOut>(_reply.AsSpan(ReplyWriter.HeaderSize)).NodeId;
    }

    private static byte[] Request(Opcode opcode, ulong node, byte[] arguments)
    {
        var header = new InHeader { Length = (uint)(Unsafe.SizeOf<InHeader>() + arguments.Length), Opcode = opcode, Unique = 2, NodeId = node };
        return [.. Bytes(header), .. arguments];
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
