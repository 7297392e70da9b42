using System.Text;
using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Diagnostics;
using Fuse4fs.Server;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Session;

/// <summary>
/// The process that parses the image and answers requests. It starts in one way only, as the successor of whoever served before: descriptors
/// and state come from the supervisor, INIT is long settled.
/// </summary>
internal static partial class WorkerMain
{
    private const int Failed = 1;

    /// <summary>Serves until the mount is gone; the exit code.</summary>
    public static int Run()
    {
        var log = new LineLogger(new WorkerSink(new Descriptor(WorkerDescriptors.Log)));
        using var channel = new MessageSocket(new Descriptor(WorkerDescriptors.Channel));
#pragma warning disable CA1031 // the last word of this process: said to the supervisor instead of as a crash
        try
        {
            return Serve(channel, log);
        }
        catch (Exception e)
        {
            Ended(log, e.ToString());
            return Failed;
        }
#pragma warning restore CA1031
    }

    private static int Serve(MessageSocket channel, ILogger log)
    {
        Directory.SetCurrentDirectory("/"); // no worker keeps a folder of its caller's busy
        using SessionState? state = SessionState.TryAttach(new Descriptor(WorkerDescriptors.State), out string? problem);
        if (state is null)
            return Refuse(channel, problem!);
        // A worker must not outlive its supervisor: nobody could replace or end it. The supervisor may have died before this call.
        _ = Libc.ProcessControl(Libc.PR_SET_PDEATHSIG, Libc.SIGKILL, 0, 0, 0);
        if (Libc.GetParentProcessId() != state.SupervisorId)
            return Failed;

        if (ImageOpening.TryOpen(state.Options, log, out string? reason) is not Ext4Image image)
            return Refuse(channel, reason!);
        using (image)
        {
            var dispatcher = new Dispatcher(new Ext4FileSystem(image, state), new FaultLog(log));
            using FuseDevice? device = AwaitGo(channel);
            if (device is null)
                return Failed;
            new FuseSession(device, dispatcher, state.Negotiated, log).Run(state.Options.Threads != 0 ? state.Options.Threads : FuseSession.DefaultThreads);
        }
        return 0;
    }

    private static FuseDevice? AwaitGo(MessageSocket channel)
    {
        _ = channel.Send([(byte)WorkerMessage.Ready]);
        Span<byte> message = channel.Receive(stackalloc byte[16], out Descriptor? file);
        return message.Length == 1 && message[0] == (byte)WorkerMessage.Go && file is not null ? new FuseDevice(file) : null;
    }

    private static int Refuse(MessageSocket channel, string reason)
    {
        byte[] words = Encoding.UTF8.GetBytes(reason.ReplaceLineEndings(" "));
        _ = channel.Send([(byte)WorkerMessage.Refused, .. words.AsSpan(0, Math.Min(words.Length, 4000))]);
        return Failed;
    }

    [LoggerMessage(LogLevel.Critical, "the worker ends: {Details}")]
    private static partial void Ended(ILogger log, string details);
}
