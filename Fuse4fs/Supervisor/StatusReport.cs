using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>How a mount stands, as one line of JSON. Read from the state: it needs no worker.</summary>
internal static class StatusReport
{
    private const int MostHolderBytes = 96 * 1024; // the whole report fits a socket's buffer

    /// <summary>The report, with its newline.</summary>
    /// <param name="service">The workers' life.</param>
    /// <param name="mount">The mount.</param>
    /// <param name="started">When the mount began, in milliseconds of the monotonic clock.</param>
    /// <param name="message">What there is to say to the caller; null for nothing.</param>
    /// <param name="problem">Why it was not done; null where it was.</param>
    public static byte[] Write(Service service, FuseMount mount, long started, string? message, string? problem)
    {
        SessionState state = service.State;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteBoolean("ok", problem is null);
            if ((problem ?? message) is string words)
                json.WriteString("message", words);
            json.WriteString("mountPoint", mount.Specification.Target);
            json.WriteString("image", service.ImageName);
            json.WriteString("imagePath", service.ImagePath);
            json.WriteNumber("start", service.FilesystemStart);
            json.WriteString("journal", service.JournalPath);
            json.WriteBoolean("norecovery", state.Options.NoRecovery);
            json.WriteString("label", state.Served.Label.ToString());
            json.WriteString("uuid", state.Volume.ToString());
            WriteNames(json, "limited", state.Served.Limitations);
            json.WriteString("phase", service.Phase.ToString());
            json.WriteString("reason", service.Reason);
            json.WriteBoolean("current", service.IsCurrent);
            json.WriteNumber("supervisor", Environment.ProcessId);
            json.WriteNumber("worker", service.Worker?.Id ?? 0);
            json.WriteNumber("workerUptimeSeconds", service.Worker is null ? 0 : (Environment.TickCount64 - service.Worker.Started) / 1000);
            json.WriteNumber("uptimeSeconds", (Environment.TickCount64 - started) / 1000);
            json.WriteNumber("starts", service.Starts);
            json.WriteNumber("deaths", service.Deaths);
            json.WriteNumber("waitedMilliseconds", service.WaitingSince == 0 ? service.LastWait : Environment.TickCount64 - service.WaitingSince);
            WriteSandbox(json, state);
            WriteRestarts(json, service.History);
            WriteKnown(json, state);
            WriteHolders(json, service);
            WriteRequests(json, state);
            WriteKernel(json, state.Negotiated);
            json.WriteString("lastCheck", service.LastCheckOutput);
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void WriteKnown(Utf8JsonWriter json, SessionState state)
    {
        json.WriteNumber("knownInodes", state.Known.Count);
        json.WriteStartObject("lastPass");
        json.WriteNumber("start", state.Resume.PassOf);
        json.WriteNumber("known", state.Resume.Known);
        json.WriteNumber("unchanged", state.Resume.Unchanged);
        json.WriteNumber("changed", state.Resume.Changed);
        json.WriteNumber("stale", state.Resume.Stale);
        json.WriteBoolean("overflowed", state.Known.HasOverflowed);
        json.WriteEndObject();
    }

    private static void WriteHolders(Utf8JsonWriter json, Service service)
    {
        json.WriteStartArray("holders");
        int room = MostHolderBytes;
        int written = 0;
        foreach ((HeldFile file, HeldVerdict verdict) in service.Holders)
        {
            room -= (6 * file.Path.Length) + 200; // at worst each letter is escaped
            if (room < 0)
                break;
            written++;
            json.WriteStartObject();
            json.WriteString("verdict", verdict == HeldVerdict.Stale ? "stale" : "changed");
            json.WriteNumber("inode", (uint)(file.Node & uint.MaxValue));
            json.WriteNumber("generation", (uint)(file.Node >> 32));
            json.WriteString("path", file.Path);
            json.WriteNumber("process", file.Process);
            json.WriteString("command", file.Command);
            json.WriteString("as", file.Holding);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("holdersLeftOut", service.Holders.Count - written);
        json.WriteBoolean("holdersAreAll", service.HoldersAreAll);
    }

    private static void WriteSandbox(Utf8JsonWriter json, SessionState state)
    {
        // A worker can write anything there.
        SandboxParts parts = state.Sandbox & SandboxParts.All;
        WriteNames(json, "sandbox", parts);
        WriteNames(json, "sandboxLacks", SandboxParts.All & ~parts);
        json.WriteBoolean("sandboxWanted", !state.Options.NoSandbox);
    }

    private static void WriteRestarts(Utf8JsonWriter json, RestartHistory history)
    {
        json.WriteStartArray("restarts");
        foreach (RestartRecord record in history.Records)
        {
            json.WriteStartObject();
            json.WriteString("why", record.Why);
            json.WriteString("at", record.At.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            json.WriteNumber("waitedMilliseconds", record.Going == 0 ? -1 : Microseconds(record.Going - record.Noticed) / 1000);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (history.Last is not RestartRecord last)
            return;
        json.WriteStartObject("lastRestart");
        json.WriteNumber("noticedMicroseconds", Microseconds(last.Noticed)); // of CLOCK_MONOTONIC; the others since then
        foreach ((string name, long time) in new[]
        {
            ("spawned", last.Spawned), ("runtime", last.Worker.Runtime), ("contained", last.Worker.Contained), ("opened", last.Worker.Opened),
            ("ready", last.Ready), ("go", last.Going), ("serving", last.Worker.Serving), ("current", last.Current),
        })
        {
            if (time != 0)
                json.WriteNumber(name, Microseconds(unchecked(time - last.Noticed)));
        }
        json.WriteEndObject();
    }

    private static long Microseconds(long ticks) => (long)Stopwatch.GetElapsedTime(0, ticks).TotalMicroseconds;

    // The flags that are set, as an array of their names.
    private static void WriteNames<T>(Utf8JsonWriter json, string name, T flags)
        where T : struct, Enum
    {
        json.WriteStartArray(name);
        foreach (T flag in Enum.GetValues<T>())
            if (flags.HasFlag(flag) && BitOperations.IsPow2(Convert.ToUInt64(flag, CultureInfo.InvariantCulture)))
                json.WriteStringValue(flag.ToString());
        json.WriteEndArray();
    }

    private static void WriteRequests(Utf8JsonWriter json, SessionState state)
    {
        json.WriteStartObject("requests");
        for (int opcode = 0; opcode < ThreadRecord.Opcodes; opcode++)
        {
            ulong sum = state.Requests(opcode);
            if (sum != 0)
                json.WriteNumber(opcode == 0 ? "other" : ((Opcode)opcode).ToString(), sum);
        }
        json.WriteEndObject();
        json.WriteStartObject("errors");
        for (int errno = 0; errno < ThreadRecord.Errnos; errno++)
        {
            ulong sum = state.Errors(errno);
            if (sum != 0)
                json.WriteNumber(((Errno)errno).ToString(), sum);
        }
        json.WriteEndObject();
    }

    private static void WriteKernel(Utf8JsonWriter json, Negotiated negotiated)
    {
        json.WriteStartObject("kernel");
        json.WriteString("protocol", $"7.{negotiated.Minor}");
        // Two that are no matter of flags: the kernel takes them from this minor on.
        json.WriteBoolean("resend", negotiated.HasResend);
        json.WriteBoolean("epoch", negotiated.HasEpoch);
        json.WriteString("lookupHandle", ((Dialect)negotiated.Dialect).ToString());
        WriteNames(json, "capabilities", (InitFlags)negotiated.Flags);
        json.WriteNumber("largestRead", negotiated.MaxPages * 4096);
        json.WriteEndObject();
    }
}
