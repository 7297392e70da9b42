using Fuse4fs.Device;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>Starts workers, all in the same way: on the supervisor's main thread, with which they die.</summary>
/// <param name="program">The command line of this program: one word, or two where a host runs it.</param>
/// <param name="state">The state.</param>
/// <param name="log">Where the workers' lines go.</param>
internal sealed class WorkerStarter(string[] program, SessionState state, ILogger log)
{
    private static readonly string[] Settings =
    [
        "DOTNET_EnableDiagnostics=0", // no debugger's socket in /tmp
        // Managed memory is bounded whatever an image says: the block cache, tables of large directories, and some air.
        "DOTNET_GCHeapHardLimit=0xB000000", // 176 MiB
#if !COMPILED_BEFOREHAND
        // What answers requests is hot from the first listing on, and slow until it is compiled well. By default the runtime waits until nothing new has been called for a
        // tenth of a second before it so much as counts calls: by then a listing of 50,000 names is over.
        "DOTNET_TC_CallCountingDelayMs=1",
#endif
    ];

    /// <summary>An empty directory, the workers' whole filesystem; null without root's rights.</summary>
    public Descriptor? Root { get; set; }

    /// <summary>Starts a worker, which makes ready and waits for an image.</summary>
    public WorkerProcess Start()
    {
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        try
        {
            ChildProcess process = ChildProcess.Start(
                [.. program, WorkerDescriptors.Argument],
                Environment(),
                [(speaker, WorkerDescriptors.Log), (theirs, WorkerDescriptors.Channel)],
                newSession: false);
            return new WorkerProcess(process, new MessageSocket(ours), words, log);
        }
        catch
        {
            ours.Dispose();
            words.Dispose();
            throw;
        }
        finally
        {
            theirs.Dispose();
            speaker.Dispose();
        }
    }

    /// <summary>Gives a worker what it is to serve. It begins.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="image">The image, read-only.</param>
    /// <param name="journal">The external journal, read-only, or null.</param>
    public void Give(WorkerProcess worker, Descriptor image, Descriptor? journal) => worker.Give(state.Descriptor, image, journal, Root);

    /// <summary>What of the environment a worker gets, NAME=VALUE: of its caller's as little as the runtime can do with, and our own settings whatever the caller's say.</summary>
    public static string[] Environment()
    {
        List<string> environment = ChildProcess.OwnEnvironment();
        for (int i = environment.Count - 1; i >= 0; i--)
        {
            bool isRuntimes = environment[i].StartsWith("DOTNET_", StringComparison.Ordinal) || environment[i].StartsWith("PATH=", StringComparison.Ordinal);
            if (!isRuntimes || IsSet(environment[i]))
                environment.RemoveAt(i);
        }
        environment.AddRange(Settings);
        return environment.ToArray();
    }

    private static bool IsSet(string variable)
    {
        foreach (string setting in Settings)
            if (variable.StartsWith(setting.AsSpan(0, setting.IndexOf('=', StringComparison.Ordinal) + 1), StringComparison.Ordinal))
                return true;
        return false;
    }
}
