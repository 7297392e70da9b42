namespace TestSupport.Trees;

/// <summary>Says where two trees differ.</summary>
public static class TreeComparer
{
    private const int AtMost = 40;

    /// <summary>One line a difference; none means equal. <paramref name="except"/> names fields that are not compared.</summary>
    public static IReadOnlyList<string> Differences(Tree expected, Tree actual, params string[] except)
    {
        List<string> differences = [];
        foreach (string path in expected.Records.Keys.Union(actual.Records.Keys).Order(StringComparer.Ordinal))
        {
            if (!expected.Records.TryGetValue(path, out SortedDictionary<string, string>? before))
                differences.Add($"{path}: should not be there");
            else if (!actual.Records.TryGetValue(path, out SortedDictionary<string, string>? after))
                differences.Add($"{path}: missing");
            else
                differences.AddRange(Fields(path, before, after, except));
        }
        return differences.Count <= AtMost ? differences : [.. differences.Take(AtMost), $"and {differences.Count - AtMost} more"];
    }

    private static IEnumerable<string> Fields(
        string path, SortedDictionary<string, string> expected, SortedDictionary<string, string> actual, string[] except)
    {
        foreach (string field in expected.Keys.Union(actual.Keys).Except(except).Order(StringComparer.Ordinal))
        {
            string before = expected.GetValueOrDefault(field, "(absent)");
            string after = actual.GetValueOrDefault(field, "(absent)");
            if (before != after)
                yield return $"{path}: {field}: expected {Differing(before, after)}, found {Differing(after, before)}";
        }
    }

    /// <summary>Of a long listing only the lines that the other one lacks.</summary>
    private static string Differing(string value, string other)
    {
        if (!value.Contains('\n', StringComparison.Ordinal) && !other.Contains('\n', StringComparison.Ordinal))
            return value;
        string[] lines = [.. value.Split('\n').Except(other.Split('\n')).Take(5)];
        return $"[{string.Join(", ", lines)}] of {value.Split('\n').Length}";
    }
}
