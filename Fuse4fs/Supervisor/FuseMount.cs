using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>How an attempt to unmount ended.</summary>
internal enum UnmountResult
{
    /// <summary>It is unmounted, at least for new users.</summary>
    Done,

    /// <summary>Somebody is in it.</summary>
    Busy,

    /// <summary>It could not be unmounted.</summary>
    Failed,
}

/// <summary>A mount of ours: made, negotiated, aborted, unmounted. By root with system calls, by others through fusermount3.</summary>
internal sealed class FuseMount : IDisposable
{
    private const int LeastReadaheadKibibytes = 1024; // 512 to 1024 measured best; beyond, sequential reads get slower
    private const int InitPatience = 10_000;

    private readonly bool _root;
    private readonly MountEntry _entry;
    private bool _aborted;
    private bool _left;

    private FuseMount(MountSpecification specification, FuseDevice device, bool root, MountEntry entry)
    {
        Specification = specification;
        Device = device;
        _root = root;
        _entry = entry;
    }

    /// <summary>What was mounted where.</summary>
    public MountSpecification Specification { get; }

    /// <summary>The connection.</summary>
    public FuseDevice Device { get; }

    /// <summary>The device minor of the mount, which is the number of its connection, too.</summary>
    public uint Minor => _entry.DeviceMinor;

    /// <summary>Whether the connection has ended: unmounted and left by all, or aborted.</summary>
    public bool IsGone
    {
        get
        {
            Span<Libc.PollFd> poll = [new Libc.PollFd { Descriptor = Device.Descriptor.Number }];
            return Descriptor.Poll(poll, milliseconds: 0) > 0;
        }
    }

    /// <summary>Turns a request into what mount(2) is to be told, all but the source.</summary>
    /// <exception cref="MountException">The mount point is not there or not a directory.</exception>
    public static MountSpecification Specify(MountRequest request, bool root)
    {
        string place = request.MountPoint;
        FileStatus? status = FileStatus.Of(place, out Errno errno);
        if (status is null)
        {
            throw new MountException(ExitCode.MountFailure, errno switch
            {
                Errno.ENOENT => $"mount point {place} does not exist; create it with mkdir",
                Errno.ENOTCONN => $"mount point {place} holds a mount whose server is gone; run fuse4fs umount {place} first",
                _ => $"mount point {place}: {SystemCall.Describe(errno)}",
            });
        }
        if (!status.Value.IsDirectory)
            throw new MountException(ExitCode.MountFailure, $"mount point {place} is not a directory");
        return new MountSpecification
        {
            Source = "",
            Target = NativePath.Resolve(place, out errno) ?? throw new MountException(ExitCode.MountFailure, $"mount point {place}: {SystemCall.Describe(errno)}"),
            Subtype = request.Subtype,
            AllowOther = request.AllowOther ?? root,
            DefaultPermissions = request.DefaultPermissions,
            NoSetUserId = request.NoSetUserId,
            NoDevices = request.NoDevices,
            NoExecute = request.NoExecute,
            NoAccessTime = request.NoAccessTime,
            NoDirectoryAccessTime = request.NoDirectoryAccessTime,
        };
    }

    /// <summary>Opens /dev/fuse.</summary>
    public static FuseDevice OpenDevice()
    {
        Descriptor? descriptor = Descriptor.TryOpen(FuseDevice.Path, Libc.O_RDWR, out Errno errno);
        if (descriptor is null)
        {
            string remedy = errno is Errno.ENOENT or Errno.ENODEV or Errno.ENXIO ? "; load the fuse module (modprobe fuse) or pass the device into the container" : "";
            throw new MountException(ExitCode.System, $"{FuseDevice.Path}: {SystemCall.Describe(errno)}{remedy}");
        }
        return new FuseDevice(descriptor);
    }

    /// <summary>Mounts.</summary>
    /// <param name="specification">What and where.</param>
    /// <param name="device">For root the open device, which the mount owns from now on; others get theirs from fusermount3.</param>
    /// <param name="root">Whether system calls may be used.</param>
    public static FuseMount Create(MountSpecification specification, FuseDevice? device, bool root)
    {
        if (root)
        {
            Errno errno = KernelMount.Mount(device!, specification);
            if (errno != Errno.Ok)
                throw new MountException(ExitCode.MountFailure, $"mount on {specification.Target}: {SystemCall.Describe(errno)}");
        }
        else
        {
            device = UserMount.TryMount(specification, out string problem) ?? throw new MountException(ExitCode.MountFailure, problem);
        }
        MountEntry entry = MountTable.Find(specification.Target)
            ?? throw new MountException(ExitCode.System, $"{specification.Target} was mounted and is not in /proc/self/mountinfo");
        return new FuseMount(specification, device!, root, entry);
    }

