using System.Text;
using Fuse4fs.Device;
using Fuse4fs.Diagnostics;
using Fuse4fs.Supervisor;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Commands;

/// <summary>
/// <c>fuse4fs mount</c>. In the foreground this process is the supervisor. Otherwise it starts one that leaves the terminal, waits for its word,
/// primes the mount and returns.
/// </summary>
internal static class MountCommand
{
    /// <summary>First argument of a supervisor in the background. Not for people.</summary>
    public const string BackgroundArgument = "__supervisor";

    /// <summary>First argument of the process that primes a mount in the foreground. Not for people.</summary>
    public const string PrimerArgument = "__primer";

    private const int Link = 3; // where a child of ours finds its end of the socket to us
    private const int Words = 4; // and, in the background, what was stderr
    private const int PrimingPatience = 10_000;

    private static Descriptor _terminal = new(2);

    private static string? _worker;

    /// <summary>Whether this process was started as a supervisor in the background.</summary>
    public static bool IsBackground => _worker is not null;

    /// <summary>This process was started as a supervisor in the background.</summary>
    /// <param name="worker">The argument that says which is its first worker.</param>
    public static void BeInBackground(string worker)
    {
        _worker = worker;
        _terminal = new Descriptor(Words);
    }

    /// <summary>The arguments of this process, to start it again.</summary>
    public static string[] OwnArguments { get; set; } = [];

    /// <summary>Mounts; the exit code.</summary>
    public static int Run(MountRequest request)
    {
        try
        {
            return IsBackground ? SuperviseInBackground(request)
                : request.Foreground ? SuperviseInForeground(request)
                : StartInBackground();
        }
        catch (MountException e)
        {
            Say($"{request.Image}: {e.Message}");
            return e.ExitCode;
        }
        catch (SystemCallException e)
        {
            Say($"{request.Image}: {e.Message}");
            return ExitCode.System;
        }
    }

    /// <summary>Starts the supervisor for what this process was asked, waits for its word and primes the mount; the exit code.</summary>
    public static int StartInBackground()
    {
        try
        {
            (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_STREAM);
            using (ours)
            {
                // Its 0 to 2 are /dev/null from the start: the runtime keeps copies of what it finds there, and whoever waits for the end of our output must
                // not wait for a mount to end.
                ChildProcess supervisor = HeadStart.Run(Self.Program, BackgroundArgument, OwnArguments, theirs, _terminal);
                theirs.Dispose();
                if (ReadWords(ours) is not [var mountPoint, var fileName])
                {
                    // It has said why.
                    return supervisor.HasEnded(milliseconds: 5000) ? supervisor.ExitCode : ExitCode.System;
                }
                if (!Priming.Run(mountPoint, fileName, PrimingPatience))
                    Say($"{mountPoint}: mounted, but it does not answer");
                return ExitCode.Success;
            }
        }
        catch (SystemCallException e)
        {
            Say(e.Message);
            return ExitCode.System;
        }
    }

    /// <summary>One line for the user.</summary>
    public static void Say(string line) => new DescriptorSink(_terminal, withTime: false).Write(LogLevel.Error, line.ReplaceLineEndings(" "));

    /// <summary>The process that primes a mount in the foreground: waits for its supervisor's word, does it and ends.</summary>
    public static int Prime()
    {
        using var supervisor = new Descriptor(Link);
        if (ReadWords(supervisor) is [var mountPoint, var fileName])
            _ = Priming.Run(mountPoint, fileName, PrimingPatience);
        return ExitCode.Success;
    }

    private static int SuperviseInForeground(MountRequest request)
    {
        // Started before the device is opened, so that at no moment a process that is neither supervisor nor worker holds it.
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_STREAM);
        using (ours)
        {
            ChildProcess primer = ChildProcess.Start([.. Self.Program, PrimerArgument], environment: null, [(theirs, Link)], newSession: false);
            theirs.Dispose();
            try
            {
                using var supervisor = new SupervisorProcess(request, Self.Program, Log(request, toSyslog: false));
                string primingFile = supervisor.Mount();
                SendWords(ours, supervisor.MountPoint, primingFile);
                return supervisor.Supervise(ours);
            }
            finally
            {
                primer.Kill();
            }
        }
    }

    // The other side of StartInBackground.
    private static int SuperviseInBackground(MountRequest request)
    {
        using var starter = new Descriptor(Link);
        ILogger log = Log(request, toSyslog: true);
        var both = new Forked(log, Log(request with { LogFile = null }, toSyslog: false));
        using var supervisor = new SupervisorProcess(request, Self.Program, both, HeadStart.Adopt(_worker!, both));
        string primingFile = supervisor.Mount();
        LeaveTerminal();
        SendWords(starter, supervisor.MountPoint, primingFile);
        return supervisor.Supervise(starter);
    }

    private static void SendWords(Descriptor socket, string mountPoint, string fileName) =>
        _ = socket.Write(Encoding.UTF8.GetBytes($"{mountPoint}\0{fileName}\0"));

    // Two words, or none when the other side is gone before it has said them.
    private static string[] ReadWords(Descriptor socket)
    {
        byte[] buffer = new byte[16 * 1024];
        int length = 0;
        int count;
        while (buffer.AsSpan(0, length).Count((byte)0) < 2 && (count = socket.Read(buffer.AsSpan(length), out _)) > 0)
            length += count;
        string[] words = Encoding.UTF8.GetString(buffer, 0, length).Split('\0');
        return words.Length == 3 ? words[..2] : [];
    }

    private static void LeaveTerminal()
    {
        Directory.SetCurrentDirectory("/");
        _terminal.Dispose();
    }

    private static LineLogger Log(MountRequest request, bool toSyslog)
    {
        ILogSink sink;
        if (request.LogFile is not null)
        {
            Descriptor file = Descriptor.TryOpen(Path.GetFullPath(request.LogFile), Libc.O_WRONLY | Libc.O_CREAT | Libc.O_APPEND, out Protocol.Errno errno, 0x180)
                ?? throw new MountException(ExitCode.System, $"log file {request.LogFile}: {SystemCall.Describe(errno)}");
            sink = new DescriptorSink(file, withTime: true);
        }
        else
        {
            sink = toSyslog ? new SyslogSink() : new DescriptorSink(_terminal, withTime: false);
        }
        return new LineLogger(sink, request.Image + ": ");
    }

    // Until the terminal is left, what concerns the user is said there, too.
    private sealed class Forked(ILogger lasting, ILogger terminal) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => lasting.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lasting.Log(logLevel, eventId, state, exception, formatter);
            terminal.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
