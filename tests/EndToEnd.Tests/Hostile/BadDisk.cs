using System.Runtime.CompilerServices;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Handles;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using TestSupport;
using KernelMount = Fuse4fs.Device.KernelMount;
using MountTable = TestSupport.MountTable;

namespace EndToEnd.Tests.Hostile;

/// <summary>
/// A disk that fails: a FUSE mount with one file, whose bytes are those of a real one but for a range that cannot be read, and one that can be read only
/// after a while.
/// </summary>
internal sealed class BadDisk : IDisposable
{
    private const string Name = "disk.img";
    private const int Threads = 4;

    private readonly ScratchFolder _folder = new();
    private readonly string _mountPoint;
    private readonly FuseDevice _device;
    private readonly Thread _server;
    private readonly Disk _disk;
    private readonly ResidentBuffer _notice = new(4096);
    private readonly SessionState _state = SessionState.Create(default, tableBytes: 1 << 20);

    public BadDisk(string image)
    {
        _mountPoint = _folder.Folder("disk");
        _disk = new Disk(image);
        _device = new FuseDevice(Descriptor.TryOpen(FuseDevice.Path, Libc.O_RDWR, out _) ?? throw new InvalidOperationException("no " + FuseDevice.Path));
        var mount = new MountSpecification { Source = "bad-disk", Target = _mountPoint, Subtype = "baddisk", AllowOther = true };
        if (KernelMount.Mount(_device, mount) is not Errno.Ok and Errno problem)
            throw new InvalidOperationException($"mount: {problem}");
        AnswerInit();
        _state.Negotiated = new Negotiated { MaxPages = 32, MaxWrite = 4096, Minor = 31 };
        var session = new FuseSession(_device, new Dispatcher(_disk, new FaultLog(NullLogger.Instance)), _state, new Gate(isOpen: true), NullLogger.Instance);
        _server = new Thread(() => session.Run(Threads)) { IsBackground = true };
        _server.Start();
        // The first close asks for FLUSH, which is never asked for again: nobody who closes the file while it stalls has to wait.
        File.OpenHandle(ImagePath).Dispose();
    }

    /// <summary>The file.</summary>
    public string ImagePath => Path.Combine(_mountPoint, Name);

    /// <summary>How many reads wait in the stalled range.</summary>
    public int Waiting => _disk.Waiting;

    /// <summary>Reads of these bytes fail from now on.</summary>
    public void Fail(long start, long length) => _disk.Failing = new Extent(start, length);

    /// <summary>Reads of these bytes wait from now on.</summary>
    public void Stall(long start, long length) => _disk.Stalled = new Extent(start, length);

    /// <summary>From now on the kernel asks for the file's attributes whenever they are wanted, and waits.</summary>
    public void StallAttributes()
    {
        _disk.StallsAttributes = true;
        _device.Write(_notice.Span[..Notification.InvalAttributes(_notice.Span, Disk.Node)]);
    }

    /// <summary>Lets go of the reads that wait.</summary>
    public void Release() => _disk.Released.Set();

    public void Dispose()
    {
        Release();
        int minor = MountTable.Find(_mountPoint)?.DeviceMinor ?? 0;
        if (Command.Run(10, null, "umount", _mountPoint).ExitCode != 0)
        {
            FuseConnection.Abort(minor);
            Command.Run(10, null, "umount", "--lazy", _mountPoint);
        }

        _server.Join(5000);
        _device.Dispose();
        _disk.Dispose();
        _notice.Dispose();
        _state.Dispose();
        _folder.Dispose();
    }

