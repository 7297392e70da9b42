using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class InodeTests
{
    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(7u)]
    [InlineData(8u)]
    [InlineData(10u)]
    [InlineData(900u)]
    [InlineData(1025u)]
    [InlineData(uint.MaxValue)]
    public void Reserved_free_and_impossible_numbers_are_no_inodes(uint number)
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Assert.False(image.TryGetInode(number, out _));
    }

    [Fact]
    public void The_files_of_the_filesystem_itself_are_no_inodes()
    {
        // The orphan file has the first number that is not reserved.
        using Ext4Image image = BuiltImage.Open(new ImageRecipe("-t ext4 -O orphan_file", Mebibytes: 32));
        uint orphans = OnDisk.Superblock.Parse(image.Volume.SuperblockBytes).OrphanFileInode;
        Assert.NotEqual(0u, orphans);
        Assert.False(image.TryGetInode(orphans, out _));
    }

    [Fact]
    public void A_deleted_file_is_no_inode_any_more()
    {
        using Ext4Image before = BuiltImage.Open(Recipes.Standard);
        uint number = before.Find("/sizes/4096").Number;
        using Ext4Image after = BuiltImage.Open(Recipes.Standard with { Edits = ["rm /sizes/4096"] });
        Assert.True(before.TryGetInode(number, out _));
        Assert.False(after.TryGetInode(number, out _));
        Assert.False(after.TryLookup(after.Find("/sizes"), "4096"u8, out _));
    }

    [Fact]
    public void Types_and_modes_are_told()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Assert.Equal(FileType.Directory, image.Inode(2).Type);
        Assert.Equal(FileType.Fifo, image.Find("/pipe").Type);
        Assert.Equal(FileType.SymbolicLink, image.Find("/links/59").Type);
        Inode device = image.Find("/old-device");
        Assert.Equal((FileType.CharacterDevice, 1u, 3u), (device.Type, device.DeviceMajor, device.DeviceMinor));
    }

    [Fact]
    public void Times_after_2038_are_told()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Assert.Equal(4294967295, image.Find("/attributes/file").ModificationTime.Seconds);
    }

    [Fact]
    public void A_generation_is_told_as_it_lies()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard with { Edits = ["sif /sizes/1 generation 0xfedcba98"] });
        Assert.Equal(0xfedcba98, image.Find("/sizes/1").Generation);
    }
}
