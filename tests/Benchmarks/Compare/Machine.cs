using System.Globalization;

namespace Benchmarks.Compare;

/// <summary>Where and when was measured.</summary>
internal sealed record Machine(string Processor, int Processors, long MemoryMebibytes, string Kernel, string Runtime, string Date, double Load)
{
    /// <summary>This one, as it is before anything was measured.</summary>
    public static Machine Now() => new(
        Field("/proc/cpuinfo", "model name") ?? "unknown processor",
        Environment.ProcessorCount,
        long.Parse((Field("/proc/meminfo", "MemTotal") ?? "0").Split(' ')[0], CultureInfo.InvariantCulture) / 1024,
        $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}",
        $".NET {Environment.Version}",
        DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));

    private static string? Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
