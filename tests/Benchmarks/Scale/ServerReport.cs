using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Benchmarks.Compare;
using TestSupport;

namespace Benchmarks.Scale;

/// <summary>What a mount of fuse4fs says of itself.</summary>
internal sealed class ServerReport
{
    private readonly JsonElement _json;

    private ServerReport(string json)
    {
        using var document = JsonDocument.Parse(json);
        _json = document.RootElement.Clone();
    }

    /// <summary>How many inodes the kernel may know.</summary>
    public long KnownInodes => _json.GetProperty("knownInodes").GetInt64();

    /// <summary>Whether this worker went through all of them, for the image counts as written.</summary>
    public bool HadPass => _json.GetProperty("lastPass").GetProperty("start").GetInt64() == _json.GetProperty("starts").GetInt64();

    /// <summary>As it stands.</summary>
    public static ServerReport Status(TimedMount mount) => new(FuseServer.Run("status", mount.MountPoint, "--json").OrThrow().Output);

    /// <summary>As it stands after a restart, and the seconds until that had returned.</summary>
    public static (ServerReport Report, double Seconds) Restart(TimedMount mount, double patience, string[] options)
    {
        long start = Stopwatch.GetTimestamp();
        CommandResult result = Command.Run(patience, FuseServer.Environment, [FuseServer.Path, "restart", mount.MountPoint, "--json", .. options]).OrThrow();
        return (new(result.Output), Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>The most memory that each process has had so far: its own, shared, and the pages of program files that it uses.</summary>
    public IEnumerable<Measured> Peaks() =>
        ((string[])["supervisor", "worker"]).Select(name => new Measured($"{name}: memory", Unit.Memory, PeakOf(_json.GetProperty(name).GetInt32())));

    private static double PeakOf(int process)
    {
        const string Peak = "VmHWM:";
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(Peak, StringComparison.Ordinal));
        return double.Parse(line[Peak.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }
}
