using System.Globalization;

namespace Ext4Reader.Partitions;

/// <summary>Decides which filesystem of a disk is meant.</summary>
internal static class PartitionChoice
{
    private const string WholeDisk = "0";

    /// <summary>What is taken without a selector; null for the disk as a whole.</summary>
    internal static Partition? Only(PartitionTable table)
    {
        List<Partition> ext = [.. table.Partitions.Where(partition => partition.Filesystem is not null)];
        if (table.WholeDisk is not null)
        {
            // A partition that starts where the disk does is the same filesystem.
            return ext.All(partition => partition.Start == 0)
                ? null
                : throw Failure(table, "an ext filesystem begins at the start of the disk, and others in its partitions; one must be a left-over: choose");
        }

        if (table.Kind == PartitionTableKind.None)
            return null;
        return ext.Count switch
        {
            1 => ext[0],
            0 => throw Failure(table, "no ext2/3/4 filesystem in any partition of this disk"),
            _ => throw Failure(table, string.Create(CultureInfo.InvariantCulture, $"{ext.Count} ext2/3/4 filesystems on this disk: choose one")),
        };
    }

    /// <summary>What a selector means; null for the disk as a whole.</summary>
    internal static Partition? Of(PartitionTable table, string selector)
    {
        if (selector == WholeDisk)
            return null;
        if (int.TryParse(selector, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && table.Partitions.FirstOrDefault(partition => partition.Number == number) is Partition numbered)
            return numbered;

        bool whole = table.WholeDisk is not null && Names(table.WholeDisk, selector);
        List<Partition> named = [.. table.Partitions.Where(partition => Names(partition, selector))];
        if (whole || named.Any(partition => partition.Filesystem is not null))
            named.RemoveAll(partition => partition.Filesystem is null);
        string quoted = PartitionText.Quote(selector);
        return (named.Count, whole) switch
        {
            (0, true) => null,
            (1, false) => named[0],
            (0, false) => throw Failure(table, table.Kind == PartitionTableKind.None
                ? $"no partition {quoted}: the image has no partition table"
                : $"no partition {quoted} on this disk"),
            _ => throw Failure(table, string.Create(
                CultureInfo.InvariantCulture, $"{quoted} means {named.Count + (whole ? 1 : 0)} filesystems or partitions of this disk: choose one")),
        };
    }

    private static bool Names(Partition partition, string selector) =>
        (partition.Filesystem is not null && Names(partition.Filesystem, selector))
        || Is(partition.Name, selector, "PARTLABEL=", StringComparison.Ordinal)
        || Is(partition.Uuid ?? "", selector, "PARTUUID=", StringComparison.OrdinalIgnoreCase);

    private static bool Names(ExtSignature filesystem, string selector) =>
        Is(filesystem.Label, selector, "LABEL=", StringComparison.Ordinal)
        || Is(filesystem.Uuid.ToString("D"), selector, "UUID=", StringComparison.OrdinalIgnoreCase);

    // An empty name is no name.
    private static bool Is(string name, string selector, string prefix, StringComparison comparison) =>
        name.Length != 0
        && (string.Equals(name, selector, comparison)
            || (selector.StartsWith(prefix, StringComparison.Ordinal) && selector.AsSpan(prefix.Length).Equals(name, comparison)));

    private static PartitionChoiceException Failure(PartitionTable table, string problem) => new(problem + PartitionText.List(table));
}
