using System.Runtime.InteropServices;
using System.Text;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// A process of ours, started by posix_spawn(3): fork(2) in a process with a CLR in it is unsafe, and Process.Start gives no say in
/// what a child inherits.
/// </summary>
internal sealed unsafe class ChildProcess
{
    private const int MostDescriptors = 4096; // that anybody might have left us where we must ask for each
    private bool _reaped;

    private ChildProcess(int id) => Id = id;

    /// <summary>The process's pid.</summary>
    public int Id { get; }

    /// <summary>The status of waitpid(2); meaningful after <see cref="HasEnded"/> answered true.</summary>
    public int Status { get; private set; }

    /// <summary>Starts a program with descriptors of our choice.</summary>
    /// <param name="command">Program (looked for on the PATH where it has no slash) and arguments.</param>
    /// <param name="environment">NAME=VALUE, all of them; null for those of this process.</param>
    /// <param name="inherited">Which of our descriptors the child has under which number; 0, 1 and 2 are /dev/null unless named here.</param>
    /// <param name="newSession">Whether it leaves our session and terminal.</param>
    /// <exception cref="SystemCallException">The program is not there, or no process can be had.</exception>
    public static ChildProcess Start(
        string[] command,
        string[]? environment,
        (Descriptor From, int To)[] inherited,
        bool newSession)
    {
        KeepOthersFromInheriting();
        // Opaque structures of libc: 80 and 336 bytes in glibc, 80 and 336 in musl.
        byte* actions = stackalloc byte[512];
        byte* attributes = stackalloc byte[1024];
        byte* signals = stackalloc byte[256];
        // Sources above all targets, so that no duplication overwrites the source of a later one.
        var sources = new Descriptor[inherited.Length];
        for (int i = 0; i < sources.Length; i++)
            sources[i] = inherited[i].From.Duplicate(least: 64);
        using var arguments = new StringVector(command);
        using StringVector? variables = environment is null ? null : new StringVector(environment);
        _ = Libc.FileActionsInit(actions);
        _ = Libc.SpawnAttributesInit(attributes);
        try
        {
            for (int standard = 0; standard < 3; standard++)
                if (!IsGiven(inherited, standard))
                    _ = Libc.FileActionsAddOpen(actions, standard, "/dev/null", standard == 0 ? Libc.O_RDONLY : Libc.O_WRONLY, 0);
            for (int i = 0; i < sources.Length; i++)
                _ = Libc.FileActionsAddDup2(actions, sources[i].Number, inherited[i].To);
            // The runtime ignores SIGPIPE, and ignored signals stay ignored across exec.
            _ = Libc.SignalSetEmpty(signals);
            _ = Libc.SpawnAttributesSetSignalMask(attributes, signals);
            _ = Libc.SignalSetAdd(signals, Libc.SIGPIPE);
            _ = Libc.SpawnAttributesSetSignalDefault(attributes, signals);
            short flags = (short)(Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK | (newSession ? Libc.POSIX_SPAWN_SETSID : 0));
            _ = Libc.SpawnAttributesSetFlags(attributes, flags);

            int process;
            int error = Libc.SpawnFromPath(&process, arguments.First, actions, attributes, arguments.Start, variables is null ? OwnVariables() : variables.Start);
            if (error != 0)
                throw new SystemCallException($"starting {command[0]}", (Errno)error);
            return new ChildProcess(process);
        }
        finally
        {
            _ = Libc.SpawnAttributesDestroy(attributes);
            _ = Libc.FileActionsDestroy(actions);
            foreach (Descriptor source in sources)
                source.Dispose();
        }
    }

    // A loop, as elsewhere in this file, and arrays: this is the start of every mount, and queries, or lists of pairs, would have the runtime load and compile what nothing else there needs.
    private static bool IsGiven((Descriptor From, int To)[] inherited, int number)
    {
        foreach ((Descriptor _, int to) in inherited)
            if (to == number)
                return true;
        return false;
    }

    /// <summary>A child of this process that was started before this process became this program.</summary>
    public static ChildProcess Adopt(int id) => new(id);

    /// <summary>The environment of this process, for a child that shall have a part of it, or more.</summary>
    public static List<string> OwnEnvironment()
    {
        var all = new List<string>();
        for (byte** variable = OwnVariables(); *variable is not null; variable++)
            all.Add(Marshal.PtrToStringUTF8((nint)(*variable))!);
        return all;
    }

    // As libc has it (environ(7)): what the runtime makes of it, it makes for itself.
    private static byte** OwnVariables() => *(byte***)NativeLibrary.GetExport(NativeLibrary.GetMainProgramHandle(), "environ");

    /// <summary>Sends a signal, unless the process is known to have ended (its number may be another's by now).</summary>
    public void Signal(int signal)
    {
        if (!_reaped)
            _ = Libc.Kill(Id, signal);
    }

    /// <summary>Whether the process has ended; waits for that at most this long.</summary>
    public bool HasEnded(int milliseconds = 0)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (!_reaped)
        {
            int status;
            int answer = Libc.WaitPid(Id, &status, Libc.WNOHANG);
            if (answer == Id)
            {
                _reaped = true;
                Status = status;
            }
            else if (answer < 0 && SystemCall.LastError != Errno.EINTR)
            {
                _reaped = true; // somebody else waited for it
            }
            else if (Environment.TickCount64 >= end)
            {
                return false;
            }
            else
            {
                Thread.Sleep(1);
            }
        }
        return true;
    }

    /// <summary>Ends the process for certain.</summary>
    public void Kill()
    {
        Signal(Libc.SIGKILL);
        _ = HasEnded(5000);
    }

    /// <summary>How the process ended, in words: "signal 9" or "exit 3".</summary>
    public string DescribeEnd() => (Status & 0x7f) != 0 ? $"signal {Status & 0x7f}" : $"exit {ExitCode}";

    /// <summary>The exit code; 128 and the signal's number where a signal ended it, as in a shell.</summary>
    public int ExitCode => (Status & 0x7f) != 0 ? 128 + (Status & 0x7f) : (Status >> 8) & 0xff;

    // What we inherited ourselves is not close-on-exec, and no business of a child's. By number alone: to list /proc/self/fd the class library looks at what each
    // descriptor leads to, and waits there for ever if that is on a filesystem whose server is gone.
    private static void KeepOthersFromInheriting()
    {
        const int First = 3;
        if (Libc.SystemCall(Libc.SYS_close_range, First, int.MaxValue, (void*)Libc.CLOSE_RANGE_CLOEXEC) == 0)
            return;
        // Before Linux 5.11. Most of them are not open, and say so.
        for (int number = First; number < MostDescriptors; number++)
            _ = Libc.FControl(number, Libc.F_SETFD, Libc.FD_CLOEXEC);
    }

    // A NULL-terminated array of C strings.
    private sealed class StringVector : IDisposable
    {
        private readonly int _count;

        public StringVector(string[] strings)
        {
            _count = strings.Length;
            Start = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
            for (int i = 0; i < _count; i++)
            {
                int size = Encoding.UTF8.GetByteCount(strings[i]);
                Start[i] = (byte*)NativeMemory.AllocZeroed((nuint)(size + 1));
                Encoding.UTF8.GetBytes(strings[i], new Span<byte>(Start[i], size));
            }
        }

        public byte** Start { get; }

        public byte* First => Start[0];

        public void Dispose()
        {
            for (int i = 0; i < _count; i++)
                NativeMemory.Free(Start[i]);
            NativeMemory.Free(Start);
        }
    }
}
