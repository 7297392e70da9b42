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
    private readonly MountRequest _request;
    private readonly IReadOnlyList<string> _program;
    private readonly ILogger _log;
    private readonly Descriptor _signals;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private ImageFile? _image;
    private ImageFile? _journal;
    private SessionState? _state;
    private WorkerProcess? _worker;
    private FuseMount? _mount;
    private ControlSocket? _control;

    /// <param name="request">What to mount, and how.</param>
    /// <param name="program">The command line of this program, for workers.</param>
    /// <param name="log">The log.</param>
    public SupervisorProcess(MountRequest request, IReadOnlyList<string> program, ILogger log)
    {
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
        MountSpecification specification = FuseMount.Specify(_request, root);
        _image = ImageFile.Open(_request.Image);
        _journal = _request.Journal is string journal ? OpenJournal(journal) : null;
        specification = specification with { Source = _request.SourceName ?? Source(_image) };
        FuseDevice? device = root ? FuseMount.OpenDevice() : null;
        _state = SessionState.Create(WithSelector(_request.Serve, _image.Selector));
        _worker = WorkerProcess.Start(_program, _image.Descriptor, _state, _log, _journal?.Descriptor);
        const int Patience = 60_000; // a hostile image is told apart in a few seconds; a slow disk may take its time
        if (_worker.AwaitVerdict(Patience) is string reason)
            throw new MountException(ExitCode.MountFailure, reason);

        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP])
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        _mount = FuseMount.Create(specification, device, root);
        _mount.Negotiate(_request.ReadDirPlus, _request.Acl && _request.DefaultPermissions, ref _state.Negotiated);
        _state.PrimingToken = NewToken();
        _worker.Go(_mount.Device);
        _mount.RaiseReadahead();
        _control = ControlSocket.TryOpen(_mount.Minor, out string problem);
        if (_control is null)
            NoControl(_log, problem);
        return SessionState.PrimingName(_state.PrimingToken);
    }

    /// <summary>Supervises until the mount is gone.</summary>
    /// <param name="primer">Closed by whoever primes the mount when that is done; null when nobody does.</param>
    /// <returns>0 after an unmount, 32 when the worker died.</returns>
    public int Supervise(Descriptor? primer)
    {
        const int Device = 0, Signals = 1, Worker = 2, Words = 3, Control = 4, Primer = 5;
        Span<Libc.PollFd> watched = stackalloc Libc.PollFd[6];
        // The device only for its end: requests are the worker's.
        watched[Device] = new() { Descriptor = _mount!.Device.Descriptor.Number };
        watched[Signals] = new() { Descriptor = _signals.Number, Events = Libc.POLLIN };
        watched[Worker] = new() { Descriptor = _worker!.Channel.Number, Events = Libc.POLLIN };
        watched[Words] = new() { Descriptor = _worker.Words.Number, Events = Libc.POLLIN };
        watched[Control] = new() { Descriptor = _control?.Listener.Number ?? -1, Events = Libc.POLLIN };
        watched[Primer] = new() { Descriptor = primer?.Number ?? -1, Events = Libc.POLLIN };
        while (true)
        {
            _ = Descriptor.Poll(watched, milliseconds: -1);
            if (watched[Words].Returned != 0)
            {
                _worker.ForwardWords();
                if ((watched[Words].Returned & Libc.POLLIN) == 0)
                    watched[Words].Descriptor = -1; // closed, with nothing left in it
            }
            if (watched[Device].Returned != 0)
                return EndAfterUnmount();
            if (watched[Worker].Returned != 0)
                return EndAfterDeath();
            if (watched[Signals].Returned != 0)
                Unmount();
            if (watched[Control].Returned != 0)
                _control!.Accept();
            if (watched[Primer].Returned != 0)
            {
                _state!.PrimingToken = 0;
                watched[Primer].Descriptor = -1;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Order matters: whoever waits at the control socket must find the image closed.
        _mount?.Dispose();
        _worker?.Dispose();
        _state?.Dispose();
        _image?.Dispose();
        _journal?.Dispose();
        _control?.Dispose();
        _registrations.ForEach(registration => registration.Dispose());
        _signals.Dispose();
    }

    // As the user wrote it but absolute: with the selector where that was part of the name, so that mount(8) finds a line of fstab mounted.
    private static string Source(ImageFile image) => image.Selector is null ? image.Path : $"{image.Path}@{image.Selector}";

    private static ServeOptions WithSelector(ServeOptions options, string? selector)
    {
        if (selector is null)
            return options;
        if (options.HasImageOffset || !options.Partition.IsEmpty)
        {
            string option = options.HasImageOffset ? "offset" : "partition";
            throw new MountException(ExitCode.Usage, $"@{selector} and mount option '{option}' exclude each other");
        }
        return ShortText.TryFrom(selector, out ShortText text)
            ? options with { Partition = text }
            : throw new MountException(ExitCode.Usage, $"what follows the @ is longer than any partition's name: at most {ShortText.Capacity} bytes");
    }

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

    private int EndAfterUnmount()
    {
        _worker!.ForwardWords();
        // Its reads end with ENODEV as our poll did.
        if (!_worker.HasEnded(milliseconds: 900))
            _worker.Kill();
        Ended(_log);
        return ExitCode.Success;
    }

    private int EndAfterDeath()
    {
        _ = _worker!.HasEnded(milliseconds: 2000);
        // The end of the mount and the end of the worker race to us: a worker that saw the mount go has done nothing wrong.
        if (_mount!.IsGone)
            return EndAfterUnmount();
        _worker.ForwardWords();
        WorkerDied(_log, _worker.Id, _worker.DescribeEnd(), MountPoint);
        _mount.Abort();
        _mount.Unmount(lazily: true);
        return ExitCode.MountFailure;
    }

    private void Unmount()
    {
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

    private static ulong NewToken()
    {
        Span<byte> bytes = stackalloc byte[8];
        System.Security.Cryptography.RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes) | 1;
    }

    [LoggerMessage(LogLevel.Warning, "{Message}")]
    private static partial void Note(ILogger log, string message);

    [LoggerMessage(LogLevel.Warning, "no control socket ({Problem}); fuse4fs umount --wait cannot wait for this mount")]
    private static partial void NoControl(ILogger log, string problem);

    [LoggerMessage(LogLevel.Information, "unmounted")]
    private static partial void Ended(ILogger log);

    [LoggerMessage(LogLevel.Warning, "{MountPoint} is busy; unmounted lazily: served until its last user leaves")]
    private static partial void Busy(ILogger log, string mountPoint);

    [LoggerMessage(LogLevel.Error, "worker {Id} died ({End}); {MountPoint} is unmounted: mount the image again")]
    private static partial void WorkerDied(ILogger log, int id, string end, string mountPoint);
}