    // No readahead: what is asked for is read, page by page, and nothing besides.
    private void AnswerInit()
    {
        using var request = new ResidentBuffer(64 * 1024);
        using var reply = new ResidentBuffer(4096);
        int length = _device.Read(request.Span);
        if (length <= 0 || !RequestReader.TryOpen(request.Span[..length], out RequestReader reader) || reader.Header.Opcode != Opcode.Init || !reader.TryRead(out InitIn init))
            throw new InvalidOperationException("the kernel's first message is not INIT");
        var writer = new ReplyWriter(reply.Span, reader.Header.Unique);
        writer.Structure<InitOut>() = new InitOut
        {
            Major = 7,
            Minor = Math.Min(init.Minor, 31),
            Flags = (uint)(InitFlags.AsyncRead | InitFlags.NoOpenSupport | InitFlags.NoOpenDirSupport),
            MaxWrite = 4096,
            MaxBackground = 64,
        };
        _device.Write(reply.Span[..writer.Send<InitOut>()]);
    }

    private sealed record Extent(long Start, long Length)
    {
        public bool Overlaps(long start, int length) => start < Start + Length && Start < start + length;
    }

    private sealed class Disk(string image) : IFileSystem, IDisposable
    {
        public const ulong Node = 2;
        private const ulong Forever = 1_000_000;

        private readonly SafeFileHandle _file = File.OpenHandle(image, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        private int _waiting;

        public ManualResetEventSlim Released { get; } = new();

        public Extent? Failing { get; set; }

        public Extent? Stalled { get; set; }

        public bool StallsAttributes { get; set; }

        public int Waiting => Volatile.Read(ref _waiting);

        public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, ref EntryOut entry)
        {
            if (!name.SequenceEqual("disk.img"u8))
                return Errno.ENOENT;
            (entry.NodeId, entry.EntryValid, entry.AttrValid) = (Node, Forever, Forever);
            Fill(ref entry.Attr, new NodeId(Node));
            return Errno.Ok;
        }

        public Errno GetAttributes(NodeId node, ref AttrOut attributes)
        {
            if (StallsAttributes)
                Released.Wait();
            attributes.AttrValid = Forever;
            Fill(ref attributes.Attr, node);
            return Errno.Ok;
        }

        public Errno Read(NodeId node, long offset, Span<byte> destination, out int count)
        {
            count = 0;
            if (Failing?.Overlaps(offset, destination.Length) == true)
                return Errno.EIO;
            if (Stalled?.Overlaps(offset, destination.Length) == true)
            {
                Interlocked.Increment(ref _waiting);
                Released.Wait();
                Interlocked.Decrement(ref _waiting);
            }

            count = RandomAccess.Read(_file, destination, offset);
            return Errno.Ok;
        }

        public Errno GetExtendedAttributes(NodeId node, ref StatxOut attributes) => Errno.ENOSYS;

        public Errno GetStatistics(ref StatFsOut statistics) => Errno.ENOSYS;

        public Errno ReadDirectory(NodeId node, ulong cookie, bool plus, ref DirectoryWriter names) => Errno.Ok;

        public Errno ReadLink(NodeId node, Span<byte> target, out int length) => None(out length);

        public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, Span<byte> destination, out int length) => None(out length);

        public Errno ListXattrs(NodeId node, bool withTrusted, Span<byte> destination, out int length) => None(out length);

        public Errno Access(NodeId node, uint mask) => Errno.ENOSYS;

        public Errno Seek(NodeId node, long offset, uint whence, out long result)
        {
            result = 0;
            return Errno.ENOSYS;
        }

        public Errno Ioctl(NodeId node, uint command, Span<byte> output, out int length) => None(out length);

        public void Dispose()
        {
            _file.Dispose();
            Released.Dispose();
        }

        private static Errno None(out int length)
        {
            length = 0;
            return Errno.ENOSYS;
        }

        private void Fill(ref Attr attributes, NodeId node)
        {
            bool isRoot = node.IsRoot;
            attributes.Ino = node.Value;
            attributes.Mode = isRoot ? 0x41edu : 0x8124u;
            attributes.LinkCount = isRoot ? 2u : 1u;
            attributes.Size = isRoot ? 0 : (ulong)RandomAccess.GetLength(_file);
            attributes.BlockSize = 4096;
        }
    }
}
