using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Filesystems in which whoever uses them says so (mmp).</summary>
public class MultipleMountTests
{
    internal static readonly ImageRecipe Recipe = new("-t ext4 -O mmp -b 1024 -N 1024", SourceTree.Standard);

    [Fact]
    public void What_nobody_uses_is_read()
    {
        using Ext4Image image = BuiltImage.Open(Recipe);
        Assert.Equal("here"u8.ToArray(), image.Content("/deep/er/still/bottom"));
    }

    [Fact]
    public void What_another_host_uses_is_refused_with_its_name_and_the_remedies()
    {
        using DamagedImage image = Used(sequence: 0x1234);
        var problem = Assert.Throws<ImageInUseException>(() => image.Open());
        Assert.Equal(("node-7", "sdb1"), (problem.NodeName, problem.DeviceName));
        Assert.Contains("mounted elsewhere: host node-7, device sdb1, last heard of 2023-11-14 22:13:20 UTC", problem.Message, StringComparison.Ordinal);
        Assert.Contains("tune2fs -f -E clear_mmp", problem.Message, StringComparison.Ordinal);
        Assert.Contains("-o norecovery", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_e2fsck_checks_is_refused()
    {
        using DamagedImage image = Used(sequence: 0xe24d4d50);
        Assert.StartsWith("e2fsck is checking the filesystem: host node-7", Assert.Throws<ImageInUseException>(() => image.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_as_it_lies_can_be_had_all_the_same()
    {
        using DamagedImage damaged = Used(sequence: 0x1234);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, damaged.Bytes);
            using var image = Ext4Image.Open(path, new Ext4OpenOptions { NoRecovery = true });
            Assert.Equal("here"u8.ToArray(), image.Content("/deep/er/still/bottom"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Names_that_would_confuse_a_terminal_are_not_shown()
    {
        using DamagedImage image = Used(sequence: 1);
        "\e[31m evil"u8.CopyTo(image.Raw(image.MultipleMountAt + 0x10, 64));
        image.FixMultipleMount();
        Assert.Equal("?[31m?evil", Assert.Throws<ImageInUseException>(() => image.Open()).NodeName);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public void A_block_outside_of_the_image_is_refused(uint block)
    {
        using var image = new DamagedImage(Recipe);
        image.Set32(1024 + 0x168, block);
        image.FixSuperblock();
        Assert.Equal(Corruption.MultipleMountBlock, Assert.Throws<CorruptImageException>(() => image.Open()).Kind);
    }

    private static DamagedImage Used(uint sequence)
    {
        var image = new DamagedImage(Recipe);
        int at = image.MultipleMountAt;
        image.Set32(at + 4, sequence);
        image.Set32(at + 8, 1700000000);
        image.Set32(at + 12, 0);
        image.Raw(at + 0x10, 96).Clear();
        "node-7"u8.CopyTo(image.Raw(at + 0x10, 64));
        "sdb1"u8.CopyTo(image.Raw(at + 0x50, 32));
        image.FixMultipleMount();
        return image;
    }
}
