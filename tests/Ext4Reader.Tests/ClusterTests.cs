using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Filesystems that allocate clusters of several blocks (bigalloc).</summary>
public class ClusterTests
{
    private static readonly ImageRecipe Large = new("-t ext4 -b 4096 -O bigalloc -C 65536", SourceTree.Standard, Mebibytes: 256);
    private static readonly ImageRecipe Small = new("-t ext4 -b 1024 -O bigalloc -C 16384", SourceTree.Standard, Mebibytes: 256);

    [Fact]
    public void Space_used_is_counted_in_clusters()
    {
        using Ext4Image image = BuiltImage.Open(Large);
        Assert.Equal(65536ul / 512, image.Find("/sizes/1").Sectors);
    }

    [Fact]
    public void Groups_start_at_block_0_although_the_superblock_is_in_block_1()
    {
        using var damaged = new DamagedImage(Small);
        Assert.Equal((0u, 1u), (damaged.Superblock.FirstDataBlock, damaged.Superblock.SuperblockBlock));
        Assert.Equal(SourceTree.Pattern("300000", 0, 300000), damaged.Open().Content("/sizes/300000"));
    }

    [Fact]
    public void Metadata_is_counted_where_nobody_has_counted_it_before()
    {
        foreach (ImageRecipe recipe in new[] { Large, Small })
        {
            using var damaged = new DamagedImage(recipe);
            ulong counted = damaged.Open().GetStatistics().OverheadBlocks;
            damaged.Set32(1024 + 0x248, 0);
            damaged.FixSuperblock();
            Assert.Equal(counted, damaged.Open().GetStatistics().OverheadBlocks);
            Assert.NotEqual(0ul, counted);
        }
    }

    [Theory]
    [InlineData(0x1c, 0u)]
    [InlineData(0x1c, 21u)]
    [InlineData(0x1c, uint.MaxValue)]
    [InlineData(0x24, 0u)]
    [InlineData(0x24, 32769u)]
    [InlineData(0x20, 32768u)]
    [InlineData(0x14, 1u)]
    public void Clusters_that_do_not_fit_blocks_and_groups_are_refused(int offset, uint value)
    {
        using var damaged = new DamagedImage(Large);
        damaged.Set32(1024 + offset, value);
        damaged.FixSuperblock();
        Assert.Equal(Corruption.SuperblockGeometry, Assert.Throws<CorruptImageException>(() => damaged.Open()).Kind);
    }
}
