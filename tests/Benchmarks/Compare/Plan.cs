namespace Benchmarks.Compare;

/// <summary>How a row is told.</summary>
internal enum Unit
{
    /// <summary>Seconds: less is better.</summary>
    Seconds,

    /// <summary>Operations a second: more is better.</summary>
    Operations,

    /// <summary>Bytes a second: more is better.</summary>
    Bytes,

    /// <summary>Bytes of memory: less is better.</summary>
    Memory,
}

/// <summary>One line of the tables: something that an application does with a mounted image.</summary>
/// <param name="Name">What and how warm: .cold, .hot or .warm.</param>
/// <param name="Unit">How it is told.</param>
/// <param name="Run">Does it, below a mount point.</param>
internal sealed record Row(string Name, Unit Unit, Func<string, Outcome> Run);

/// <summary>What is done with one mount, from mounting to unmounting.</summary>
/// <param name="Image">The image.</param>
/// <param name="IsCold">Nothing of the image is in memory before; otherwise all of it.</param>
/// <param name="MountRow">The row for the mounting itself, or null.</param>
/// <param name="Rows">What is done, in this order.</param>
internal sealed record Sitting(string Image, bool IsCold, string? MountRow, params Row[] Rows)
{
    /// <summary>Whether a row's name begins so.</summary>
    public bool Has(string name) => Rows.Select(row => row.Name).Append(MountRow).Any(row => row?.StartsWith(name, StringComparison.Ordinal) == true);
}

/// <summary>All that is measured.</summary>
internal static class Plan
{
    private const int Megabyte = 1 << 20;
    private const double Seconds = 1; // after which a step that goes by operations ends

    /// <summary>The rows, by mounts. A row whose name ends in .hot has to be the first on its mount to touch what it touches.</summary>
    public static Sitting[] Sittings()
    {
        string files = BenchmarkImages.Files, tree = BenchmarkImages.Tree;
        int[] pages = ShuffledPages(40_000);
        int[] alone = pages[..10_000], shared = pages[10_000..];
        byte[][] looked = FlatNames(0), opened = FlatNames(1);
        byte[][] absent = [.. Enumerable.Range(0, 10_000).Select(i => Client.Bytes($"absent-{i:d6}"))];
        byte[][] same = [.. Enumerable.Repeat(Client.Bytes("no such name"), 50_000)];
        return
        [
            new(files, IsCold: true, "mount.cold",
                new Row("seq.cold", Unit.Bytes, mount => Client.ReadThrough(mount + "/seq", Megabyte))),
            new(files, IsCold: false, "mount.hot",
                new Row("seq.hot", Unit.Bytes, mount => Client.ReadThrough(mount + "/seq", Megabyte)),
                new Row("seq.warm", Unit.Bytes, mount => Client.ReadThrough(mount + "/seq", Megabyte))),
            new(files, IsCold: false, null,
                new Row("frag.hot", Unit.Bytes, mount => Client.ReadThrough(mount + "/frag", Megabyte)),
                new Row("rand.j1", Unit.Operations, mount => Client.ReadPages(mount + "/seq", alone, threads: 1)),
                new Row("rand.j4", Unit.Operations, mount => Client.ReadPages(mount + "/seq", shared, threads: 4))),
            new(tree, IsCold: false, null,
                new Row("ls50k.hot", Unit.Seconds, mount => Client.Walk(mount + "/flat", WalkDepth.List))),
            new(tree, IsCold: false, null,
                new Row("lookup.hot", Unit.Operations, mount => Client.LookUp(mount + "/flat", looked, areThere: true, Seconds)),
                new Row("neg.distinct", Unit.Operations, mount => Client.LookUp(mount + "/flat", absent, areThere: false, Seconds)),
                new Row("neg.same", Unit.Operations, mount => Client.LookUp(mount + "/flat", same, areThere: false, Seconds)),
                new Row("open.hot", Unit.Operations, mount => Client.OpenAndRead(mount + "/flat", opened, Seconds)),
                new Row("open.warm", Unit.Operations, mount => Client.OpenAndRead(mount + "/flat", opened, Seconds)),
                new Row("xattr.hot", Unit.Seconds, mount => Client.ReadAttributes(AttributePaths(mount)))),
            new(tree, IsCold: true, null,
                new Row("find.cold", Unit.Seconds, mount => Client.Walk(mount + "/src", WalkDepth.Names))),
            new(tree, IsCold: false, null,
                new Row("stat.hot", Unit.Seconds, mount => Client.Walk(mount + "/src", WalkDepth.Attributes)),
                new Row("stat.warm", Unit.Seconds, mount => Client.Walk(mount + "/src", WalkDepth.Attributes))),
            new(tree, IsCold: false, null,
                new Row("tar.hot", Unit.Seconds, mount => Client.Walk(mount + "/src", WalkDepth.Contents))),
        ];
    }

    private static int[] ShuffledPages(int count)
    {
        int[] pages = [.. Enumerable.Range(0, BenchmarkImages.SequentialBytes / 4096)];
        new Random(4).Shuffle(pages);
        return pages[..count];
    }

    // Every fifth name, scattered over the directory.
    private static byte[][] FlatNames(int first)
    {
        int[] numbers = [.. Enumerable.Range(0, BenchmarkImages.FlatNames / 5).Select(i => (i * 5) + first)];
        new Random(5 + first).Shuffle(numbers);
        return [.. numbers.Select(number => Client.Bytes(BenchmarkImages.FlatName(number)))];
    }

    private static byte[][] AttributePaths(string mount) =>
        [.. Enumerable.Range(0, BenchmarkImages.FilesWithAttributes).Select(i => Client.Bytes($"{mount}/xattr/{BenchmarkImages.AttributeName(i)}"))];
}
