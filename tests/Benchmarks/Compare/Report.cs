using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Benchmarks.Compare;

/// <summary>Tells results.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Tables to be put into a document.</summary>
    public static string Markdown(Machine machine, Candidate[] candidates, Results results, int rounds)
    {
        string[] names = [.. candidates.Where(candidate => candidate.Absent is null).Select(candidate => candidate.Name)];
        var text = new StringBuilder(Circumstances(machine, rounds));
        foreach (Candidate candidate in candidates)
            text.Append(CultureInfo.InvariantCulture, $"* {candidate.Name}: {(candidate.Absent is null ? candidate.What : $"not measured, {candidate.Absent}")}\n");
        text.Append("\nMedians, ± half of what lies between the best and the worst round:\n\n");
        text.Append(Medians(results, names));
        text.Append("\nHow many times as fast fuse4fs is (1.00: the same):\n\n");
        Table(text, results, [.. names.Where(name => name != Candidate.Ours)], (row, unit, name) =>
            results.Ratio(row, unit, Candidate.Ours, name) is double ratio ? Number(ratio) : "–");
        if (results.Problems.Count != 0)
            text.Append("\nProblems:\n\n");
        foreach (((string row, string name), string problem) in results.Problems)
            text.Append(CultureInfo.InvariantCulture, $"* {name}, {row}: {problem}\n");
        return text.ToString();
    }

    /// <summary>A table of medians, each with ± half of what lies between the best and the worst round.</summary>
    public static string Medians(Results results, string[] columns)
    {
        var text = new StringBuilder();
        Table(text, results, columns, (row, unit, name) => Cell(results, row, unit, name));
        return text.ToString();
    }

    /// <summary>Where, when and how often was measured: a paragraph.</summary>
    public static string Circumstances(Machine machine, int rounds) => string.Create(
        CultureInfo.InvariantCulture,
        $"{machine.Date}, {machine.Processor}, {machine.Processors} processors, {machine.MemoryMebibytes / 1024} GiB, {machine.Kernel}, {machine.Runtime}; "
        + $"load {machine.Load:0.0} before and {Machine.Now().Load:0.0} afterwards; {rounds} rounds.\n\n");

    /// <summary>Everything, each round's value included.</summary>
    public static string Json(Machine machine, Candidate[] candidates, Results results, int rounds) => Json(
        new
        {
            Machine = machine,
            Rounds = rounds,
            Candidates = candidates.Select(candidate => new { candidate.Name, candidate.What, candidate.Absent }),
            Rows = Rows(results, [.. candidates.Select(candidate => candidate.Name)]),
            Problems = Problems(results),
        });

    /// <summary>Anything, to be read by programs and people.</summary>
    public static string Json(object report) => JsonSerializer.Serialize(report, Readable) + "\n";

    /// <summary>For <see cref="Json(object)"/>: the values of each cell.</summary>
    public static object Rows(Results results, string[] columns) => results.Rows.Select(row => new
    {
        row.Name,
        Unit = row.Unit.ToString(),
        Values = columns.Where(column => results.Of(row.Name, column).Count != 0).ToDictionary(column => column, column => results.Of(row.Name, column)),
    });

    /// <summary>For <see cref="Json(object)"/>: what went wrong.</summary>
    public static object Problems(Results results) =>
        results.Problems.Select(problem => new { problem.Key.Row, problem.Key.Candidate, Problem = problem.Value });

    private static void Table(StringBuilder text, Results results, string[] columns, Func<string, Unit, string, string> cell)
    {
        text.Append("| | ").AppendJoin(" | ", columns).Append(" |\n|---|").Insert(text.Length, "---:|", columns.Length).Append('\n');
        foreach ((string row, Unit unit) in results.Rows)
            text.Append("| ").Append(row).Append(" | ").AppendJoin(" | ", columns.Select(column => cell(row, unit, column))).Append(" |\n");
    }

    private static string Cell(Results results, string row, Unit unit, string name)
    {
        IReadOnlyCollection<double> values = results.Of(row, name);
        string? problem = results.Problems.GetValueOrDefault((row, name));
        if (problem?.StartsWith("WRONG", StringComparison.Ordinal) == true)
            return "**WRONG**";
        if (values.Count == 0)
            return problem is null ? "–" : "failed";
        double median = Results.Median(values);
        string told = unit switch
        {
            Unit.Seconds when median < 1e-4 => $"{Number(median * 1e6)} µs",
            Unit.Seconds => $"{Number(median * 1000)} ms",
            Unit.Memory => $"{Number(median / 1e6)} MB",
            Unit.Operations => $"{Number(median / 1000)} k/s",
            _ => $"{Number(median / 1e6)} MB/s",
        };
        return $"{told} ±{(values.Max() - values.Min()) / 2 / median * 100:0}%";
    }

    private static string Number(double value) => value.ToString(value >= 100 ? "#,0" : value >= 10 ? "0.0" : value >= 0.1 ? "0.00" : "0.0000", CultureInfo.InvariantCulture);
}
