using System.Globalization;
using System.Runtime.InteropServices;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Diagnostics;
using Fuse4fs.Protocol;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The process that holds what must outlive a worker: the image, the device's open file and the state. It mounts and unmounts, answers INIT, and
/// never parses a byte of the image. All on its main thread, in one loop.
/// </summary>
internal sealed partial class SupervisorProcess : IDisposable
{
    private const int LookForEnd = 5_000;

    private readonly MountRequest _request;
    private readonly string[] _program;
    private readonly ILogger _log;
    private readonly Descriptor _signals;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private ImageFile? _image;
    private ImageFile? _journal;
    private SessionState? _state;
    private Descriptor? _emptyFolder;
    private WorkerProcess? _worker;
    private FuseMount? _mount;
    private Service? _service;
    private ControlSocket? _control;
    private ControlDesk? _desk;
    private long _nextLook; // for the mount's end; as Environment.TickCount64

    /// <param name="request">What to mount, and how.</param>
    /// <param name="program">The command line of this program, for workers.</param>
    /// <param name="log">The log.</param>
    /// <param name="worker">The first worker, if one was started already.</param>
    public SupervisorProcess(MountRequest request, string[] program, ILogger log, WorkerProcess? worker = null)
    {
        _worker = worker;
        _request = request;
        _program = program;
        _log = log;
        _signals = new Descriptor(SystemCall.Check(Libc.EventFd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK), "eventfd"));
    }

    /// <summary>The mount point, absolute; known once <see cref="Mount"/> has returned.</summary>
    public string MountPoint => _mount!.Specification.Target;

    /// <summary>
    /// Mounts: image, worker, mount(2), INIT, go. An image that a worker refuses never shows up as a mount. On return the mount answers.
    /// </summary>
    /// <returns>The name of the file with which the mount is to be primed.</returns>
    /// <exception cref="MountException">It cannot be; nothing is left behind.</exception>
    public string Mount()
    {
        foreach (string warning in _request.Warnings)
            Note(_log, warning);
        bool root = Libc.GetEffectiveUserId() == 0;
        _state = SessionState.Create(_request.Serve, TableBytes(root));
        // First of all: the worker's runtime starts while we see to all that it is to be given.
        var starter = new WorkerStarter(_program, _state, _log);
        _worker ??= starter.Start();
        _image = ImageFile.Open(_request.Image);
        _journal = _request.Journal is string journal ? OpenJournal(journal) : null;
        _state.Options = WithTestSwitch(ImageFile.WithSelector(_request.Serve, _image.Selector), root);
        _state.Image = _image.Record(_request.Serve.ImageOffset);
        if (_journal is not null)
            _state.Journal = _journal.Record(0);
        _state.Resume.Start = 1;
        if (root)
            starter.Root = _emptyFolder = MakeEmptyFolder();
        starter.Give(_worker, _image.Descriptor, _journal?.Descriptor);
        // While the worker looks at the image.
        MountSpecification specification = FuseMount.Specify(_request, root) with { Source = _request.SourceName ?? _image.MountSource };
        FuseDevice? device = root ? FuseMount.OpenDevice() : null;
        _ = MountTable.Find("/"); // compiles what would have to be compiled after that
        const int Patience = 60_000; // a hostile image is told apart in a few seconds; a slow disk may take its time
        if (_worker.AwaitVerdict(Patience) is string reason)
            throw new MountException(ExitCode.MountFailure, reason);
        // Only the worker knows where the filesystem starts; the times were taken before it looked.
        _state.Image = _state.Image with { SuperblockDigest = _image.Record(_state.FilesystemStart).SuperblockDigest };

        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        _mount = FuseMount.Create(specification, device, root);
        _mount.Negotiate(_request.ReadDirPlus, _request.Acl && _request.DefaultPermissions, ref _state.Negotiated, _request.LookupHandle);
        _state.PrimingToken = NewToken();
        _worker.Go(_mount.Device);
        _service = new Service(_request, starter, new ServedImage(_image, _journal, _state), _state, _worker, _mount, _log);
        _mount.RaiseReadahead();
        _control = ControlSocket.TryOpen(_mount.Minor, out string problem);
        if (_control is null)
            NoControl(_log, problem);
        else
            _desk = new ControlDesk(_control, _service, _mount, _program);
        return SessionState.PrimingName(_state.PrimingToken);
    }

    /// <summary>Supervises until the mount is gone.</summary>
    /// <param name="primer">Closed by whoever primes the mount when that is done; null when nobody does.</param>
    /// <returns>0 after an unmount, 32 when no worker could be kept alive.</returns>
    public int Supervise(Descriptor? primer)
    {
        const int Fixed = 7;
        bool needsFiles = true;
        _nextLook = Environment.TickCount64 + LookForEnd;
        var watched = new Libc.PollFd[Fixed + 64];
        while (true)
        {
            // The device only for its end, and only while nobody reads requests from it: whoever polls it is woken by each of them, whatever he waits for, and takes
            // the processor between the caller and the worker. Behind a worker that reads, the end shows by the worker's; one that is stuck shows nothing, so we look now and then.
            bool isRead = _service!.Phase == Phase.Serving;
            watched[0] = new() { Descriptor = isRead ? -1 : _mount!.Device.Descriptor.Number };
            watched[1] = Readable(_signals);
            watched[2] = Readable(_service.Worker?.Channel);
            watched[3] = Readable(_service.Worker?.Words);
            watched[4] = Readable(_service.Check?.Words);
            watched[5] = Readable(_control?.Listener);
            watched[6] = Readable(primer);
            int callers = Math.Min(_control?.Callers.Count ?? 0, watched.Length - Fixed);
            for (int i = 0; i < callers; i++)
                watched[Fixed + i] = Readable(_control!.Callers[i].Socket);
            // Once the mount is primed, or somebody asks for something. Not sooner: it would take its time from the worker, of whom the first answers are wanted.
            if (needsFiles && (primer is null || callers > 0))
            {
                InstalledProgram.NeedNoFiles();
                needsFiles = false;
            }
            long left = _service.NextTime == long.MaxValue ? long.MaxValue : _service.NextTime - Environment.TickCount64;
            _ = Descriptor.Poll(watched.AsSpan(0, Fixed + callers), (int)Math.Clamp(Math.Min(left, _nextLook - Environment.TickCount64), 0, LookForEnd));
            bool look = Environment.TickCount64 >= _nextLook;
            if (look)
                _nextLook = Environment.TickCount64 + LookForEnd;

            if (watched[3].Returned != 0)
                _service.Worker!.ForwardWords();
            if (watched[0].Returned != 0 || ((watched[2].Returned != 0 || look) && _mount!.IsGone))
                return EndAfterUnmount();
            if (watched[6].Returned != 0)
            {
                _state!.PrimingToken = 0;
                primer = null;
            }
            if (watched[1].Returned != 0)
                Unmount();
            if (watched[5].Returned != 0)
                _control!.Accept();
            if (watched[2].Returned != 0 && _service.OnWorker())
                _desk?.TellAll(null);
            else if (watched[4].Returned != 0)
                _service.OnCheck();
            else if (Environment.TickCount64 >= _service.NextTime)
                _service.OnTime();
            // Last, for they change what was watched.
            for (int i = callers - 1; i >= 0; i--)
                if (watched[Fixed + i].Returned != 0)
                    _desk!.Attend(_control!.Callers[i]);
            _desk?.TellThoseWhoWaitInVain();
            if (_service.GivenUp is string why)
                return GiveUp(why);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Order matters: whoever waits at the control socket must find the image closed.
        _mount?.Dispose();
        _service?.Dispose();
        if (_service is null)
        {
            _worker?.Dispose();
            _image?.Dispose();
            _journal?.Dispose();
        }
        _state?.Dispose();
        _emptyFolder?.Dispose();
        _control?.Dispose();
        _registrations.ForEach(registration => registration.Dispose());
        _signals.Dispose();
    }

    // Without one the worker says what it lacks.
    private Descriptor? MakeEmptyFolder()
    {
        string? parent = RuntimeFolder.TryMake(out string problem);
        Errno errno = Errno.Ok;
        Descriptor? folder = parent is null ? null : EmptyFolder.TryMake(parent, out errno);
        if (folder is null)
            NoEmptyFolder(_log, parent is null ? problem : $"{parent}: {SystemCall.Describe(errno)}");
        return folder;
    }

    private static ServeOptions WithTestSwitch(ServeOptions options, bool root) =>
        root && uint.TryParse(Environment.GetEnvironmentVariable(ServeOptions.CrashSwitch), NumberStyles.None, CultureInfo.InvariantCulture, out uint inode)
            ? options with { CrashInode = inode }
            : options;

    private static int TableBytes(bool root) =>
        root && int.TryParse(Environment.GetEnvironmentVariable(SessionState.TableSwitch), NumberStyles.None, CultureInfo.InvariantCulture, out int bytes)
            ? Math.Min(bytes, SessionState.DefaultTableBytes)
            : SessionState.DefaultTableBytes;

    // Held and locked as the image is: a journal that another mount writes is as bad.
    private static ImageFile OpenJournal(string path)
    {
        try
        {
            return ImageFile.Open(path);
        }
        catch (MountException e)
        {
            throw new MountException(e.ExitCode, $"journal {path}: {e.Message}");
        }
    }

    private static Libc.PollFd Readable(Descriptor? descriptor) => new() { Descriptor = descriptor?.Number ?? -1, Events = Libc.POLLIN };

    private int EndAfterUnmount()
    {
        // Its reads end with ENODEV as our poll did.
        if (_service!.Worker is WorkerProcess worker)
        {
            worker.ForwardWords();
            _ = worker.HasEnded(milliseconds: 900);
        }
        Ended(_log);
        return ExitCode.Success;
    }

    private int GiveUp(string why)
    {
        // The end of the mount and the end of the worker race to us: a worker that saw the mount go has done nothing wrong.
        if (_mount!.IsGone)
            return EndAfterUnmount();
        NoHope(_log, why, MountPoint);
        _desk?.TellAll(why);
        _mount.Abort();
        _mount.Leave();
        return ExitCode.MountFailure;
    }

    private void Unmount()
    {
        _nextLook = 0;
        _ = _signals.Read(stackalloc byte[8], out _);
        switch (_mount!.Unmount(lazily: false))
        {
            case UnmountResult.Done:
                break;
            case UnmountResult.Busy:
                Busy(_log, MountPoint);
                _mount.Unmount(lazily: true);
                break;
            case UnmountResult.Failed:
                // Somebody else's mount lies over ours, or it went at this moment: the next poll will tell.
                _mount.Unmount(lazily: true);
                break;
        }
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        _ = _signals.Write([1, 0, 0, 0, 0, 0, 0, 0]);
    }

    // Nobody shall have a file of that name. Not by the cryptographic generator: that brings OpenSSL with it, which nothing else in this process needs.
    private static ulong NewToken() => BitConverter.ToUInt64(Guid.NewGuid().ToByteArray()) | 1;

    [LoggerMessage(LogLevel.Warning, "{Message}")]
    private static partial void Note(ILogger log, string message);

    [LoggerMessage(LogLevel.Warning, "no control socket ({Problem}); fuse4fs umount --wait cannot wait for this mount")]
    private static partial void NoControl(ILogger log, string problem);

    [LoggerMessage(LogLevel.Warning, "no empty directory for the worker ({Problem}): it sees the filesystem")]
    private static partial void NoEmptyFolder(ILogger log, string problem);

    [LoggerMessage(LogLevel.Information, "unmounted")]
    private static partial void Ended(ILogger log);

    [LoggerMessage(LogLevel.Warning, "{MountPoint} is busy; unmounted lazily: served until its last user leaves")]
    private static partial void Busy(ILogger log, string mountPoint);

    [LoggerMessage(LogLevel.Error, "gives up: {Why}; {MountPoint} answers ENOTCONN until fuse4fs umount")]
    private static partial void NoHope(ILogger log, string why, string mountPoint);
}
