using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

public class OrphanTests
{
    private const string Path = "/sizes/65537";
    private static readonly ImageRecipe Blocks = Recipes.Standard with { Options = Recipes.Ext4 + " -O ^extents,^64bit" };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_truncated_orphan_uses_only_the_blocks_up_to_its_end(bool hasExtents)
    {
        using var damaged = new DamagedImage(hasExtents ? Recipes.Standard : Blocks);
        uint number = damaged.Number(Path);
        using Ext4Image before = damaged.Open();
        Truncate(damaged, number, 2000);
        using Ext4Image image = damaged.Open();
        Assert.Equal(4u, image.Find(Path).Sectors);
        Assert.Equal(before.Content(Path)[..2000], image.Content(Path));
        // 65 blocks of content, in the older kind of map with one block of pointers.
        Assert.Equal(before.GetStatistics().FreeBlocks + (hasExtents ? 63u : 64u), image.GetStatistics().FreeBlocks);
    }

    [Fact]
    public void With_norecovery_an_orphan_stays_as_it_is()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        Truncate(damaged, damaged.Number(Path), 2000);
        Assert.Equal(130u, damaged.Open(new Ext4OpenOptions { NoRecovery = true }).Find(Path).Sectors);
    }

    [Fact]
    public void A_deleted_orphan_is_gone_and_its_space_free()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        uint number = damaged.Number(Path);
        using Ext4Image before = damaged.Open();
        damaged.Set16(damaged.InodeAt(number) + 0x1a, 0);
        damaged.FixInode(number);
        SetHead(damaged, number);
        using Ext4Image image = damaged.Open();
        Assert.False(image.TryGetInode(number, out _));
        Assert.Equal(before.GetStatistics().FreeBlocks + 65, image.GetStatistics().FreeBlocks);
        Assert.Equal(before.GetStatistics().FreeFiles + 1, image.GetStatistics().FreeFiles);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(uint.MaxValue)]
    public void An_orphan_file_that_is_no_inode_has_no_orphans(uint number)
    {
        using var damaged = new DamagedImage(new ImageRecipe("-t ext4 -O orphan_file", Mebibytes: 32));
        damaged.Set32(Superblock.Offset + 0x280, number);         // s_orphan_file_inum
        damaged.Bytes[Superblock.Offset + 0x64 + 2] |= 1;         // there are orphans: s_feature_ro_compat, 0x10000
        damaged.FixSuperblock();
        Assert.Equal(FileType.Directory, damaged.Open().GetRoot().Type);
    }

    [Fact]
    public void The_orphans_of_a_filesystem_with_errors_are_left_alone()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        Truncate(damaged, damaged.Number(Path), 2000);
        damaged.Bytes[Superblock.Offset + 0x3a] |= 2;
        damaged.FixSuperblock();
        Assert.Equal(130u, damaged.Open().Find(Path).Sectors);
    }

    [Fact]
    public void A_list_of_orphans_that_is_a_loop_ends()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        uint number = damaged.Number(Path);
        Truncate(damaged, number, 2000);
        damaged.Set32(damaged.InodeAt(number) + 0x14, number);
        damaged.FixInode(number);
        Assert.Equal(4u, damaged.Open().Find(Path).Sectors);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(uint.MaxValue)]
    public void A_list_that_leads_to_no_file_is_ignored(uint head)
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        SetHead(damaged, head);
        Assert.Equal(65537, damaged.Open().Find(Path).Size);
    }

    private static void Truncate(DamagedImage damaged, uint number, uint size)
    {
        damaged.Set32(damaged.InodeAt(number) + 0x04, size);
        damaged.FixInode(number);
        SetHead(damaged, number);
    }

    private static void SetHead(DamagedImage damaged, uint number)
    {
        damaged.Set32(Superblock.Offset + 0xe8, number);
        damaged.FixSuperblock();
    }
}
