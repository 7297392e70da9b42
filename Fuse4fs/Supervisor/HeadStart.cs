using System.Globalization;
using Fuse4fs.Device;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>
/// Starts a supervisor in the background and its first worker at once, so that their runtimes start side by side in place of one after the other. A worker must be a child
/// of its supervisor's, and no process with a CLR in it may fork: so a shell starts the worker, and then becomes the supervisor.
/// </summary>
internal static class HeadStart
{
    // Beside the 3 and 4 of its caller. Numbers of one digit: sh(1) knows no others.
    private const int Channel = 5;
    private const int Words = 6;
    private const int WorkersChannel = 7;
    private const int WorkersLog = 8;

    // Each is left what is its own: WorkerDescriptors, and 3 to 6.
    private const string WorkersDescriptors = " 2>&8 3>&7 4>&- 5>&- 6>&- 7>&- 8>&-";
    private const string SupervisorsDescriptors = " 7>&- 8>&-";

    private const string NoWorker = "0";

    /// <summary>Starts both; the process that becomes the supervisor.</summary>
    /// <param name="program">The command line of this program.</param>
    /// <param name="role">The supervisor's first argument; its second is for <see cref="Adopt"/>.</param>
    /// <param name="arguments">Its further arguments.</param>
    /// <param name="link">What it finds as 3.</param>
    /// <param name="terminal">What it finds as 4.</param>
    /// <exception cref="SystemCallException">No process can be had.</exception>
    public static ChildProcess Run(string[] program, string role, string[] arguments, Descriptor link, Descriptor terminal)
    {
        (Descriptor channel, Descriptor workersChannel) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        (Descriptor words, Descriptor workersLog) = Descriptor.Pipe();
        string ownProgram = Quoted(program);
        string worker = "PATH=$PATH:/usr/bin:/bin exec env -i " + Quoted(WorkerStarter.Environment()) + ownProgram + WorkerDescriptors.Argument + WorkersDescriptors;
        string supervisor = "exec " + ownProgram + "\"$0\" $! \"$@\"" + SupervisorsDescriptors;
        try
        {
            return ChildProcess.Start(
                ["/bin/sh", "-c", worker + " & " + supervisor, role, .. arguments],
                environment: null,
                [(link, 3), (terminal, 4), (channel, Channel), (words, Words), (workersChannel, WorkersChannel), (workersLog, WorkersLog)],
                newSession: true);
        }
        catch (SystemCallException)
        {
            // No shell, as a rule: one after the other, then. If that was not the reason, this will say so.
            return ChildProcess.Start([.. program, role, NoWorker, .. arguments], environment: null, [(link, 3), (terminal, 4)], newSession: true);
        }
        finally
        {
            channel.Dispose();
            workersChannel.Dispose();
            words.Dispose();
            workersLog.Dispose();
        }
    }

    /// <summary>The worker that was started with this process; null if there is none, or none any more: without env(1) the shell could not start it.</summary>
    /// <param name="word">This process's second argument.</param>
    /// <param name="log">Where the worker's lines go.</param>
    public static WorkerProcess? Adopt(string word, ILogger log)
    {
        if (word == NoWorker)
            return null;
        ChildProcess process = ChildProcess.Adopt(int.Parse(word, CultureInfo.InvariantCulture));
        (var channel, var words) = (new Descriptor(Channel), new Descriptor(Words));
        if (!process.HasEnded())
            return new WorkerProcess(process, new MessageSocket(channel), words, log);
        channel.Dispose();
        words.Dispose();
        return null;
    }

    private static string Quoted(string[] words)
    {
        string quoted = "";
        foreach (string word in words)
            quoted += "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "' ";
        return quoted;
    }
}
