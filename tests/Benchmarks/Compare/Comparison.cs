using TestSupport;

namespace Benchmarks.Compare;

/// <summary>Takes all candidates through the same rows, in turn, so that a change in the machine hits all of them.</summary>
internal static class Comparison
{
    private const double StepSeconds = 120;
    private const int QuickRounds = 2, FullRounds = 5;

    /// <summary>The command; its exit code. Ends with 1 when an answer was wrong or fuse4fs failed.</summary>
    public static int Run(string[] options)
    {
        string only = options is [.., "--only", var wanted] ? wanted : "";
        if (options.Except(["--quick", "--json", "--only", only]).FirstOrDefault() is string unknown)
        {
            Console.Error.WriteLine($"unknown option {unknown}; there are --quick, --json and, at the end, --only ROW");
            return 2;
        }
        if (Requirement.Mounting is string lacking)
        {
            Console.Error.WriteLine($"measuring mounts {lacking}");
            return 1;
        }
        int rounds = options.Contains("--quick") ? QuickRounds : FullRounds;
        Candidate[] candidates = Candidate.All();
        Sitting[] sittings = [.. Plan.Sittings().Where(sitting => sitting.Has(only))];
        var machine = Machine.Now();
        var results = new Results();
        using var start = new DotnetStart();
        using var interruption = new Interruption();

        // The rehearsal is not counted: it compiles the client, fills the floor's tapes and lets everybody's programs be in memory.
        for (int round = 0; round <= rounds; round++)
        {
            Console.Error.WriteLine(round == 0 ? "rehearsal" : $"round {round} of {rounds}");
            foreach (Sitting sitting in sittings)
                foreach (Candidate candidate in Order(candidates, round))
                    if (candidate.OnlyImage is null || candidate.OnlyImage == sitting.Image)
                        Sit(candidate, sitting, round, results, interruption.Token);
            if (interruption.Token.IsCancellationRequested)
                return 1;
            if (round > 0 && sittings.Any(sitting => sitting.MountRow == "mount.hot"))
                results.Add("mount.hot", Unit.Seconds, Candidate.Floor, round, start.Measure());
        }
        Console.Write(options.Contains("--json") ? Report.Json(machine, candidates, results, rounds) : Report.Markdown(machine, candidates, results, rounds));
        return results.Problems.Any(problem => problem.Key.Candidate == Candidate.Ours || problem.Value.StartsWith("WRONG", StringComparison.Ordinal)) ? 1 : 0;
    }

    // The kernel's answers come first. Later every second round goes backwards, for nobody is to have the same predecessor always.
    private static IEnumerable<Candidate> Order(Candidate[] candidates, int round) =>
        (round % 2 == 0 ? candidates : candidates.Reverse()).Where(candidate => candidate.Absent is null);

    private static void Sit(Candidate candidate, Sitting sitting, int round, Results results, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
            return;
        Client.Cache(sitting.Image, isWanted: !sitting.IsCold);
        if (sitting.IsCold)
            File.WriteAllText("/proc/sys/vm/drop_caches", "3");
        string row = sitting.MountRow ?? "mount";
        try
        {
            using var mount = new TimedMount(candidate, sitting.Image);
            if (sitting.MountRow is not null && round > 0)
                results.Add(row, Unit.Seconds, candidate.Name, round, mount.Seconds);
            foreach (Row step in sitting.Rows)
            {
                row = step.Name;
                Outcome outcome = mount.Within(StepSeconds, () => step.Run(mount.MountPoint));
                results.Check(row, candidate.Name, outcome.Answer);
                if (round > 0)
                    results.Add(row, step.Unit, candidate.Name, round, step.Unit == Unit.Seconds ? outcome.Seconds : outcome.Work / outcome.Seconds);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or InvalidOperationException)
        {
            results.Fail(row, candidate.Name, e.Message);
            Console.Error.WriteLine($"{candidate.Name} {row}: {e.Message}");
        }
    }
}
