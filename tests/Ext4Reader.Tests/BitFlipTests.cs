using System.Diagnostics;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Images broken at random: whatever is done with them ends soon, with an answer or an exception that was promised.</summary>
public class BitFlipTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    public static TheoryData<string, int> Sweeps => new()
    {
        { "-t ext4 -O ^has_journal -b 1024 -I 256 -N 256", 1 },
        { "-t ext4 -O ^has_journal,^metadata_csum -b 1024 -I 256 -N 256", 2 },
        { "-t ext4 -O ^has_journal,^metadata_csum -b 4096 -I 256 -N 256", 3 },
        { "-t ext2 -b 1024 -I 128 -N 256", 4 },
        { "-t ext2 -O ^dir_index -b 1024 -I 128 -N 256", 5 },
        { "-t ext4 -O ^has_journal,^metadata_csum,inline_data,ea_inode -b 1024 -I 256 -N 256", 6 },
        { "-t ext4 -O ^has_journal,^metadata_csum,casefold -b 1024 -I 256 -N 256", 7 },
        { "-t ext4 -O ^has_journal,^metadata_csum,encrypt -b 1024 -I 256 -N 256", 8 },
        { "-t ext4 -O ^has_journal,^metadata_csum,bigalloc,mmp -b 1024 -C 4096 -I 256 -N 256", 9 },
    };

    // Set at the end: e2fsck would have encrypted names without a key repaired.
    private static readonly string[] Encrypted = ["sif /many flags 0x81800", "sif /link flags 0x80800", "sif /sizes/9 flags 0x80800"];

    // Set before e2fsck makes the index, which goes by folded names.
    private static readonly string[] Casefolded = ["sif /many flags 0x40080000"];

    [Theory]
    [MemberData(nameof(Sweeps))]
    public void Flipped_bits_cause_nothing_but_promised_exceptions(string options, int seed)
    {
        var tree = new SourceTree("small 2", root =>
        {
            SourceTree.ManyNames(150).Write(root);
            Directory.CreateDirectory(Path.Combine(root, "sizes"));
            for (int size = 1; size < 20_000; size *= 3)
                File.WriteAllBytes(Path.Combine(root, "sizes", $"{size}"), new byte[size]);
            File.CreateSymbolicLink(Path.Combine(root, "link"), new string('l', 100));
            File.CreateSymbolicLink(Path.Combine(root, "short"), "s");
        });
        string original = BuiltImage.PathOf(new ImageRecipe(options, tree, Reindexed: true, Mebibytes: 2,
            Edits: ["ea_set /sizes/1 user.a b", "ea_set /sizes/1 trusted.b " + new string('v', 200), .. options.Contains("encrypt", StringComparison.Ordinal) ? Encrypted : []],
            SettingsFirst: options.Contains("casefold", StringComparison.Ordinal) ? Casefolded : null));
        byte[] bytes = File.ReadAllBytes(original);
        int[] used = [.. Enumerable.Range(0, bytes.Length / 64).Where(chunk => bytes.AsSpan(chunk * 64, 64).ContainsAnyExcept((byte)0))];
        string path = Path.GetTempFileName();
        try
        {
            var random = new Random(seed);
            for (int round = 0; round < 150; round++)
            {
                byte[] broken = [.. bytes];
                for (int flips = random.Next(1, 12); flips > 0; flips--)
                {
                    int at = used[random.Next(used.Length)] * 64 + random.Next(64);
                    broken[at] ^= (byte)(1 << random.Next(8));
                }

                File.WriteAllBytes(path, broken);
                var clock = Stopwatch.StartNew();
                Everything.Do(path);
                Assert.True(clock.Elapsed < Longest, $"round {round} took {clock.Elapsed}");
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_sound_image_is_read_without_any_exception()
    {
        Assert.True(Everything.Do(BuiltImage.PathOf(Recipes.Standard)) > 30);
        Assert.True(Everything.Do(BuiltImage.PathOf(Recipes.Indexed)) > 700);
    }
}
