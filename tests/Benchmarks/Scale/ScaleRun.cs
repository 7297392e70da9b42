using System.Text;
using Benchmarks.Compare;
using TestSupport;

namespace Benchmarks.Scale;

/// <summary>How costs grow with the size of things: takes fuse4fs through all sizes, round by round, so that a change in the machine hits all of them.</summary>
internal static class ScaleRun
{
    private const int Rounds = 3;

    /// <summary>The command; its exit code. Ends with 1 when something failed.</summary>
    public static int Run(string[] options)
    {
        string? only = options is [.., "--only", var wanted] ? wanted : null;
        if (options.Except(["--json", "--only", only ?? ""]).FirstOrDefault() is string unknown)
        {
            Console.Error.WriteLine($"unknown option {unknown}; there are --json and, at the end, --only TABLE");
            return 2;
        }
        if (Requirement.Oracle is string lacking)
        {
            Console.Error.WriteLine($"measuring how cost grows {lacking}");
            return 1;
        }
        using var sparse = new SparseImages();
        ScaleTable[] all = ScalePlan.Tables(sparse);
        ScaleTable[] tables = [.. all.Where(table => only is null || table.Name == only)];
        if (tables.Length == 0)
        {
            Console.Error.WriteLine($"there is no table {only}; there are {string.Join(", ", all.Select(table => table.Name))}");
            return 2;
        }
        var machine = Machine.Now();
        var results = tables.ToDictionary(table => table, _ => new Results());
        using var interruption = new Interruption();

        // The rehearsal is not counted: it makes the images, and takes into memory what is read of them.
        for (int round = 0; round <= Rounds; round++)
        {
            Console.Error.WriteLine(round == 0 ? "rehearsal" : $"round {round} of {Rounds}");
            foreach (ScaleTable table in tables)
                foreach (Size size in table.Sizes.Where(size => size.Absent is null && !interruption.Token.IsCancellationRequested))
                    Measure(table, size, round, results[table]);
            if (interruption.Token.IsCancellationRequested)
                return 1;
        }
        Console.Write(options.Contains("--json") ? Json(machine, results) : Markdown(machine, results));
        return results.Values.Any(table => table.Problems.Count != 0) ? 1 : 0;
    }

    private static void Measure(ScaleTable table, Size size, int round, Results results)
    {
        string row = "mount";
        try
        {
            foreach (Measured measured in size.Measure())
            {
                row = measured.Row;
                if (round > 0)
                    results.Add(row, measured.Unit, size.Name, round, measured.Value);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or InvalidOperationException)
        {
            results.Fail(row, size.Name, e.Message);
            Console.Error.WriteLine($"{table.Name}, {size.Name}, in or after {row}: {e.Message}");
        }
    }

    private static string Markdown(Machine machine, Dictionary<ScaleTable, Results> results)
    {
        var text = new StringBuilder(Report.Circumstances(machine, Rounds));
        text.Append("Medians, ± half of what lies between the best and the worst round.\n");
        foreach ((ScaleTable table, Results values) in results)
        {
            text.Append($"\n`{table.Name}`, {table.What}:\n\n").Append(Report.Medians(values, [.. table.Sizes.Select(size => size.Name)]));
            string[] notes =
            [
                .. table.Sizes.Where(size => size.Absent is not null).Select(size => $"* {size.Name}: not measured, {size.Absent}\n"),
                .. values.Problems.Select(problem => $"* {problem.Key.Candidate}, in or after {problem.Key.Row}: {problem.Value}\n"),
            ];
            text.Append(notes.Length == 0 ? "" : "\n").AppendJoin("", notes);
        }
        return text.ToString();
    }

    private static string Json(Machine machine, Dictionary<ScaleTable, Results> results) => Report.Json(new
    {
        Machine = machine,
        Rounds,
        Tables = results.Select(result => new
        {
            result.Key.Name,
            result.Key.What,
            Sizes = result.Key.Sizes.Select(size => new { size.Name, size.Absent }),
            Rows = Report.Rows(result.Value, [.. result.Key.Sizes.Select(size => size.Name)]),
            Problems = Report.Problems(result.Value),
        }),
    });
}
