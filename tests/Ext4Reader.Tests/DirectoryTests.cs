using System.Text;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class DirectoryTests
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 700).Select(SourceTree.ManyName)];

    public static TheoryData<string> Images => [nameof(Recipes.Indexed), nameof(Recipes.Unindexed), nameof(Recipes.Linear)];

    [Theory]
    [MemberData(nameof(Images))]
    public void Every_name_is_listed_once(string recipe)
    {
        using Ext4Image image = BuiltImage.Open(Recipe(recipe));
        List<Listed> entries = image.List(image.Find("/many"));
        Assert.Equal([".", "..", .. Names], entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal([".", ".."], entries.Take(2).Select(entry => entry.Name));
        Assert.All(entries.Skip(2), entry => Assert.Equal(FileType.Regular, entry.Type));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Every_name_is_found(string recipe)
    {
        using Ext4Image image = BuiltImage.Open(Recipe(recipe));
        Inode directory = image.Find("/many");
        foreach (Listed entry in image.List(directory))
        {
            Assert.True(image.TryLookup(directory, Encoding.Latin1.GetBytes(entry.Name), out uint number));
            Assert.Equal(entry.InodeNumber, number);
        }
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Missing_names_are_not_found(string recipe)
    {
        using Ext4Image image = BuiltImage.Open(Recipe(recipe));
        Inode directory = image.Find("/many");
        foreach (string name in new[] { "", "x", "...", "entry-00000-nope", "entry/00000", new string('n', 255), new string('n', 256), "a\0b" })
            Assert.False(image.TryLookup(directory, Encoding.Latin1.GetBytes(name), out _));
        for (int index = 0; index < 200; index++)
            Assert.False(image.TryLookup(directory, Encoding.ASCII.GetBytes($"missing-{index}"), out _));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void A_listing_goes_on_behind_every_cookie(string recipe)
    {
        using Ext4Image image = BuiltImage.Open(Recipe(recipe));
        Inode directory = image.Find("/many");
        List<Listed> all = image.List(directory);
        for (int index = 0; index < all.Count; index++)
            Assert.Equal(all.Skip(index + 1).Take(3), image.List(directory, all[index].Cookie, 3));
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Cookies_ascend_and_stay_below_the_greatest(string recipe)
    {
        using Ext4Image image = BuiltImage.Open(Recipe(recipe));
        ulong last = 0;
        foreach (Listed entry in image.List(image.Find("/many")))
        {
            Assert.InRange(entry.Cookie, last + 1, (ulong)long.MaxValue - 1);
            last = entry.Cookie;
        }
    }

    [Fact]
    public void Cookies_are_the_same_with_and_without_an_index()
    {
        Assert.Equal(Cookies(Recipes.Unindexed), Cookies(Recipes.Indexed));
        using Ext4Image indexed = BuiltImage.Open(Recipes.Indexed);
        using Ext4Image unindexed = BuiltImage.Open(Recipes.Unindexed);
        Assert.True(indexed.Find("/many").HasIndex);
        Assert.False(unindexed.Find("/many").HasIndex);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Cookies_of_other_names_survive_a_removal(bool isIndexed)
    {
        ImageRecipe recipe = isIndexed ? Recipes.Indexed : Recipes.Unindexed;
        Dictionary<string, ulong> before = Cookies(recipe);
        string[] removed = [Names[3], Names[77], Names[500]];
        Dictionary<string, ulong> after = Cookies(recipe with { Edits = [.. removed.Select(name => "rm /many/" + name)] });
        Assert.Equal(before.Where(pair => !removed.Contains(pair.Key)).OrderBy(pair => pair.Value), after.OrderBy(pair => pair.Value));
    }

    [Fact]
    public void A_listing_goes_on_behind_the_cookie_of_a_removed_name()
    {
        using Ext4Image before = BuiltImage.Open(Recipes.Indexed);
        List<Listed> all = before.List(before.Find("/many"));
        using Ext4Image after = BuiltImage.Open(Recipes.Indexed with { Edits = [$"rm /many/{all[50].Name}"] });
        Assert.Equal(all[51].Name, after.List(after.Find("/many"), all[50].Cookie, 1)[0].Name);
    }

    [Fact]
    public void A_byte_cookie_inside_an_entry_moves_to_the_next_one()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Linear);
        Inode directory = image.Find("/many");
        List<Listed> all = image.List(directory);
        Assert.Equal(12ul, all[0].Cookie);
        Assert.Equal(all[5].Name, image.List(directory, all[3].Cookie + 1, 1)[0].Name);
    }

    [Fact]
    public void A_cookie_behind_everything_lists_nothing()
    {
        foreach (ImageRecipe recipe in new[] { Recipes.Indexed, Recipes.Unindexed, Recipes.Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Assert.Empty(image.List(image.Find("/many"), long.MaxValue));
            Assert.Empty(image.List(image.Find("/many"), ulong.MaxValue));
        }
    }

    [Fact]
    public void The_dots_lead_to_the_directory_and_its_parent()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode deep = image.Find("/deep/er");
        Assert.True(image.TryLookup(deep, "."u8, out uint self));
        Assert.True(image.TryLookup(deep, ".."u8, out uint parent));
        Assert.Equal((deep.Number, image.Find("/deep").Number), (self, parent));
        Assert.True(image.TryLookup(image.Inode(2), ".."u8, out uint root));
        Assert.Equal(2u, root);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    public void Indexes_of_every_hash_are_searched(int version, int signedness)
    {
        var tree = new SourceTree("high bytes 1", root =>
        {
            string directory = Path.Combine(root, "many");
            Directory.CreateDirectory(directory);
            for (int index = 0; index < 300; index++)
                File.WriteAllBytes(Path.Combine(directory, $"é-{index}-{new string('日', index % 30)}"), []);
        });
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(
            "-t ext4 -O ^has_journal -b 1024", tree, Reindexed: true, SettingsFirst: [$"ssv def_hash_version {version}", $"ssv flags {signedness}"]));
        Inode directory = image.Find("/many");
        Assert.True(directory.HasIndex);
        List<Listed> all = image.List(directory);
        Assert.Equal(302, all.Count);
        Assert.All(all, entry => Assert.True(image.TryLookup(directory, Encoding.Latin1.GetBytes(entry.Name), out _)));
    }

    [Theory]
    [InlineData("-b 1024", 4000)]
    [InlineData("-b 4096", 4000)]
    [InlineData("-b 65536", 4000)]
    public void Indexes_of_two_levels_are_walked(string options, int count)
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(
            $"-t ext4 -O ^has_journal {options} -N 8192", SourceTree.ManyNames(count), Reindexed: true, Mebibytes: 64));
        Inode directory = image.Find("/many");
        Assert.True(directory.HasIndex);
        Assert.Equal(count + 2, image.List(directory).Select(entry => entry.Name).Distinct().Count());
        ulong after = 0;
        int listed = 0;
        for (List<Listed> page = image.List(directory, 0, 100); page.Count > 0; page = image.List(directory, after, 100))
        {
            after = page[^1].Cookie;
            listed += page.Count;
        }

        Assert.Equal(count + 2, listed);
    }

    [Theory]
    [InlineData(28, 99)]
    [InlineData(30, 3)]
    [InlineData(30, 255)]
    [InlineData(31, 1)]
    [InlineData(36, 0)]
    [InlineData(37, 0xff)]
    [InlineData(44, 0)]
    [InlineData(47, 0x07)]
    public void A_damaged_index_is_done_without(int offset, byte value)
    {
        using var damaged = new DamagedImage(Recipes.Indexed);
        uint number = damaged.Number("/many");
        int at = damaged.BlockAt("/many", 0);
        damaged.Bytes[at + offset] = value;
        damaged.FixIndexBlock(number, at, 32);
        using Ext4Image image = damaged.Open();
        Inode directory = image.Inode(number);
        Assert.Equal(702, image.List(directory).Count);
        int found = Names.Count(name => image.TryLookup(directory, Encoding.ASCII.GetBytes(name), out _));
        Assert.InRange(found, 1, 700);
        ulong after = 0;
        int listed = 0;
        for (List<Listed> page = image.List(directory, 0, 9); page.Count > 0; page = image.List(directory, after, 9))
        {
            after = page[^1].Cookie;
            listed += page.Count;
        }

        Assert.Equal(702, listed);
    }

    [Fact]
    public void A_visitor_may_list_another_directory()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        var visitor = new NestedVisitor(image, []);
        image.List(image.Inode(2), 0, ref visitor);
        Assert.Contains("sizes/4096", visitor.Paths);
        Assert.Contains("names/...", visitor.Paths);
    }

    private static ImageRecipe Recipe(string name) => name switch
    {
        nameof(Recipes.Indexed) => Recipes.Indexed,
        nameof(Recipes.Unindexed) => Recipes.Unindexed,
        _ => Recipes.Linear,
    };

    private static Dictionary<string, ulong> Cookies(ImageRecipe recipe)
    {
        using Ext4Image image = BuiltImage.Open(recipe);
        return image.List(image.Find("/many")).ToDictionary(entry => entry.Name, entry => entry.Cookie);
    }

    private readonly struct NestedVisitor(Ext4Image image, List<string> paths) : IDirectoryVisitor
    {
        public List<string> Paths => paths;

        public bool Visit(in ListedName entry)
        {
            string name = Encoding.Latin1.GetString(entry.Name);
            if (entry.Type == FileType.Directory && name is not ("." or ".."))
                paths.AddRange(image.List(image.Inode(entry.InodeNumber)).Select(inner => $"{name}/{inner.Name}"));
            return true;
        }
    }
}
