using System.Text;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Files, directories and links that lie in their inodes (inline_data).</summary>
public class InlineDataTests
{
    private const string Options = "-t ext4 -b 1024 -N 1024 -O inline_data,^has_journal,^metadata_csum_seed";

    private static readonly int[] Sizes = [0, 1, 59, 60, 61, 100, 132, 133];
    private static readonly SourceTree Tree = new("inline 2", Write);
    private static readonly ImageRecipe Recipe = new(Options + " -I 256", Tree);

    public static readonly TheoryData<string> Layouts = [Options + " -I 256", Options + " -I 1024", Options + ",^dir_index -I 256", Options + ",^extents,^64bit -I 256"];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Small_files_are_read_from_their_inodes(string layout)
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(layout, Tree));
        Assert.All(Sizes, size => Assert.Equal(SourceTree.Pattern($"{size}", 0, size), image.Content($"/files/{size}")));
        Assert.True(image.Find("/files/100").HasInlineContent);
        var part = new byte[30];
        Assert.Equal(30, image.Read(image.Find("/files/100"), 50, part));
        Assert.Equal(SourceTree.Pattern("100", 50, 30), part);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Small_directories_are_listed_from_their_inodes(string layout)
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(layout, Tree));
        Inode directory = image.Find("/few");
        Assert.True(directory.HasInlineContent);
        List<Listed> all = image.List(directory);
        Assert.Equal([".", "..", "a", "another", "third"], all.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal((directory.Number, 2u), (all[0].InodeNumber, all[1].InodeNumber));
        Assert.All(all, entry => Assert.Equal(all.Where(other => other.Cookie > entry.Cookie), image.List(directory, entry.Cookie)));
        Assert.All(all, entry => Assert.True(image.TryLookup(directory, Encoding.ASCII.GetBytes(entry.Name), out uint number) && number == entry.InodeNumber));
        Assert.False(image.TryLookup(directory, "b"u8, out _));
    }

    [Fact]
    public void The_part_of_a_directory_behind_its_map_is_listed_too()
    {
        using var damaged = new DamagedImage(Recipe);
        AddNames(damaged, "/few", "x-fourth", "y");
        Ext4Image image = damaged.Open();
        Inode directory = image.Find("/few");
        Assert.Equal(60, directory.InlineLength);
        Assert.Equal([".", "..", "a", "another", "third", "x-fourth", "y"], image.List(directory).Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.True(image.TryLookup(directory, "x-fourth"u8, out uint number));
        Assert.Equal(damaged.Number("/few/a"), number);
    }

    [Fact]
    public void Without_an_index_a_directory_is_listed_as_it_lies()
    {
        using var damaged = new DamagedImage(new ImageRecipe(Options + ",^dir_index -I 256", Tree));
        AddNames(damaged, "/few", "x-fourth", "y");
        Ext4Image image = damaged.Open();
        List<Listed> all = image.List(image.Find("/few"));
        Assert.Equal([12ul, 24ul, 36ul, 52ul, 80ul, 96ul, 140ul], all.Select(entry => entry.Cookie).ToArray());
        Assert.All(all, entry => Assert.Equal(all.Where(other => other.Cookie > entry.Cookie), image.List(image.Find("/few"), entry.Cookie)));
    }

    [Fact]
    public void Cookies_of_small_directories_stay_valid_when_they_grow()
    {
        using Ext4Image inline = BuiltImage.Open(Recipe);
        using Ext4Image plain = BuiltImage.Open(new ImageRecipe(Options.Replace("inline_data,", "", StringComparison.Ordinal), Tree));
        Assert.Equal(
            plain.List(plain.Find("/few")).Select(entry => (entry.Name, entry.Cookie)),
            inline.List(inline.Find("/few")).Select(entry => (entry.Name, entry.Cookie)));
    }

    [Fact]
    public void Links_that_continue_behind_the_map_are_read()
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(Options + " -I 256", Tree));
        Inode link = image.Find("/link");
        var target = new byte[4096];
        Assert.Equal(100, image.ReadSymbolicLink(link, target));
        Assert.Equal(new string('t', 100), Encoding.ASCII.GetString(target, 0, 100));
    }

    [Fact]
    public void Space_used_is_the_size_in_sectors()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Assert.Equal((0ul, 1ul), (image.Find("/files/0").Sectors, image.Find("/files/100").Sectors));
        Assert.Equal(0ul, image.Find("/few").Sectors);
    }

    [Fact]
    public void All_of_a_small_file_is_data()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Inode file = image.Find("/files/100");
        Assert.Equal((10, 100, -1), (image.SeekData(file, 10), image.SeekHole(file, 10), image.SeekData(file, 100)));
    }

    [Fact]
    public void The_attribute_with_the_content_is_not_shown()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Inode file = image.Find("/files/100");
        Assert.Empty(image.AttributeNames(file));
        Assert.Null(image.Attribute(file, "system.data"));
    }

    [Fact]
    public void What_a_longer_file_does_not_hold_reads_as_zeros()
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = damaged.Number("/files/59");
        damaged.Set32(damaged.InodeAt(number) + 4, 5000);
        damaged.FixInode(number);
        Ext4Image image = damaged.Open();
        byte[] content = image.Content("/files/59");
        Assert.Equal(SourceTree.Pattern("59", 0, 59), content[..59]);
        Assert.Equal(new byte[4900], content[100..]);
        Assert.Equal(60, image.SeekHole(image.Find("/files/59"), 0));
    }

    [Theory]
    [InlineData(4, 3)]
    [InlineData(4, 0xffff)]
    [InlineData(6, 200)]
    public void A_broken_entry_in_an_inode_is_reported(int offset, int value)
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = damaged.Number("/few");
        damaged.Set16(damaged.InodeAt(number) + 0x28 + 4 + offset, value);
        damaged.FixInode(number);
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.DirectoryEntryLength, Assert.Throws<CorruptImageException>(() => image.List(image.Find("/few"))).Kind);
    }

    [Fact]
    public void A_parent_that_cannot_be_is_reported()
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = damaged.Number("/few");
        damaged.Set32(damaged.InodeAt(number) + 0x28, uint.MaxValue);
        damaged.FixInode(number);
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.DirectoryEntryInode, Assert.Throws<CorruptImageException>(() => image.List(image.Find("/few"))).Kind);
        Assert.Equal(Corruption.DirectoryEntryInode, Assert.Throws<CorruptImageException>(() => image.TryLookup(image.Find("/few"), ".."u8, out _)).Kind);
    }

    // Gives the directory's attribute system.data a value of 60 bytes with two more names; only Linux makes such ones.
    private static void AddNames(DamagedImage image, string path, string first, string second)
    {
        const int Entry = 128 + 32 + 4;
        const int Value = 32;
        uint target = image.Number(path + "/a");
        uint number = image.Number(path);
        int inode = image.InodeAt(number);
        image.Set16(inode + Entry + 2, Value);
        image.Set32(inode + Entry + 8, 60);
        AddName(image, inode + Entry + Value, target, 16, first);
        AddName(image, inode + Entry + Value + 16, target, 44, second);
        image.Set32(inode + 4, 120);
        image.FixInode(number);
    }

    private static void AddName(DamagedImage image, int at, uint target, int length, string name)
    {
        image.Set32(at, target);
        image.Set16(at + 4, length);
        image.Set16(at + 6, name.Length | 1 << 8);
        Encoding.ASCII.GetBytes(name).CopyTo(image.Raw(at + 8, name.Length));
    }

    private static void Write(string root)
    {
        Directory.CreateDirectory(Path.Combine(root, "files"));
        foreach (int size in Sizes)
            File.WriteAllBytes(Path.Combine(root, "files", $"{size}"), SourceTree.Pattern($"{size}", 0, size));
        Directory.CreateDirectory(Path.Combine(root, "few"));
        foreach (string name in new[] { "a", "another", "third" })
            File.WriteAllText(Path.Combine(root, "few", name), "x");
        File.CreateSymbolicLink(Path.Combine(root, "link"), new string('t', 100));
    }
}
