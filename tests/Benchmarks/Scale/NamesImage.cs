using System.Globalization;
using Benchmarks.Compare;
using TestSupport;

namespace Benchmarks.Scale;

/// <summary>
/// An image with directories of 1,000 names and more, each twice: /names-N with an index, /linear-N without one. Written by the kernel's ext4, in
/// about a minute, and kept: 0.4 GB.
/// </summary>
internal static class NamesImage
{
    /// <summary>How many names the directories have.</summary>
    public static readonly int[] Sizes = [1_000, 10_000, 100_000, 1_000_000];

    private const long ImageBytes = 6L << 30; // nearly all of it holes: so many groups it takes for the inodes

    /// <summary>The image, made when first asked for.</summary>
    public static string Path => BenchmarkImages.Get("names", Make);

    /// <summary>A directory with an index.</summary>
    public static string Indexed(int names) => string.Create(CultureInfo.InvariantCulture, $"names-{names}");

    /// <summary>A directory with the same names and none.</summary>
    public static string Linear(int names) => string.Create(CultureInfo.InvariantCulture, $"linear-{names}");

    // No checksums: index blocks have none of a leaf's, and are to pass for empty leaves.
    private static void Make(string image)
    {
        string blocks = (ImageBytes / 4096).ToString(CultureInfo.InvariantCulture);
        Command.Run(
            120, null, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "^has_journal,^metadata_csum", "-N", (Sizes.Sum() * 108L / 100).ToString(CultureInfo.InvariantCulture),
            "-E", "nodiscard,lazy_itable_init=1", image, blocks).OrThrow();
        // noinit_itable: the kernel would go on to fill the holes.
        string script = string.Concat(Sizes.Select(names => string.Create(
            CultureInfo.InvariantCulture,
            $"mkdir {Indexed(names)}; (cd {Indexed(names)}; seq -f entry-%06.0f 0 {names - 1} | xargs touch); cp -al {Indexed(names)} {Linear(names)}\n")));
        KernelWrites.Run(image, script, seconds: 900, options: "noatime,noinit_itable");
        // A directory whose index is not to be used is a sound one without an index.
        foreach (int names in Sizes)
        {
            const string WithoutIndex = "0x80000";
            Command.Run("debugfs", "-w", "-R", $"set_inode_field /{Linear(names)} flags {WithoutIndex}", image).OrThrow();
            if (!Command.Run("debugfs", "-R", $"stat /{Linear(names)}", image).OrThrow().Output.Contains($"Flags: {WithoutIndex}\n", StringComparison.Ordinal))
                throw new InvalidOperationException($"/{Linear(names)} in {image} has an index still");
        }
    }
}
