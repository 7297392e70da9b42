using Ext4Reader.Attributes;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class AttributeTests
{
    // posix_acl_xattr: version 2, then tag, permissions and id of each entry.
    private static readonly byte[] ShownAcl = Convert.FromHexString(
        "02000000" + "01000700ffffffff" + "02000500e8030000" + "04000500ffffffff" + "08000400a0860100" + "10000700ffffffff" + "20000000ffffffff");

    private static readonly ImageRecipe Acl = new(Recipes.Ext4, SourceTree.Standard, Edits:
        ["ea_set -f " + AclFile() + " /attributes/file system.posix_acl_access", "ea_set /attributes/file user.x y"]);

    [Fact]
    public void Attributes_in_inode_and_block_are_listed()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/attributes/file");
        Assert.NotEqual(0ul, file.AttributeBlock);
        Assert.Equal(["security.empty", "trusted.large", "user.small"], image.AttributeNames(file).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Values_are_read()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/attributes/file");
        Assert.Equal("value"u8.ToArray(), image.Attribute(file, "user.small"));
        Assert.Equal(Enumerable.Repeat((byte)'l', 300), image.Attribute(file, "trusted.large"));
        Assert.Empty(image.Attribute(file, "security.empty")!);
    }

    [Theory]
    [InlineData("user.smal")]
    [InlineData("user.")]
    [InlineData("small")]
    [InlineData("")]
    [InlineData("trusted.small")]
    [InlineData("system.posix_acl_access")]
    [InlineData("system.data")]
    public void Other_names_are_not_found(string name)
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Assert.Null(image.Attribute(image.Find("/attributes/file"), name));
    }

    [Fact]
    public void A_value_is_copied_only_if_it_fits()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/attributes/file");
        var small = new byte[4];
        Assert.True(image.TryGetExtendedAttribute(file, "user.small"u8, small, out int length));
        Assert.Equal(5, length);
        Assert.Equal(new byte[4], small);
    }

    [Fact]
    public void Names_are_copied_only_if_all_fit()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/attributes/file");
        int length = image.ListExtendedAttributes(file, []);
        var small = new byte[length - 1];
        Assert.Equal(length, image.ListExtendedAttributes(file, small));
        Assert.Equal(new byte[length - 1], small);
    }

    [Fact]
    public void Files_without_attributes_have_none()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Assert.Equal([], image.AttributeNames(image.Find("/sizes/1")));
        Assert.Null(image.Attribute(image.Find("/sizes/1"), "user.small"));
    }

    [Fact]
    public void Access_control_lists_look_as_Linux_shows_them()
    {
        using Ext4Image image = BuiltImage.Open(Acl);
        Inode file = image.Find("/attributes/file");
        Assert.Equal(["system.posix_acl_access", "user.x"], image.AttributeNames(file).Order(StringComparer.Ordinal));
        Assert.Equal(ShownAcl, image.Attribute(file, "system.posix_acl_access"));
    }

    [Fact]
    public void A_stored_list_gives_every_entry_an_id()
    {
        byte[] stored = Convert.FromHexString("01000000" + "01000700" + "02000500e8030000" + "04000500" + "08000400a0860100" + "10000700" + "20000000");
        Assert.Equal(ShownAcl.Length, PosixAcl.ShownLength(stored, 12));
        var shown = new byte[ShownAcl.Length];
        PosixAcl.Convert(stored, shown);
        Assert.Equal(ShownAcl, shown);
    }

    [Theory]
    [InlineData("")]
    [InlineData("02000000")]
    [InlineData("0100000001000700ff")]
    [InlineData("0100000002000700")]
    [InlineData("0100000099000700")]
    [InlineData("010000000100070001000700010007000100070001000700")]
    public void A_broken_list_is_refused(string stored)
    {
        var problem = Assert.Throws<CorruptImageException>(() => PosixAcl.ShownLength(Convert.FromHexString(stored), 12));
        Assert.Equal((Corruption.AccessControlList, 12u), (problem.Kind, problem.InodeNumber));
    }

    [Theory]
    [InlineData(1, "x", "user.x")]
    [InlineData(2, "", "system.posix_acl_access")]
    [InlineData(3, "", "system.posix_acl_default")]
    [InlineData(4, "x", "trusted.x")]
    [InlineData(6, "x", "security.x")]
    [InlineData(7, "x", "system.x")]
    [InlineData(8, "", "system.richacl")]
    [InlineData(10, "x", "gnu.x")]
    public void Every_namespace_goes_both_ways(byte index, string name, string fullName)
    {
        byte[] nameBytes = System.Text.Encoding.ASCII.GetBytes(name);
        Assert.True(AttributeName.TryGetPrefix(index, nameBytes, out ReadOnlySpan<byte> prefix));
        Assert.Equal(fullName, System.Text.Encoding.ASCII.GetString([.. prefix, .. nameBytes]));
        Assert.True(AttributeName.TryParse(System.Text.Encoding.ASCII.GetBytes(fullName), out byte parsed, out ReadOnlySpan<byte> rest));
        Assert.Equal((index, name), (parsed, System.Text.Encoding.ASCII.GetString(rest)));
    }

    [Theory]
    [InlineData(0, "x")]
    [InlineData(1, "")]
    [InlineData(2, "x")]
    [InlineData(5, "x")]
    [InlineData(7, "data")]
    [InlineData(9, "c")]
    public void Other_namespaces_are_not_shown(byte index, string name) =>
        Assert.False(AttributeName.TryGetPrefix(index, System.Text.Encoding.ASCII.GetBytes(name), out _));

    private static string AclFile()
    {
        string path = Path.Combine(Path.GetTempPath(), "ext4reader-tests-acl");
        string mine = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(mine, ShownAcl);
        File.Move(mine, path, overwrite: true);
        return path;
    }
}
