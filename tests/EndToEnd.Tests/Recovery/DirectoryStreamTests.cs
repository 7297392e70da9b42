using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Somebody is in the middle of listing a directory when it changes between two workers: what was there before and is there after comes once.</summary>
public class DirectoryStreamTests
{
    private const int Count = 600;

    [OracleTheory]
    [InlineData("nothing at all", "true")]
    [InlineData("some are removed", "$KERNEL rm $(seq -f entry-with-a-rather-long-name-%04g 3 7 600)")]
    [InlineData("the directory is split", "$KERNEL touch $(seq -f newcomer-with-a-rather-long-name-%04g 700)")]
    [InlineData("e2fsck -D packs it anew", "e2fsck -fyD $IMAGE; [ $? -le 2 ]")]
    [InlineData("e2fsck drops names", "for n in $(seq -f %04g 5 11 600); do echo clri /many/entry-with-a-rather-long-name-$n; done | debugfs -w -f - $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]")]
    public void What_stays_comes_exactly_once(string what, string change)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, $"mkdir many; cd many; touch $(seq -f entry-with-a-rather-long-name-%04g {Count})");
        using var mounted = new Mounted(image);
        using OpenDescriptor fresh = Posix.Open(mounted.PathOf("many")), cached = Posix.Open(mounted.PathOf("many"));
        List<string> first = [.. Names(fresh, 100)], second = [.. Names(cached, 100)];
        Assert.InRange(first.Count, 100, Count / 2);
        HashSet<string> before = Names(mounted); // now the kernel has the listing in its cache, for the second one to go on with

        mounted.Tell("pause", "--kill").OrThrow();
        if (change.StartsWith("$KERNEL ", StringComparison.Ordinal))
            _ = KernelWrites.Run(mounted.Image, "cd many; " + change["$KERNEL ".Length..]);
        else
            Command.Run(30, new Dictionary<string, string?> { ["IMAGE"] = mounted.Image }, "sh", "-c", change).OrThrow();
        mounted.Tell("resume").OrThrow();

        HashSet<string> after = Names(mounted);
        Assert.True(what == "nothing at all" || what.StartsWith("e2fsck -D", StringComparison.Ordinal) || !after.SetEquals(before), "nothing has changed");
        first.AddRange(Names(fresh));
        second.AddRange(Names(cached));
        foreach (List<string> names in (List<string>[])[first, second])
        {
            Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
            Assert.Empty(before.Intersect(after).Except(names));
            Assert.Empty(names.Except(before.Union(after)));
        }
    }

    private static HashSet<string> Names(Mounted mounted)
    {
        using OpenDescriptor folder = Posix.Open(mounted.PathOf("many"));
        return [.. Names(folder)];
    }

    private static IEnumerable<string> Names(OpenDescriptor folder, int atMost = int.MaxValue) => folder.List(1024, atMost).Select(entry => entry.Name);
}