    /// <summary>Reads the kernel's INIT, answers it and notes what was settled.</summary>
    public void Negotiate(ReadDirPlusMode readDirPlus, bool posixAcl, ref Negotiated settled, LookupHandleMode lookupHandle = LookupHandleMode.Off)
    {
        const int HeaderSize = 40;
        // Both resident, as everything that the device is read into and written from.
        using var request = new ResidentBuffer(64 * 1024);
        using var reply = new ResidentBuffer(4096);
        while (true)
        {
            if (!Device.Descriptor.WaitReadable(InitPatience))
                throw new MountException(ExitCode.System, "the kernel has not asked for the protocol within 10 seconds");
            int length = Device.Read(request.Span);
            if (length < 0)
                throw new MountException(ExitCode.MountFailure, $"{Specification.Target} was unmounted before the mount was ready");
            if (length == 0)
                continue;
            ReadOnlySpan<byte> message = request.Span[..length];
            if (!RequestReader.TryOpen(message, out RequestReader reader) || reader.Header.Opcode != Opcode.Init || !reader.TryRead(out InitIn init))
                throw new MountException(ExitCode.System, "the kernel's first message is not INIT");
            if (Negotiation.Objection(init) is string objection)
                throw new MountException(ExitCode.System, objection);
            // Kernels before protocol 7.36 have no second word of flags, and their message ends before it.
            uint flags2 = length >= HeaderSize + Unsafe.SizeOf<InitIn>() + sizeof(uint) ? MemoryMarshal.Read<uint>(message[(HeaderSize + Unsafe.SizeOf<InitIn>())..]) : 0;
            var flags = (InitFlags)((ulong)flags2 << 32 | init.Flags);
            Dialect dialect = Dialect.Stock;
            if (init.Major == Negotiation.Major && Negotiation.TryChoose(init, flags, lookupHandle, out dialect) is string refusal)
                throw new MountException(ExitCode.MountFailure, refusal);
            var writer = new ReplyWriter(reply.Span, reader.Header.Unique);
            writer.Structure<InitOut>() = Negotiation.Answer(init, flags, readDirPlus, posixAcl, MaxPages(), out settled, dialect);
            if (!Device.Write(reply.Span[..writer.Send<InitOut>()]))
                throw new MountException(ExitCode.System, "the kernel refused the answer to INIT");
            if (init.Major == Negotiation.Major)
                return;
            // A newer major: the kernel has now heard ours and asks once more.
        }
    }

    /// <summary>Has the kernel read ahead in pieces as large as requests can be.</summary>
    public void RaiseReadahead()
    {
        if (_root)
            KernelMount.RaiseReadahead(_entry.DeviceMajor, _entry.DeviceMinor, LeastReadaheadKibibytes);
    }

    /// <summary>Ends the connection: callers get ENOTCONN instead of waiting.</summary>
    public void Abort()
    {
        _aborted = true;
        KernelMount.Abort(Minor);
    }

    /// <summary>Unmounts, wherever the mount is by now and whatever lies over it.</summary>
    public UnmountResult Unmount(bool lazily)
    {
        // A connection that ended without our doing was unmounted: its device number is free, and may be another mount's by now.
        if (IsGone && !_aborted)
            return UnmountResult.Done;
        MountEntry? ours = MountTable.Read().LastOrDefault(entry => entry with { MountPoint = _entry.MountPoint, Options = _entry.Options } == _entry);
        if (ours is null)
            return UnmountResult.Done;
        string target = ours.MountPoint;
        if (MountTable.Find(target) != ours)
            return UnmountResult.Failed; // covered: umount2 would hit the other mount
        if (!_root)
            return UserMount.Unmount(target, lazily) is null ? UnmountResult.Done : lazily ? UnmountResult.Failed : UnmountResult.Busy;
        return KernelMount.Unmount(target, lazily) switch
        {
            Errno.Ok => UnmountResult.Done,
            Errno.EBUSY => UnmountResult.Busy,
            _ => UnmountResult.Failed,
        };
    }

    /// <summary>The mount stays where it is, though nobody will serve it: callers get ENOTCONN until it is unmounted.</summary>
    public void Leave() => _left = true;

    /// <summary>The mount point of an overlayfs that has this mount below it, or null.</summary>
    public string? OverlayAbove()
    {
        string target = Specification.Target;
        foreach (MountEntry entry in MountTable.Read())
        {
            if (entry.Type == "overlay" && entry.SuperOptions.Split(',').Where(option => option.StartsWith("lowerdir", StringComparison.Ordinal))
                    .SelectMany(option => option[(option.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(':'))
                    .Any(lower => lower == target || lower.StartsWith(target + "/", StringComparison.Ordinal)))
            {
                return entry.MountPoint;
            }
        }
        return null;
    }

    /// <summary>Unmounts lazily what is still mounted and closes the device, which ends the connection.</summary>
    public void Dispose()
    {
        if (!_left && !Device.Descriptor.IsClosed)
            _ = Unmount(lazily: true);
        Device.Dispose();
    }

    private static ushort MaxPages()
    {
        const ushort Usual = 256; // of kernels that have no setting for it
        const ushort Most = 1024; // 4 MiB a thread is enough
        try
        {
            return uint.TryParse(File.ReadAllText("/proc/sys/fs/fuse/max_pages_limit").AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint pages)
                ? (ushort)Math.Clamp(pages, 1, Most)
                : Usual;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Usual;
        }
    }
}
