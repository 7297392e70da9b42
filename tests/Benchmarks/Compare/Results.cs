namespace Benchmarks.Compare;

/// <summary>What was measured, by row and candidate: one value a round.</summary>
internal sealed class Results
{
    private readonly Dictionary<(string Row, string Candidate), SortedDictionary<int, double>> _values = [];
    private readonly Dictionary<string, ulong> _answers = [];
    private readonly Dictionary<(string Row, string Candidate), string> _problems = [];
    private readonly List<(string Name, Unit Unit)> _rows = [];

    /// <summary>The rows that somebody was measured in.</summary>
    public IReadOnlyList<(string Name, Unit Unit)> Rows => _rows;

    /// <summary>What went wrong, by row and candidate.</summary>
    public IReadOnlyDictionary<(string Row, string Candidate), string> Problems => _problems;

    /// <summary>Notes a value: seconds, or work a second.</summary>
    public void Add(string row, Unit unit, string candidate, int round, double value)
    {
        if (!_rows.Contains((row, unit)))
            _rows.Add((row, unit));
        if (!_values.TryGetValue((row, candidate), out SortedDictionary<int, double>? values))
            _values[(row, candidate)] = values = [];
        values[round] = value;
    }

    /// <summary>Compares an answer with the first that was given: the kernel's, where it takes part.</summary>
    public void Check(string row, string candidate, ulong answer)
    {
        if (!_answers.TryGetValue(row, out ulong right))
            _answers[row] = right = answer;
        if (answer != right)
            Fail(row, candidate, "WRONG: another answer than the first candidate's");
    }

    /// <summary>Notes a failure.</summary>
    public void Fail(string row, string candidate, string problem) => _problems[(row, candidate)] = problem;

    /// <summary>The values of a cell.</summary>
    public IReadOnlyCollection<double> Of(string row, string candidate) =>
        _values.TryGetValue((row, candidate), out SortedDictionary<int, double>? values) ? values.Values : [];

    /// <summary>How many times as fast one is as another: the median of what the rounds say, which share what the machine was up to. Null if they share none.</summary>
    public double? Ratio(string row, Unit unit, string candidate, string other)
    {
        if (!_values.TryGetValue((row, candidate), out SortedDictionary<int, double>? mine) || !_values.TryGetValue((row, other), out SortedDictionary<int, double>? theirs))
            return null;
        double[] ratios = [.. mine.Where(pair => theirs.ContainsKey(pair.Key))
            .Select(pair => unit == Unit.Seconds ? theirs[pair.Key] / pair.Value : pair.Value / theirs[pair.Key])];
        return ratios.Length == 0 ? null : Median(ratios);
    }

    /// <summary>The middle one.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
