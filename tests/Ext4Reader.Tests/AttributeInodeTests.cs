using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Values of extended attributes that lie in inodes of their own (ea_inode).</summary>
public class AttributeInodeTests
{
    private static readonly byte[] Value = SourceTree.Pattern("value", 0, 1024);

    private static readonly ImageRecipe Recipe = new("-t ext4 -O ea_inode,^has_journal,^metadata_csum_seed -b 1024 -N 1024 -I 256", SourceTree.Standard, Edits:
    [
        "ea_set -f " + ValueFile() + " /attributes/file user.large",
        "ea_set -f " + ValueFile() + " /sizes/1 user.large",
        "ea_set -f " + ValueFile() + " /sizes/59 user.other",
        "ea_set /attributes/file user.small value",
    ]);

    [Fact]
    public void A_value_in_an_inode_is_read()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Inode file = image.Find("/attributes/file");
        Assert.Equal(["user.large", "user.small"], image.AttributeNames(file).Order(StringComparer.Ordinal));
        Assert.Equal(Value, image.Attribute(file, "user.large"));
        Assert.Equal("value"u8.ToArray(), image.Attribute(file, "user.small"));
    }

    [Fact]
    public void Two_files_may_share_a_value()
    {
        using var damaged = new DamagedImage(Recipe);
        damaged.Set32(Entry(damaged, "/sizes/1") + 4, ValueInode(damaged, "/attributes/file"));
        damaged.FixInode(damaged.Number("/sizes/1"));
        Ext4Image image = damaged.Open();
        Assert.Equal(Value, image.Attribute(image.Find("/sizes/1"), "user.large"));
        Assert.Equal(Value, image.Attribute(image.Find("/attributes/file"), "user.large"));
    }

    [Fact]
    public void A_value_whose_bytes_changed_is_refused()
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = ValueInode(damaged, "/attributes/file");
        damaged.Bytes[damaged.Bytes.AsSpan().IndexOf(Value.AsSpan(0, 1024))] ^= 1;
        Ext4Image image = damaged.Open();
        Inode file = image.Find("/attributes/file");
        var problem = Assert.Throws<CorruptImageException>(() => image.Attribute(file, "user.large"));
        Assert.Equal((Corruption.ExtendedAttributeInode, file.Number), (problem.Kind, problem.InodeNumber));
        Assert.Contains($"in inode {number}", problem.Message, StringComparison.Ordinal);
        Assert.Equal("value"u8.ToArray(), image.Attribute(file, "user.small"));
    }

    [Fact]
    public void A_value_under_another_name_is_refused()
    {
        using var damaged = new DamagedImage(Recipe);
        damaged.Set32(Entry(damaged, "/sizes/59") + 4, ValueInode(damaged, "/attributes/file"));
        damaged.Set32(Entry(damaged, "/sizes/59") + 12, 0x12345678);
        damaged.FixInode(damaged.Number("/sizes/59"));
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.ExtendedAttributeInode, Assert.Throws<CorruptImageException>(() => image.Attribute(image.Find("/sizes/59"), "user.other")).Kind);
    }

    [Theory]
    [InlineData("/sizes/65537")]
    [InlineData("/names")]
    public void Any_other_inode_is_no_value(string path)
    {
        using var damaged = new DamagedImage(Recipe);
        damaged.Set32(Entry(damaged, "/attributes/file") + 4, damaged.Number(path));
        damaged.FixInode(damaged.Number("/attributes/file"));
        Ext4Image image = damaged.Open();
        Assert.Equal(
            Corruption.ExtendedAttributeInode,
            Assert.Throws<CorruptImageException>(() => image.Attribute(image.Find("/attributes/file"), "user.large")).Kind);
    }

    [Theory]
    [InlineData(4, 2u)]
    [InlineData(4, 0x7fffffffu)]
    [InlineData(8, (1u << 24) + 1)]
    public void A_value_in_an_inode_that_cannot_have_it_is_refused(int offset, uint value)
    {
        using var damaged = new DamagedImage(Recipe);
        damaged.Set32(Entry(damaged, "/attributes/file") + offset, value);
        damaged.FixInode(damaged.Number("/attributes/file"));
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.ExtendedAttributes, Assert.Throws<CorruptImageException>(() => image.Attribute(image.Find("/attributes/file"), "user.large")).Kind);
    }

    [Fact]
    public void A_value_of_the_kind_that_Lustre_made_needs_no_hash()
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = ValueInode(damaged, "/attributes/file");
        damaged.Set32(Entry(damaged, "/attributes/file") + 12, 1);
        damaged.FixInode(damaged.Number("/attributes/file"));
        damaged.Set32(damaged.InodeAt(number) + 0x10, damaged.Number("/attributes/file"));
        damaged.FixInode(number);
        Ext4Image image = damaged.Open();
        Assert.Equal(Value, image.Attribute(image.Find("/attributes/file"), "user.large"));
    }

    [Fact]
    public void A_value_is_no_file()
    {
        using var damaged = new DamagedImage(Recipe);
        uint number = ValueInode(damaged, "/attributes/file");
        Ext4Image image = damaged.Open();
        Assert.Equal(Corruption.InodeFlags, Assert.Throws<CorruptImageException>(() => image.TryGetInode(number, out _)).Kind);
    }

    [Fact]
    public void Short_links_are_told_by_their_length()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        var target = new byte[4096];
        Assert.All(SourceTree.LinkLengths, length => Assert.Equal(length, image.ReadSymbolicLink(image.Find($"/links/{length}"), target)));
    }

    [Fact]
    public void Reading_a_value_in_an_inode_allocates_nothing()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Inode file = image.Find("/attributes/file");
        var buffer = new byte[65536];
        AllocationTests.AssertAllocatesNothing(() => image.TryGetExtendedAttribute(file, "user.large"u8, buffer, out _));
    }

    /// <summary>Where the entry of a file's only attribute with a value in an inode is.</summary>
    private static int Entry(DamagedImage image, string path)
    {
        int inode = image.InodeAt(image.Number(path));
        for (int at = inode + 160; ; at += ExtendedAttributeEntry.Parse(image.Raw(at, 16)).Length)
        {
            if (at == inode + 160)
                at += 4;
            if (ExtendedAttributeEntry.Parse(image.Raw(at, 16)).ValueInode != 0)
                return at;
        }
    }

    private static uint ValueInode(DamagedImage image, string path) => ExtendedAttributeEntry.Parse(image.Raw(Entry(image, path), 16)).ValueInode;

    private static string ValueFile()
    {
        string path = Path.Combine(Path.GetTempPath(), "ext4reader-tests-value-1024");
        string mine = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(mine, Value);
        File.Move(mine, path, overwrite: true);
        return path;
    }
}
