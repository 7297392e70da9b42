using Fuse4fs.Device;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>Starts workers, all in the same way: on the supervisor's main thread, with which they die.</summary>
/// <param name="program">The command line of this program: one word, or two where a host runs it.</param>
/// <param name="state">The state.</param>
/// <param name="emptyFolder">The workers' root; null without root's rights.</param>
/// <param name="log">Where the workers' lines go.</param>
internal sealed class WorkerStarter(IReadOnlyList<string> program, SessionState state, Descriptor? emptyFolder, ILogger log)
{
    /// <summary>Starts a worker.</summary>
    /// <param name="image">The image, read-only.</param>
    /// <param name="journal">The external journal, read-only, or null.</param>
    public WorkerProcess Start(Descriptor image, Descriptor? journal)
    {
        state.HasEmptyFolder = emptyFolder is not null;
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        try
        {
            List<(Descriptor, int)> inherited =
            [
                (speaker, WorkerDescriptors.Log), (theirs, WorkerDescriptors.Channel), (image, WorkerDescriptors.Image), (state.Descriptor, WorkerDescriptors.State),
            ];
            if (journal is not null)
                inherited.Add((journal, WorkerDescriptors.Journal));
            if (emptyFolder is not null)
                inherited.Add((emptyFolder, WorkerDescriptors.Root));
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

    // As little of ours as the runtime can do with; no debugger's socket in /tmp.
    private static List<string> WorkersEnvironment()
    {
        List<string> environment = ChildProcess.OwnEnvironment();
        environment.RemoveAll(variable => !variable.StartsWith("DOTNET_", StringComparison.Ordinal) && !variable.StartsWith("PATH=", StringComparison.Ordinal));
        environment.RemoveAll(variable => variable.StartsWith("DOTNET_EnableDiagnostics=", StringComparison.Ordinal));
        environment.Add("DOTNET_EnableDiagnostics=0");
        // Managed memory is bounded whatever an image says: the block cache, tables of large directories, and some air.
        environment.RemoveAll(variable => variable.StartsWith("DOTNET_GCHeapHardLimit=", StringComparison.Ordinal));
        environment.Add("DOTNET_GCHeapHardLimit=0xB000000"); // 176 MiB
        return environment;
    }
}
