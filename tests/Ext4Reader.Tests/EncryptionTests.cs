using System.Security.Cryptography;
using System.Text;
using Ext4Reader.Directories;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Encrypted files, directories and links without their key (encrypt).</summary>
public class EncryptionTests
{
    private const string Options = "-t ext4 -O encrypt,^has_journal,^metadata_csum_seed -b 1024 -N 2048";

    private static readonly int[] Lengths = [16, 32, 149, 150, 255];

    private static readonly SourceTree Few = new("encrypted 1", root =>
    {
        Write(root, Lengths.Select(Name));
        File.CreateSymbolicLink(Path.Combine(root, "link"), "\u0010\u0001" + new string('t', 272));
    });

    private static readonly SourceTree Many = new("encrypted many 1", root => Write(root, Enumerable.Range(0, 300).Select(index => $"name-{index:d3}-{new string('x', 60 + index % 150)}")));

    private static readonly ImageRecipe Small = new(Options, Few, Edits: ["sif /dir flags 0x80800", "sif /file flags 0x80800", "sif /link flags 0x80800"]);
    private static readonly ImageRecipe Indexed = new(Options, Many, Reindexed: true, Edits: ["sif /dir flags 0x81800"]);
    private static readonly ImageRecipe Unindexed = new(Options, Many, Edits: ["sif /dir flags 0x80800"]);
    private static readonly ImageRecipe Linear = new(Options + " -O ^dir_index", Many, Edits: ["sif /dir flags 0x80800"]);

