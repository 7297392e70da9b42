using System.Globalization;
using Benchmarks.Compare;
using TestSupport;

namespace Benchmarks.Scale;

/// <summary>What is measured at each size.</summary>
internal static class ScalePlan
{
    private const double StepSeconds = 600;
    private const long Kilo = 1_000, Mega = 1_000_000, Giga = 1_000 * Mega, Tera = 1_000 * Giga;

    /// <summary>All tables.</summary>
    /// <param name="sparse">Where empty images come from.</param>
    public static ScaleTable[] Tables(SparseImages sparse) =>
    [
        new("mount", "by the size of an empty image", [
            Empty(sparse, "100 MB", 100 * Mega), Empty(sparse, "10 GB", 10 * Giga), Empty(sparse, "1 TB", Tera), Empty(sparse, "16 TB", 16 * Tera)]),
        // With blocks of 4 KiB each 128 MiB have 16 inodes at least and 32,768 at the most.
        new("inodes", "by the number of inodes: 1,000 in an image of 100 MB, more in 256 GB", [
            Empty(sparse, "1,000", 100 * Mega, Kilo), Empty(sparse, "1 million", 256 * Giga, Mega), Empty(sparse, "50 million", 256 * Giga, 50 * Mega)]),
        new("directory", "by the names in a directory with an index", [
            .. NamesImage.Sizes.Select(names => new Size(Count(names), () => ListAndLookUp(NamesImage.Indexed(names), names)))]),
        new("linear", "by the names in a directory without an index", [
            .. NamesImage.Sizes.Select(names => new Size(Count(names), () => ListAndLookUp(NamesImage.Linear(names), names)))]),
        new("restart", "by the inodes known to the kernel", [
            .. NamesImage.Sizes.Select(names => new Size(Count(names), () => Restart(NamesImage.Indexed(names), names)))]),
    ];

    private static Size Empty(SparseImages sparse, string name, long bytes, long inodes = 0) =>
        new(name, () => Mount(sparse.Get(bytes, inodes))) { Absent = sparse.WhyNot(bytes) };

    private static string Count(int names) => names.ToString("#,0", CultureInfo.InvariantCulture);

    private static IEnumerable<Measured> Mount(string image)
    {
        using var mount = new TimedMount(Candidate.Fuse4fs(), image);
        yield return new("mount", Unit.Seconds, mount.Seconds);
        yield return new("first df", Unit.Seconds, mount.Within(StepSeconds, () => Client.AskForSpace(mount.MountPoint)).Seconds);
        foreach (Measured peak in ServerReport.Status(mount).Peaks())
            yield return peak;
    }

    private static IEnumerable<Measured> ListAndLookUp(string directory, int names)
    {
        using (var mount = new TimedMount(Candidate.Fuse4fs(), NamesImage.Path))
        {
            Outcome list = mount.Within(StepSeconds, () => Client.Walk($"{mount.MountPoint}/{directory}", WalkDepth.List));
            if (list.Work != names)
                throw new IOException($"{directory} has {list.Work} names");
            yield return new("list", Unit.Seconds, list.Seconds);
            yield return new("list, a name", Unit.Seconds, list.Seconds / names);
            foreach (Measured peak in ServerReport.Status(mount).Peaks())
                yield return peak;
        }
        using (var mount = new TimedMount(Candidate.Fuse4fs(), NamesImage.Path))
        {
            byte[][] late = [Client.Bytes(BenchmarkImages.FlatName(names * 9 / 10))];
            yield return new("first lookup", Unit.Seconds, mount.Within(StepSeconds, () => Client.LookUp($"{mount.MountPoint}/{directory}", late, areThere: true, seconds: 1)).Seconds);
        }
    }

    private static IEnumerable<Measured> Restart(string directory, int names)
    {
        using var mount = new TimedMount(Candidate.Fuse4fs(), NamesImage.Path);
        _ = mount.Within(StepSeconds, () => Client.Walk($"{mount.MountPoint}/{directory}", WalkDepth.Attributes));
        foreach ((string name, string[] options) in new (string, string[])[] { ("restart", []), ("restart --drop-caches", ["--drop-caches"]) })
        {
            (double waited, double took, ServerReport report) = RestartWhileAsking(mount, options);
            if (report.KnownInodes < names || report.HadPass != (options.Length != 0))
                throw new IOException($"{name}: {report.KnownInodes} known inodes, {(report.HadPass ? "a pass" : "no pass")} over them");
            yield return new($"{name}: slowest answer", Unit.Seconds, waited);
            yield return new($"{name}: returns", Unit.Seconds, took);
            if (report.HadPass)
                foreach (Measured peak in report.Peaks())
                    yield return peak;
        }
    }

    // What requests wait is asked of requests: one after the other meanwhile.
    private static (double Waited, double Took, ServerReport Report) RestartWhileAsking(TimedMount mount, string[] options)
    {
        using var stop = new CancellationTokenSource();
        Task<Outcome> asking = Task.Factory.StartNew(() => Client.SlowestAnswer(mount.MountPoint, stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            (ServerReport report, double took) = ServerReport.Restart(mount, StepSeconds, options);
            stop.Cancel();
            return (mount.Within(StepSeconds, () => asking.GetAwaiter().GetResult()).Seconds, took, report);
        }
        finally
        {
            stop.Cancel();
        }
    }
}
