using System.Globalization;
using TestSupport;

namespace EndToEnd.Tests.Hostile;

/// <summary>The memory of a mount's processes.</summary>
internal static class Memory
{
    private const int KibibytesPerMebibyte = 1024;

    /// <summary>The most that both processes together have had resident, in MiB.</summary>
    public static int PeakOf(LiveMount mount) => mount.Processes.Sum(Peak) / KibibytesPerMebibyte;

    private static int Peak(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
