using System.Globalization;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>A worker's memory is bounded by the kernel, too.</summary>
public class MemoryLimitTests
{
    [MountFact]
    public void A_worker_may_have_little_more_memory_than_it_can_need()
    {
        using var mounted = new Mounted("threads=8");
        _ = mounted.Cat("big");
        int worker = mounted.Worker;
        string limit = File.ReadLines($"/proc/{worker}/limits").Single(line => line.StartsWith("Max data size", StringComparison.Ordinal));
        string[] words = limit.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long most = (512L + (8 * 6)) << 20;
        Assert.Equal([$"{most}", $"{most}"], words[3..5]);
        string data = File.ReadLines($"/proc/{worker}/status").Single(line => line.StartsWith("VmData:", StringComparison.Ordinal));
        long used = long.Parse(data.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture) << 10;
        Assert.InRange(used, 1, most / 2);
    }
}
