using Benchmarks.Compare;

namespace Benchmarks.Scale;

/// <summary>How costs grow with one thing.</summary>
/// <param name="Name">What --only takes.</param>
/// <param name="What">What grows, for the report.</param>
/// <param name="Sizes">The columns, from the smallest on.</param>
internal sealed record ScaleTable(string Name, string What, Size[] Sizes);

/// <summary>One size of what grows.</summary>
/// <param name="Name">Its column.</param>
/// <param name="Measure">Mounts, measures once and unmounts.</param>
internal sealed record Size(string Name, Func<IEnumerable<Measured>> Measure)
{
    /// <summary>Why it cannot be measured here; null if it can.</summary>
    public string? Absent { get; init; }
}

/// <summary>One value.</summary>
/// <param name="Row">Of what.</param>
/// <param name="Unit">How it is told.</param>
/// <param name="Value">Seconds or bytes.</param>
internal readonly record struct Measured(string Row, Unit Unit, double Value);
