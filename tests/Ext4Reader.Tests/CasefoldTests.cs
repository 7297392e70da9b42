using System.Text;
using Ext4Reader.Directories;
using Ext4Reader.Directories.Casefold;
using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Directories that compare names without regard to case (casefold).</summary>
public class CasefoldTests
{
    private const string Options = "-t ext4 -O casefold,^has_journal,^metadata_csum_seed -b 1024 -N 2048";
    private const string Strict = " -E encoding=utf8-12.1,encoding_flags=strict";

    private static readonly string[] Names = ["README", "Straße", "Ünïcode", "ﬁle", "한글", "plain", "\u1e9b\u0323"];
    private static readonly SourceTree Few = new("casefold 1", root => Write(root, Names));
    private static readonly SourceTree Many = new("casefold many 1", root => Write(root, Enumerable.Range(0, 600).Select(index => $"Entry-{index}-Ä")));

    private static readonly ImageRecipe Small = Folded(Options, Few);
    private static readonly ImageRecipe Indexed = Folded(Options, Many);
    private static readonly ImageRecipe Unindexed = Folded(Options, Many) with { Reindexed = false };

    [Theory]
    [InlineData("readme", "README")]
    [InlineData("ReadMe", "README")]
    [InlineData("STRASSE", "Straße")]
    [InlineData("strasse", "Straße")]
    [InlineData("u\u0308n\u00efcode", "Ünïcode")]
    [InlineData("FILE", "ﬁle")]
    [InlineData("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글")]
    [InlineData("pl\u00ada\u200bin", "plain")]
    [InlineData("\u017f\u0323\u0307", "\u1e9b\u0323")]
    [InlineData("S\u0307\u0323", "\u1e9b\u0323")]
    public void A_name_is_found_by_any_casing(string wanted, string stored)
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Assert.True(image.TryLookup(image.Find("/dir"), Encoding.UTF8.GetBytes(wanted), out uint number));
        Assert.Equal(image.List(image.Find("/dir")).Single(entry => entry.Name == Latin(stored)).InodeNumber, number);
    }

    [Theory]
    [InlineData("readm")]
    [InlineData("strase")]
    [InlineData("read\u0301me")]
    public void Another_name_is_not_found(string wanted)
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Assert.False(image.TryLookup(image.Find("/dir"), Encoding.UTF8.GetBytes(wanted), out _));
    }

    [Fact]
    public void An_index_is_searched_by_the_hash_of_the_folded_name()
    {
        foreach (ImageRecipe recipe in new[] { Indexed, Unindexed })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode directory = image.Find("/dir");
            Assert.Equal(recipe.Reindexed, directory.HasIndex);
            Assert.All(Enumerable.Range(0, 600), index => Assert.True(image.TryLookup(directory, Encoding.UTF8.GetBytes($"eNTRY-{index}-a\u0308"), out _)));
            Assert.Equal(602, image.List(directory).Count);
        }
    }

    [Fact]
    public void Other_directories_of_the_filesystem_regard_case()
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Assert.True(image.TryLookup(image.GetRoot(), "dir"u8, out _));
        Assert.False(image.TryLookup(image.GetRoot(), "DIR"u8, out _));
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_found_by_its_bytes_unless_the_encoding_is_strict()
    {
        foreach (bool isStrict in new[] { false, true })
        {
            using var damaged = new DamagedImage(Folded(Options + (isStrict ? Strict : ""), Few) with { Reindexed = false });
            int at = damaged.BlockAt("/dir", 0);
            int name = at + damaged.Raw(at, 1024).IndexOf("README"u8);
            damaged.Bytes[name] = 0xff;
            damaged.FixDirectoryBlock(damaged.Number("/dir"), at);
            Ext4Image image = damaged.Open();
            byte[] wanted = [0xff, .. "EADME"u8];
            Assert.Equal(!isStrict, image.TryLookup(image.Find("/dir"), wanted, out _));
            Assert.False(image.TryLookup(image.Find("/dir"), [0xff, .. "eadme"u8], out _));
            Assert.True(image.TryLookup(image.Find("/dir"), "STRASSE"u8, out _));
            Assert.Equal(!isStrict, image.IsPossibleName(image.Find("/dir"), wanted));
            Assert.True(image.IsPossibleName(image.Find("/dir"), "nowhere"u8));
            Assert.True(image.IsPossibleName(image.GetRoot(), wanted));
        }
    }

    // What debugfs says: dx_hash -h half_md4 -s f0f4f5ee-0000-4000-8000-00000000abcd -c -e utf8-12.1 NAME.
    [Theory]
    [InlineData("a\u0378B", 0xc712b5fa, 0xae4d9204)]
    [InlineData("a\u2065B", 0x129e476a, 0x320ca554)]
    [InlineData("a\U000e0080B", 0x129e476a, 0x320ca554)]
    [InlineData("x\u0301\u00ad\u0316", 0xa3ab22cc, 0xd2a8cc88)]
    [InlineData("x\u2c2fB", 0x22a1da34, 0x3dfe5051)]
    [InlineData("x\u0316\u0898\u0301B", 0x38c359c6, 0xd9ca1a50)]
    public void A_folded_name_hashes_as_debugfs_says(string name, uint major, uint minor)
    {
        var hash = new NameHash(NameHashVersion.HalfMd4, IsUnsigned: false, (0xeef5f4f0, 0x00400000, 0x00000080, 0xcdab0000), IsFolding: true);
        Assert.Equal(new HashedName(major, minor), hash.Compute(Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void Debugfs_hashes_random_names_alike()
    {
        var random = new Random(1);
        var hash = new NameHash(NameHashVersion.HalfMd4, IsUnsigned: false, default, IsFolding: true);
        uint[] starts = [0x41, 0xc0, 0x300, 0x370, 0x530, 0x1e00, 0x1f00, 0xac00, 0x10400, 0x1e900, 0x1d160];
        for (int round = 0; round < 40; round++)
        {
            var name = new StringBuilder();
            for (int count = random.Next(1, 12); count > 0; count--)
                name.Append(char.ConvertFromUtf32((int)starts[random.Next(starts.Length)] + random.Next(26)));
            HashedName hashed = hash.Compute(Encoding.UTF8.GetBytes(name.ToString()));
            Assert.Contains($"is 0x{hashed.Major:x} (minor 0x{hashed.Minor:x})", BuiltImage.Run("debugfs", "-R", $"dx_hash -h half_md4 -c -e utf8-12.1 {name}"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_name_needs_more_room_than_there_is()
    {
        var form = new byte[NameFolding.MaximumLength];
        foreach (string letter in new[] { "\u0390", "\u1f82", "\ud834\udd60", "\ufb03", "\uac01", "a", "\u00df", "\u0130" })
        {
            byte[] one = Encoding.UTF8.GetBytes(letter);
            byte[] name = [.. Enumerable.Repeat(one, 255 / one.Length).SelectMany(part => part)];
            Assert.True(NameFolding.TryFold(name, form, out int length));
            Assert.InRange(length, 1, form.Length);
        }
    }

    [Fact]
    public void Another_encoding_is_refused_by_name()
    {
        using var damaged = new DamagedImage(Small);
        damaged.Set16(1024 + 0x27c, 2);
        damaged.FixSuperblock();
        var problem = Assert.Throws<UnsupportedImageException>(() => damaged.Open());
        Assert.Equal(["casefold"], problem.Features);
        Assert.Contains("encoding 2", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Looking_up_a_folded_name_allocates_nothing()
    {
        using Ext4Image image = BuiltImage.Open(Indexed);
        Inode directory = image.Find("/dir");
        byte[] name = Encoding.UTF8.GetBytes("ENTRY-300-ä");
        AllocationTests.AssertAllocatesNothing(() => image.TryLookup(directory, name, out _));
    }

    private static ImageRecipe Folded(string options, SourceTree tree) =>
        new(options, tree, SettingsFirst: ["sif /dir flags 0x40080000"], Reindexed: true);

    private static string Latin(string name) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name));

    private static void Write(string root, IEnumerable<string> names)
    {
        Directory.CreateDirectory(Path.Combine(root, "dir"));
        foreach (string name in names)
            File.WriteAllText(Path.Combine(root, "dir", name), "x");
    }
}
