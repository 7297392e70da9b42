using System.Globalization;
using System.Text;

namespace Ext4Reader.Partitions;

/// <summary>Partitions in words, on one line. Labels come from the disk: they are shown, but cannot move the cursor.</summary>
internal static class PartitionText
{
    private const int MostListed = 24;

    /// <summary>": 1: …; 2: …", or nothing.</summary>
    internal static string List(PartitionTable table)
    {
        List<string> items = [];
        if (table.WholeDisk is not null)
            items.Add($"0: the whole disk, {Describe(table.WholeDisk)}");
        items.AddRange(table.Partitions.Take(MostListed).Select(Describe));
        if (table.Partitions.Count > MostListed)
            items.Add(string.Create(CultureInfo.InvariantCulture, $"and {table.Partitions.Count - MostListed} more"));
        string list = items.Count == 0 ? "" : ": " + string.Join("; ", items);
        return table.Notes.Count == 0 ? list : $"{list} ({string.Join("; ", table.Notes)})";
    }

    /// <summary>Number, size, type, name and filesystem.</summary>
    internal static string Describe(Partition partition)
    {
        string name = partition.Name.Length == 0 ? "" : " " + Quote(partition.Name);
        string filesystem = partition.Filesystem is null ? "" : ", " + Describe(partition.Filesystem);
        return string.Create(CultureInfo.InvariantCulture, $"{partition.Number}: {Size(partition.Length)}, {partition.TypeName}{name}{filesystem}");
    }

    /// <summary>Text in quotation marks, without control and formatting characters.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (Rune rune in text.EnumerateRunes())
            quoted.Append(IsVisible(rune) ? rune.ToString() : "?");
        return quoted.Append('"').ToString();
    }

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static string Describe(ExtSignature filesystem) =>
        $"ext{(filesystem.Label.Length == 0 ? "" : " " + Quote(filesystem.Label))} UUID {filesystem.Uuid:D}";

    private static string Size(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        double size = bytes;
        int unit = 0;
        for (; size >= 1024; unit++)
            size /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }
}
