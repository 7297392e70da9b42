using Fuse4fs.Device;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>Starts workers, all in the same way: on the supervisor's main thread, with which they die.</summary>
/// <param name="program">The command line of this program: one word, or two where a host runs it.</param>
/// <param name="state">The state.</param>
/// <param name="log">Where the workers' lines go.</param>
internal sealed class WorkerStarter(IReadOnlyList<string> program, SessionState state, ILogger log)
{
    private static readonly string[] Settings =
    [
        "DOTNET_EnableDiagnostics=0", // no debugger's socket in /tmp
        // Managed memory is bounded whatever an image says: the block cache, tables of large directories, and some air.
        "DOTNET_GCHeapHardLimit=0xB000000", // 176 MiB
        // What answers requests is hot from the first listing on. By default the runtime waits until nothing new has been called for a tenth of a second before it so much
        // as counts calls: by then a listing of 50,000 names is over.
        "DOTNET_TC_CallCountingDelayMs=0",
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
            List<(Descriptor, int)> inherited =
            [
                (speaker, WorkerDescriptors.Log), (theirs, WorkerDescriptors.Channel), (state.Descriptor, WorkerDescriptors.State),
            ];
            ChildProcess process = ChildProcess.Start(
                [.. program, WorkerDescriptors.Argument],
                WorkersEnvironment(),
                inherited,
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
    public void Give(WorkerProcess worker, Descriptor image, Descriptor? journal) => worker.Give(image, journal, Root);

    // What of the environment a worker gets: of its caller's as little as the runtime can do with, and our own settings whatever the caller's say.
    private static List<string> WorkersEnvironment()
    {
        List<string> environment = ChildProcess.OwnEnvironment();
        environment.RemoveAll(variable => !variable.StartsWith("DOTNET_", StringComparison.Ordinal) && !variable.StartsWith("PATH=", StringComparison.Ordinal));
        environment.RemoveAll(variable => Settings.Any(setting => variable.StartsWith(setting[..(setting.IndexOf('=', StringComparison.Ordinal) + 1)], StringComparison.Ordinal)));
        environment.AddRange(Settings);
        return environment;
    }
}
