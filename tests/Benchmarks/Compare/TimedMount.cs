using System.Diagnostics;
using System.Text;
using TestSupport;

namespace Benchmarks.Compare;

/// <summary>A mount by a candidate. Whatever happens, it ends: what hangs is aborted, and unmounted lazily.</summary>
internal sealed class TimedMount : IDisposable
{
    private const double Patience = 30;

    private readonly ScratchFolder _folder = new();
    private readonly Process _command;
    private bool _disposed;

    /// <summary>Mounts. <see cref="Seconds"/> has the time from starting the command to the first answer from inside.</summary>
    public TimedMount(Candidate candidate, string image)
    {
        MountPoint = _folder.Folder("mount");
        long start = Stopwatch.GetTimestamp();
        _command = TestSupport.Command.Start(FuseServer.Environment, candidate.Command(image, MountPoint));
        try
        {
            if (candidate.StaysInForeground)
                Deadline.In(Patience).WaitUntil(() => MountTable.Find(MountPoint) is not null || _command.HasExited, "mounted");
            else if (!_command.WaitForExit(TimeSpan.FromSeconds(Patience)))
                throw new TimeoutException("still mounting");
            if (_command.HasExited && (candidate.StaysInForeground || _command.ExitCode != 0))
                throw new IOException($"ended with {_command.ExitCode}: {_command.StandardError.ReadToEnd().Trim()}");
            Within(Patience, () => Client.Walk(MountPoint + "/lost+found", WalkDepth.List));
            Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPoint { get; }

    /// <summary>How long mounting took.</summary>
    public double Seconds { get; }

    /// <summary>Does something inside, on another thread: a server that does not answer costs its row, not the whole run.</summary>
    public Outcome Within(double seconds, Func<Outcome> action)
    {
        Outcome outcome = default;
        try
        {
            Deadline.In(seconds).Run(() => outcome = action(), "an answer");
        }
        catch (TimeoutException)
        {
            Abort();
            throw;
        }
        return outcome;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            Deadline patience = Deadline.In(5);
            while (MountTable.Find(MountPoint) is not null && TestSupport.Command.Run(20, null, "umount", MountPoint).ExitCode != 0)
            {
                if (patience.HasPassed)
                    Abort();
                if (patience.HasPassed)
                    _ = TestSupport.Command.Run(20, null, "umount", "--lazy", MountPoint);
            }
            // The next one is not to share the machine with what this one still has to clear away.
            if (!Deadline.In(10).TryWaitUntil(() => !Servers().Any()))
                foreach (int left in Servers().ToArray())
                    KillIfThere(left);
        }
        finally
        {
            if (!_command.HasExited && !_command.WaitForExit(TimeSpan.FromSeconds(10)))
                _command.Kill();
            _command.Dispose();
            _folder.Dispose();
        }
    }

    private void Abort()
    {
        if (MountTable.Find(MountPoint) is { Type: var type, DeviceMinor: int minor } && type.StartsWith("fuse", StringComparison.Ordinal))
            FuseConnection.Abort(minor);
    }

    private static void KillIfThere(int process)
    {
        try
        {
            using Process left = Process.GetProcessById(process);
            left.Kill();
        }
        catch (ArgumentException)
        {
            // It has ended meanwhile.
        }
    }

    // Known by the mount point on their command lines, which nobody else has.
    private IEnumerable<int> Servers()
    {
        byte[] place = Encoding.UTF8.GetBytes(MountPoint);
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), out int process) && CommandLineOf(folder).AsSpan().IndexOf(place) >= 0)
                yield return process;
    }

    private static byte[] CommandLineOf(string folder)
    {
        try
        {
            return File.ReadAllBytes(folder + "/cmdline");
        }
        catch (IOException)
        {
            return []; // it has ended meanwhile
        }
    }
}
