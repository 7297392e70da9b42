using System.Globalization;
using TestSupport;

namespace Fuzz.Tests;

/// <summary>
/// How long and with which seed: FUSE4FS_FUZZ_SECONDS (60 for all targets together), FUSE4FS_FUZZ_SEED (1), and FUSE4FS_FUZZ_NUMBER to run one
/// case of a seed again.
/// </summary>
internal static class FuzzSettings
{
    private const int Targets = 3;

    public static int Seed => (int)Read("FUSE4FS_FUZZ_SEED", 1);

    /// <summary>The one case to run again, or null for all.</summary>
    public static int? Number => Environment.GetEnvironmentVariable("FUSE4FS_FUZZ_NUMBER") is { Length: > 0 } ? (int)Read("FUSE4FS_FUZZ_NUMBER", 0) : null;

    /// <summary>One target's share.</summary>
    public static TimeSpan Time => TimeSpan.FromSeconds((double)Read("FUSE4FS_FUZZ_SECONDS", 60) / Targets);

    /// <summary>What a case does depends on these two numbers and nothing else.</summary>
    public static Random RandomOf(int seed, int number) => new(unchecked((seed * 1_000_003) + number));

    /// <summary>Where failures are written down.</summary>
    public static string Folder => Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "fuzz")).FullName;

    private static long Read(string name, long otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
