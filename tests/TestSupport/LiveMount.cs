using System.Diagnostics;
using System.Text;

namespace TestSupport;

/// <summary>
/// An image mounted by fuse4fs for one test. Whatever happens, it ends: at the limit the connection is aborted, which frees every call
/// that hangs in the mount, and disposing unmounts, if need be lazily, and kills what is left of our own processes.
/// </summary>
public sealed class LiveMount : IDisposable
{
    private readonly ScratchFolder _folder;
    private readonly StringBuilder _log = new();
    private readonly Timer _limit;
#pragma warning disable CA2213 // disposed, behind a null check the analyzer does not follow
    private readonly Process? _foreground;
#pragma warning restore CA2213
    private readonly List<int> _processes = [];
    private readonly int _minor;
    private bool _mayEnd;

    private LiveMount(string program, string image, string? options, bool foreground, double limitSeconds, ScratchFolder folder, params string[] arguments)
    {
        _folder = folder;
        Image = image;
        MountPoint = folder.Folder("mount");
        _limit = new Timer(_ => Abort("the test's time is over"), null, TimeSpan.FromSeconds(limitSeconds), Timeout.InfiniteTimeSpan);
        string[] command = [program, "mount", image, MountPoint, .. options is null ? (string[])[] : ["-o", options], .. arguments];
        try
        {
            if (foreground)
            {
                _foreground = Command.Start(FuseServer.Environment, [.. command, "--foreground"]);
                _ = Command.Collect(_foreground.StandardOutput, _log);
                _ = Command.Collect(_foreground.StandardError, _log);
                Deadline.In(20).WaitUntil(() => _foreground.HasExited || IsMounted, $"mounted: {string.Join(' ', command)}");
                if (_foreground.HasExited)
                    throw new InvalidOperationException($"ended with {_foreground.ExitCode} instead of mounting {image}: {Log}");
            }
            else
            {
                CommandResult result = Command.Run(30, FuseServer.Environment, command).OrThrow();
                _log.Append(result.Output).Append(result.Errors);
                if (!IsMounted)
                    throw new InvalidOperationException($"ended with 0 before the mount was there: {result}");
            }
            _minor = Entry!.DeviceMinor;
            _processes.AddRange(FuseServer.ProcessesOf(MountPoint));
        }
        catch
        {
            End();
            throw;
        }
    }

    public string Image { get; }

    public string MountPoint { get; }

    /// <summary>Everything the command has said so far.</summary>
    public string Log => Command.Text(_log);

    public MountEntry? Entry => MountTable.Find(MountPoint);

    public bool IsMounted => Entry?.Type.StartsWith("fuse", StringComparison.Ordinal) == true;

    /// <summary>Supervisor first, worker second.</summary>
    public IReadOnlyList<int> Processes => _processes;

    public int Supervisor => _processes[0];

    public int Worker => _processes.First(FuseServer.IsWorker);

    /// <summary>The supervisor as our own child. Only a foreground mount has one.</summary>
    public Process Foreground => _foreground ?? throw new InvalidOperationException("not a foreground mount");

    public static LiveMount Foregrounded(string image, string? options = null, double limitSeconds = 60, params string[] arguments) =>
        new(FuseServer.Path, image, options, foreground: true, limitSeconds, new ScratchFolder(), arguments);

    /// <summary>By another copy of the program.</summary>
    public static LiveMount OfProgram(string program, string image, double limitSeconds = 60) =>
        new(program, image, options: null, foreground: true, limitSeconds, new ScratchFolder());

    public static LiveMount Daemon(string image, string? options = null, double limitSeconds = 60) =>
        new(FuseServer.Path, image, options, foreground: false, limitSeconds, new ScratchFolder());

    public string PathOf(string name) => Path.Combine(MountPoint, name);

    /// <summary>Waits until the mount is gone and no process of ours is left; answers the foreground command's exit code, or null.</summary>
    public int? WaitForEnd(double seconds = 5)
    {
        _mayEnd = true;
        Deadline deadline = Deadline.In(seconds);
        deadline.WaitUntil(() => !IsMounted, $"unmounted: {MountPoint}; the log: {Log}");
        // Our own child is reaped by Process only; the others by whoever adopted them.
        if (_foreground is not null && !_foreground.WaitForExit(deadline.Remaining))
            throw new TimeoutException($"the command has not ended {seconds} s after its mount; the log: {Log}");
        deadline.WaitUntil(() => !_processes.Any(FuseServer.IsAlive), $"both processes gone; the log: {Log}");
        return _foreground?.ExitCode;
    }

    public void Dispose()
    {
        bool endedByItself = !_mayEnd && _minor != 0 && !IsMounted;
        End();
#pragma warning disable CA1065 // what the test has found is of no use: it looked at an empty folder
        if (endedByItself)
            throw new InvalidOperationException($"{MountPoint} ended before its test, which had not asked for it; the log: {Log}");
#pragma warning restore CA1065
    }

    private void End()
    {
        try
        {
            if (IsMounted && Command.Run(5, null, "umount", MountPoint).ExitCode != 0 && IsMounted)
                Command.Run(5, null, "umount", "--lazy", MountPoint);
        }
        catch (TimeoutException)
        {
            Abort("unmounting hangs");
            Command.Run(5, null, "umount", "--lazy", MountPoint);
        }
        finally
        {
            if (!Deadline.In(3).TryWaitUntil(() => !Leftovers().Any()))
                Abort("processes are left after the unmount");
            foreach (int process in Leftovers())
                _ = Libc.Kill(process, 9);
            _foreground?.WaitForExit(3000);
            _foreground?.Dispose();
            _limit.Dispose();
            _folder.Dispose();
        }
    }

    private IEnumerable<int> Leftovers() =>
        _processes.Where(FuseServer.IsAlive).Concat(_foreground is { HasExited: false } ? [_foreground.Id] : []).Distinct();

    /// <summary>
    /// Ends the connection from the kernel's side, so that every call that waits in the mount gets an error; then our processes, which
    /// does the same should the first not work.
    /// </summary>
    private void Abort(string why)
    {
        _mayEnd = true;
        int minor = _minor != 0 ? _minor : Entry?.DeviceMinor ?? 0;
        Console.Error.WriteLine($"{MountPoint}: {why}; aborting connection {minor}. The log: {Log}");
        if (minor != 0)
            FuseConnection.Abort(minor);
        foreach (int process in Leftovers())
            _ = Libc.Kill(process, 9);
    }
}
