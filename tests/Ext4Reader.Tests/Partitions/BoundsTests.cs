using TestSupport;
using Xunit;

namespace Ext4Reader.Tests.Partitions;

public class BoundsTests
{
    [Fact]
    public void A_filesystem_is_read_within_its_partition()
    {
        using DiskImage disk = Disk(out long length);
        using Ext4Image image = Ext4Image.Open(disk.ImagePath, new Ext4OpenOptions { Offset = DiskImage.Mebibyte, Length = length });
        Assert.Equal("empty", System.Text.Encoding.UTF8.GetString(image.Volume.Label));
    }

    [Fact]
    public void A_filesystem_larger_than_its_partition_is_refused_with_both_sizes()
    {
        using DiskImage disk = Disk(out long length);
        CorruptImageException refusal = Assert.Throws<CorruptImageException>(
            () => Ext4Image.Open(disk.ImagePath, new Ext4OpenOptions { Offset = DiskImage.Mebibyte, Length = length - 512 }));
        Assert.Equal(Corruption.ImageTooShort, refusal.Kind);
        Assert.Contains($"{length} bytes, but the partition has {length - 512}", refusal.Message);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 2047)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(long.MaxValue - 1500, 0)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void Where_no_superblock_can_be_there_is_none(long offset, long length)
    {
        using DiskImage disk = Disk(out _);
        Exception refusal = Assert.ThrowsAny<Exception>(() => Ext4Image.Open(disk.ImagePath, new Ext4OpenOptions { Offset = offset, Length = length }));
        Assert.True(refusal is NotAnExt4ImageException or IOException, refusal.ToString());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    public void Negative_places_are_a_mistake_of_the_caller(long offset, long length)
    {
        using DiskImage disk = Disk(out _);
        Assert.Throws<ArgumentOutOfRangeException>(() => Ext4Image.Open(disk.ImagePath, new Ext4OpenOptions { Offset = offset, Length = length }));
    }

    private static DiskImage Disk(out long length)
    {
        string empty = Images.Get("empty");
        length = new FileInfo(empty).Length;
        return new DiskImage(4 * DiskImage.Mebibyte).Insert(DiskImage.Mebibyte, empty);
    }
}