    [Fact]
    public void Names_are_shown_in_the_form_Linux_shows_without_the_key()
    {
        using var damaged = new DamagedImage(Small);
        Ext4Image image = damaged.Open();
        NameHash hash = NameHash.Default(image.Find("/dir"), damaged.Superblock);
        string[] expected = [.. Lengths.Select(length => Form(Encoding.ASCII.GetBytes(Name(length)), hash.Compute(Encoding.ASCII.GetBytes(Name(length)))))];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Shown(image).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Names_of_directories_listed_as_they_lie_are_shown_without_a_hash()
    {
        foreach (ImageRecipe recipe in new[] { Unindexed, Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Assert.All(Shown(image), name => Assert.StartsWith("AAAAAAAAAA", name, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_name_shown_can_be_looked_up()
    {
        foreach (ImageRecipe recipe in new[] { Small, Indexed, Unindexed, Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode directory = image.Find("/dir");
            List<Listed> all = image.List(directory);
            Assert.Equal(recipe == Small ? 7 : 302, all.Count);
            Assert.All(all, entry => Assert.True(image.TryLookup(directory, Encoding.ASCII.GetBytes(entry.Name), out uint number) && number == entry.InodeNumber));
        }
    }

    [Fact]
    public void A_name_shown_without_its_hash_is_found_through_an_index_too()
    {
        using Ext4Image image = BuiltImage.Open(Indexed);
        byte[] stored = Encoding.ASCII.GetBytes($"name-149-{new string('x', 60 + 149)}");
        Assert.True(image.TryLookup(image.Find("/dir"), Encoding.ASCII.GetBytes(Form(stored, default)), out _));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("AAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAA=")]
    [InlineData("AAAA AAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAB_______________")]
    public void What_is_no_such_form_is_not_found(string name)
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Assert.False(image.TryLookup(image.Find("/dir"), Encoding.ASCII.GetBytes(name), out _));
    }

    [Fact]
    public void The_name_itself_is_not_found()
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Assert.False(image.TryLookup(image.Find("/dir"), Encoding.ASCII.GetBytes(Name(16)), out _));
    }

    [Fact]
    public void Content_needs_the_key()
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Inode file = image.Find("/file");
        Assert.True(file.IsEncrypted);
        Assert.Equal(file.Number, Assert.Throws<EncryptedContentException>(() => image.Read(file, 0, new byte[10])).InodeNumber);
        Assert.Throws<EncryptedContentException>(() => image.SeekData(file, 0));
        Assert.Throws<EncryptedContentException>(() => image.SeekHole(file, 0));
    }

    [Fact]
    public void A_link_shows_the_form_of_its_target_and_has_its_length()
    {
        using Ext4Image image = BuiltImage.Open(Small);
        Inode link = image.Find("/link");
        var target = new byte[4096];
        int length = image.ReadSymbolicLink(link, target);
        Assert.Equal(length, link.Size);
        Assert.Equal(Form(Encoding.ASCII.GetBytes(new string('t', 272)), default), Encoding.ASCII.GetString(target, 0, length));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(273)]
    public void A_target_of_an_impossible_length_is_reported(int length)
    {
        using var damaged = new DamagedImage(Small);
        damaged.Set16(damaged.BlockAt("/link", 0), length);
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.SymbolicLinkTarget, Assert.Throws<CorruptImageException>(() => image.Find("/link")).Kind);
    }

    [Fact]
    public void Bytes_that_no_plain_name_may_have_are_shown()
    {
        using var damaged = new DamagedImage(Small);
        int at = damaged.BlockAt("/dir", 0);
        int name = at + damaged.Raw(at, 1024).IndexOf(Encoding.ASCII.GetBytes(Name(32)));
        (damaged.Bytes[name], damaged.Bytes[name + 1]) = ((byte)'/', 0);
        damaged.FixDirectoryBlock(damaged.Number("/dir"), at);
        Ext4Image image = damaged.Open();
        Assert.Equal(5, Shown(image).Length);
        Assert.All(Shown(image), shown => Assert.True(image.TryLookup(image.Find("/dir"), Encoding.ASCII.GetBytes(shown), out _)));
    }

    [Fact]
    public void Hashes_that_take_a_key_are_read_from_the_entries()
    {
        using var damaged = new DamagedImage(new ImageRecipe(Options + " -O casefold", Few, Edits: ["sif /dir flags 0x40080800"]));
        int at = damaged.BlockAt("/dir", 0);
        uint number = damaged.Number("/dir");
        uint target = damaged.Number("/file");
        WriteEntry(damaged, at + 24, target, 40, 'k', 0x12345678, 0x9abcdef0);
        WriteEntry(damaged, at + 64, target, 1024 - 64 - 12, 'm', 0x11111110, 7);
        damaged.FixDirectoryBlock(number, at);
        Ext4Image image = damaged.Open();
        Assert.Equal(
            [Form([.. Enumerable.Repeat((byte)'m', 16)], new HashedName(0x11111110, 7)), Form([.. Enumerable.Repeat((byte)'k', 16)], new HashedName(0x12345678, 0x9abcdef0))],
            Shown(image));
        Assert.All(Shown(image), shown => Assert.True(image.TryLookup(image.Find("/dir"), Encoding.ASCII.GetBytes(shown), out _)));
    }

    [Fact]
    public void Listing_encrypted_names_allocates_nothing()
    {
        foreach (ImageRecipe recipe in new[] { Small, Indexed, Unindexed, Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode directory = image.Find("/dir");
            AllocationTests.AssertAllocatesNothing(() =>
            {
                var counter = default(AllocationTests.Counter);
                image.List(directory, 0, ref counter);
            });
        }
    }

    private static string[] Shown(Ext4Image image) => [.. image.List(image.Find("/dir")).Skip(2).Select(entry => entry.Name)];

    private static string Name(int length) => new string((char)('a' + length % 26), length);

    private static string Form(byte[] stored, HashedName hash)
    {
        byte[] whole = [.. BitConverter.GetBytes(hash.Major), .. BitConverter.GetBytes(hash.Minor), .. stored[..Math.Min(149, stored.Length)]];
        if (stored.Length > 149)
            whole = [.. whole, .. SHA256.HashData(stored[149..])];
        return Convert.ToBase64String(whole).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    private static void WriteEntry(DamagedImage image, int at, uint target, int length, char letter, uint major, uint minor)
    {
        image.Set32(at, target);
        image.Set16(at + 4, length);
        image.Set16(at + 6, 16 | 1 << 8);
        image.Raw(at + 8, 16).Fill((byte)letter);
        image.Set32(at + 24, major);
        image.Set32(at + 28, minor);
    }

    private static void Write(string root, IEnumerable<string> names)
    {
        Directory.CreateDirectory(Path.Combine(root, "dir"));
        File.WriteAllText(Path.Combine(root, "file"), "ciphertext");
        foreach (string name in names)
            File.WriteAllBytes(Path.Combine(root, "dir", name), []);
    }
}
