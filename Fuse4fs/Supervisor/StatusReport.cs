using System.Text.Json;
using Fuse4fs.Protocol;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>How a mount stands, as one line of JSON. Read from the state: it needs no worker.</summary>
internal static class StatusReport
{
    /// <summary>The report, with its newline.</summary>
    /// <param name="service">The workers' life.</param>
    /// <param name="mount">The mount.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="started">When the mount began, in milliseconds of the monotonic clock.</param>
    /// <param name="message">What there is to say to the caller; null for nothing.</param>
    /// <param name="problem">Why it was not done; null where it was.</param>
    public static byte[] Write(Service service, FuseMount mount, MountRequest request, long started, string? message, string? problem)
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
            json.WriteString("image", request.Image);
            json.WriteString("uuid", state.Volume.ToString());
            json.WriteString("phase", service.Phase.ToString());
            json.WriteString("reason", service.Reason);
            json.WriteBoolean("current", service.IsCurrent);
            json.WriteNumber("supervisor", Environment.ProcessId);
            json.WriteNumber("worker", service.Worker?.Id ?? 0);
            json.WriteNumber("uptimeSeconds", (Environment.TickCount64 - started) / 1000);
            json.WriteNumber("starts", state.Resume.Start);
            json.WriteNumber("deaths", service.Deaths);
            json.WriteNumber("waitedMilliseconds", service.WaitingSince == 0 ? service.LastWait : Environment.TickCount64 - service.WaitingSince);
            json.WriteString("sandbox", state.Sandbox.ToString());
            WriteKnown(json, state);
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
        json.WriteStartObject("lastPass");
        json.WriteNumber("known", state.Resume.Known);
        json.WriteNumber("unchanged", state.Resume.Unchanged);
        json.WriteNumber("changed", state.Resume.Changed);
        json.WriteNumber("stale", state.Resume.Stale);
        json.WriteBoolean("overflowed", state.Known.HasOverflowed);
        json.WriteEndObject();
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
        json.WriteBoolean("resend", negotiated.Minor >= Negotiation.ResendMinor);
        json.WriteBoolean("epoch", negotiated.Minor >= Negotiation.EpochMinor);
        json.WriteNumber("largestRead", negotiated.MaxPages * 4096);
        json.WriteEndObject();
    }
}
