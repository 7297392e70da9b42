using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// From the death of a worker to the first answer of the next. A few kills guard against much longer pauses; FUSE4FS_MEASURE_KILLS=50 measures. The
/// median and where it goes is left in artifacts/restart-times.txt.
/// </summary>
public class RestartTimeTests
{
    private static readonly string[] Steps = ["noticed", "spawned", "runtime", "contained", "opened", "ready", "go", "serving", "answered"];

    [MountFact]
    public void A_killed_worker_is_missed_for_less_than_a_second()
    {
        int kills = int.TryParse(Environment.GetEnvironmentVariable("FUSE4FS_MEASURE_KILLS"), out int asked) ? asked : 5;
        using var mounted = new Mounted(null, 60 + kills);
        double[][] times = [.. Enumerable.Range(0, kills).Select(number => Kill(mounted, number))];
        string[] lines = [.. Steps.Select((step, index) => string.Create(CultureInfo.InvariantCulture, $"{step,-10} {Median(times.Select(one => one[index])),8:F1} ms"))];
        string folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts")).FullName;
        string report = $"{kills} kills, medians since the kill; {FuseServer.Path}\n{string.Join('\n', lines)}\nslowest    {times.Max(one => one[^1]).ToString("F1", CultureInfo.InvariantCulture),8} ms\n";
        File.WriteAllText(Path.Combine(folder, "restart-times.txt"), report);
        Assert.True(Median(times.Select(one => one[^1])) < 1000, report);
    }

    // When each step was reached, in milliseconds since the kill.
    private static double[] Kill(Mounted mounted, int number)
    {
        int worker = mounted.Worker;
        long start = Stopwatch.GetTimestamp();
        FuseServer.Signal(worker, 9);
        bool exists = File.Exists($"{mounted.MountPoint}/absent-{number}"); // cached nowhere: somebody has to answer
        double answered = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.False(exists);
        Deadline.In(5).WaitUntil(() => mounted.Status.GetProperty("current").GetBoolean(), "the pass is over");
        JsonElement last = mounted.Status.GetProperty("lastRestart");
        double noticed = last.GetProperty("noticedMicroseconds").GetInt64() / 1000.0 - Stopwatch.GetElapsedTime(0, start).TotalMilliseconds;
        return [noticed, .. Steps[1..^1].Select(step => noticed + (last.GetProperty(step).GetInt64() / 1000.0)), answered];
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
