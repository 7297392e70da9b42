using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
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
        long started = Stopwatch.GetTimestamp();
        var log = new LineLogger(new WorkerSink(new Descriptor(WorkerDescriptors.Log)));
        using var channel = new MessageSocket(new Descriptor(WorkerDescriptors.Channel));
#pragma warning disable CA1031 // the last word of this process: said to the supervisor instead of as a crash
        try
        {
            return Serve(channel, started, log);
        }
        catch (Exception e)
        {
            Ended(log, e.ToString());
            return Failed;
        }
#pragma warning restore CA1031
    }

    /// <summary>Says which version of the state this program speaks, and no more; the exit code.</summary>
    public static int PrintVersion() =>
        new Descriptor(1).Write(Encoding.ASCII.GetBytes($"{SessionState.CurrentVersion}\n")) == Protocol.Errno.Ok ? 0 : Failed;

    private static int Serve(MessageSocket channel, long started, ILogger log)
    {
        Directory.SetCurrentDirectory("/"); // no worker keeps a folder of its caller's busy
        Sandbox.Prepare();
        if (!TryAwaitImage(channel, out Descriptor? shared, out Descriptor? file, out Descriptor? journal, out Descriptor? root))
            return Failed;
        using SessionState? state = SessionState.TryAttach(shared, out string? problem);
        if (state is null)
            return Refuse(channel, WorkerMessage.OtherVersion, problem!);
        if (!state.Options.NoSandbox)
        {
            state.Sandbox = Sandbox.Enter(root, FuseSession.ThreadsFor(state.Options), out string lacks);
            if (lacks.Length != 0 && state.Resume.Start == 1)
                NotContained(log, lacks);
        }
        // A worker must not outlive its supervisor: nobody could replace or end it. The change of user clears this; and the supervisor may have
        // died before.
        _ = Libc.ProcessControl(Libc.PR_SET_PDEATHSIG, Libc.SIGKILL, 0, 0, 0);
        if (Libc.GetParentProcessId() != state.SupervisorId)
            return Failed;

        var milestones = new Milestones { Runtime = started, Contained = Stopwatch.GetTimestamp() };
        long opened = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (ImageOpening.TryOpen(file.ToFileHandle(), journal?.ToFileHandle(), state.Options, log, out long start, out string? reason) is not Ext4Image image)
            return Refuse(channel, WorkerMessage.Refused, reason!);
        using (image)
        {
            var volume = new Guid(image.Volume.Uuid, bigEndian: true);
            if (state.Volume == Guid.Empty)
                state.Volume = volume;
            if (state.Volume != volume)
                return Refuse(channel, WorkerMessage.OtherVolume, $"holds filesystem {volume} now, but {state.Volume} is mounted");
            state.FilesystemStart = start;
            state.Served = Describe(image, state.Options);
            state.Milestones = milestones with { Opened = Stopwatch.GetTimestamp() };
            if (state.Resume.FingerprintsSince == 0)
                state.Resume.FingerprintsSince = opened;
            using FuseDevice? device = AwaitGo(channel);
            return device is null ? Failed : Serve(channel, image, device, state, opened, log);
        }
    }

    private static int Serve(MessageSocket channel, Ext4Image image, FuseDevice device, SessionState state, long opened, ILogger log)
    {
        var dispatcher = new Dispatcher(new Ext4FileSystem(image, state), new FaultLog(log), HandleService.For(image, state.Negotiated));
        CachePass? pass = state.Resume.IsTouched ? new CachePass(image, state, device) : null;
        var session = new FuseSession(device, dispatcher, state, new Gate(isOpen: pass is null), log);
        int threads = FuseSession.ThreadsFor(state.Options);

        // Before the first request is answered. Then the readers start, and this pass goes on beside them.
        pass?.Begin();
        state.Milestones.Serving = Stopwatch.GetTimestamp();
        new Thread(() => Attend(channel, session, pass, state, opened, threads)) { IsBackground = true, Name = "attendant" }.Start();
        session.Run(threads);
        return 0;
    }

    // Serves nothing: so it may wait for what only the readers can bring about, and for the supervisor.
    private static void Attend(MessageSocket channel, FuseSession session, CachePass? pass, SessionState state, long opened, int threads)
    {
        if (pass is not null)
        {
            using (pass)
            {
                pass.Finish();
                session.AnswerParked(threads);
                _ = channel.Send([(byte)WorkerMessage.Answering]);
                pass.FinishUnknown();
            }
            state.Resume.FingerprintsSince = opened;
            state.Resume.DropsAll = false;
            state.Resume.IsTouched = false;
        }
        state.Resume.CurrentSince = state.Resume.Start;
        _ = channel.Send([(byte)WorkerMessage.Current]);
        byte[] message = new byte[16];
        while (channel.Receive(message, out _) is { IsEmpty: false } received)
            if (received[0] == (byte)WorkerMessage.Stop)
                session.Stop();
    }

    private static ServedVolume Describe(Ext4Image image, ServeOptions options)
    {
        Limitations limitations = Limitations.None;
        if (image.Volume.Features.Contains("encrypt"))
            limitations |= Limitations.EncryptedWithoutKeys;
        if (image.Volume.NeedsRecovery && options.NoRecovery)
            limitations |= Limitations.NotRecovered;
        if (image.Volume.Features.Contains("verity") && !options.VerifyContent)
            limitations |= Limitations.VerityUnchecked;
        if (!image.Volume.HasBirthTimes)
            limitations |= Limitations.NoBirthTimes;
        _ = ShortText.TryFrom(Encoding.UTF8.GetString(image.Volume.Label), out ShortText label);
        return new ServedVolume { Label = label, Limitations = limitations };
    }

    // What the supervisor gives; false when it is gone.
    private static bool TryAwaitImage(MessageSocket channel, out Descriptor? state, [NotNullWhen(true)] out Descriptor? image, out Descriptor? journal, out Descriptor? root)
    {
        (state, image, journal, root) = (null, null, null, null);
        Span<byte> buffer = stackalloc byte[16];
        while (image is null && channel.Receive(buffer, out Descriptor? file) is { IsEmpty: false } message)
        {
            switch ((WorkerMessage)message[0])
            {
                case WorkerMessage.State:
                    state = file;
                    break;
                case WorkerMessage.Root:
                    root = file;
                    break;
                case WorkerMessage.Journal:
                    journal = file;
                    break;
                case WorkerMessage.Image:
                    image = file;
                    break;
                default:
                    file?.Dispose();
                    break;
            }
        }
        return image is not null;
    }

    private static FuseDevice? AwaitGo(MessageSocket channel)
    {
        _ = channel.Send([(byte)WorkerMessage.Ready]);
        Span<byte> message = channel.Receive(stackalloc byte[16], out Descriptor? file);
        return message.Length == 1 && message[0] == (byte)WorkerMessage.Go && file is not null ? new FuseDevice(file) : null;
    }

    private static int Refuse(MessageSocket channel, WorkerMessage kind, string reason)
    {
        byte[] words = Encoding.UTF8.GetBytes(reason.ReplaceLineEndings(" "));
        _ = channel.Send([(byte)kind, .. words.AsSpan(0, Math.Min(words.Length, 4000))]);
        return Failed;
    }

    [LoggerMessage(LogLevel.Warning, "the worker is not contained in every way; this kernel or user lacks: {Lacks}")]
    private static partial void NotContained(ILogger log, string lacks);

    [LoggerMessage(LogLevel.Critical, "the worker ends: {Details}")]
    private static partial void Ended(ILogger log, string details);
}
