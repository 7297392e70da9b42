using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Files that point into what belongs to the filesystem itself.</summary>
public class SystemZoneTests
{
    public static readonly TheoryData<string> Layouts =
    [
        "-t ext4 -b 1024 -g 1024 -G 4 -J size=1",
        "-t ext4 -b 1024 -g 1024 -O ^flex_bg -J size=1",
        "-t ext4 -b 1024 -g 1024 -O ^metadata_csum,uninit_bg -J size=1",
        "-t ext4 -b 1024 -g 1024 -O meta_bg,^resize_inode -J size=1",
        "-t ext4 -b 1024 -g 1024 -O ^resize_inode,sparse_super2 -J size=1",
        "-t ext4 -b 4096 -J size=4",
        "-t ext4 -b 4096 -O bigalloc -C 65536 -J size=4",
    ];

    private static readonly ImageRecipe Extents = new("-t ext4 -b 1024 -J size=1", SourceTree.Standard, Mebibytes: 32);
    private static readonly ImageRecipe Pointers = new("-t ext3 -b 1024 -g 1024 -J size=1", SourceTree.Standard, Mebibytes: 32);

    [Theory]
    [MemberData(nameof(Layouts))]
    public void No_file_may_have_a_block_of_the_filesystem_itself(string layout)
    {
        using var damaged = new DamagedImage(new ImageRecipe(layout, SourceTree.Standard, Mebibytes: 32));
        uint file = damaged.Number("/sizes/1");
        int map = damaged.InodeAt(file) + 0x28;
        uint sound = LittleEndian.U32(damaged.Bytes, map + 20);
        foreach (ulong block in SystemBlocks(damaged).Append(damaged.JournalBlock))
        {
            damaged.Set32(map + 20, (uint)block);
            damaged.FixInode(file);
            Ext4Image broken = damaged.Open();
            var problem = Assert.Throws<CorruptImageException>(() => broken.TryGetInode(file, out _));
            Assert.Equal((Corruption.BlockPointer, file), (problem.Kind, problem.InodeNumber));
            Assert.Contains($"image block {block} ", problem.Message, StringComparison.Ordinal);
        }

        damaged.Set32(map + 20, sound);
        damaged.FixInode(file);
        Assert.Equal(SourceTree.Pattern("1", 0, 1), damaged.Open().Content("/sizes/1"));
    }

    [Fact]
    public void A_long_extent_must_not_reach_into_such_a_block_either()
    {
        using var damaged = new DamagedImage(new ImageRecipe("-t ext4 -b 1024 -g 1024 -O ^flex_bg -J size=1", SourceTree.Standard, Mebibytes: 32));
        uint file = damaged.Number("/sizes/1");
        int map = damaged.InodeAt(file) + 0x28;
        // Groups of 1 MiB, so the next group's bitmaps lie within.
        damaged.Set16(map + 16, 1500);
        damaged.FixInode(file);
        Ext4Image broken = damaged.Open();
        Assert.Equal(Corruption.BlockPointer, Assert.Throws<CorruptImageException>(() => broken.TryGetInode(file, out _)).Kind);
    }

    [Fact]
    public void Nor_may_an_attribute_block()
    {
        using var damaged = new DamagedImage(Extents);
        uint file = damaged.Number("/sizes/1");
        damaged.Set32(damaged.InodeAt(file) + 0x68, (uint)damaged.Group(0).InodeTable);
        damaged.FixInode(file);
        Ext4Image broken = damaged.Open();
        Assert.Equal(Corruption.BlockPointer, Assert.Throws<CorruptImageException>(() => broken.TryGetInode(file, out _)).Kind);
    }

    [Fact]
    public void Nor_may_a_leaf_of_an_extent_tree()
    {
        using var damaged = new DamagedImage(Extents);
        uint file = damaged.Number("/sparse/pieces");
        int map = damaged.InodeAt(file) + 0x28;
        Assert.Equal(1, LittleEndian.U16(damaged.Bytes, map + 6));
        int leaf = (int)LittleEndian.U32(damaged.Bytes, map + 16) << damaged.Superblock.BlockSizeBits;
        damaged.Set32(leaf + 12 + 12 * 3 + 8, (uint)damaged.Group(0).InodeBitmap);
        damaged.FixExtentBlock(file, leaf);
        Ext4Image broken = damaged.Open();
        Inode inode = broken.Find("/sparse/pieces");
        Assert.Equal(Corruption.BlockPointer, Assert.Throws<CorruptImageException>(() => broken.Read(inode, 0, new byte[1000])).Kind);
        Assert.Equal(SourceTree.Pattern("1", 0, 1), broken.Content("/sizes/1"));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(12, 12 * 1024)]
    public void Nor_may_pointers(int slot, int offset)
    {
        using var damaged = new DamagedImage(Pointers);
        int map = damaged.InodeAt(damaged.Number("/sizes/65537")) + 0x28;
        damaged.Set32(map + 4 * slot, (uint)damaged.Group(0).InodeTable + 1);
        Ext4Image broken = damaged.Open();
        Inode inode = broken.Find("/sizes/65537");
        Assert.Equal(Corruption.BlockPointer, Assert.Throws<CorruptImageException>(() => broken.Read(inode, offset, new byte[1000])).Kind);
    }

    [Fact]
    public void A_descriptor_whose_checksum_is_wrong_says_nothing_about_files_of_other_groups()
    {
        using var damaged = new DamagedImage(new ImageRecipe("-t ext4 -b 1024 -g 1024 -J size=1", SourceTree.Standard, Mebibytes: 32));
        int at = damaged.BlockAt("/sizes/65537", 0);
        damaged.Set32(damaged.GroupAt(20), (uint)at >> 10);
        Assert.Equal(SourceTree.Pattern("65537", 0, 65537), damaged.Open().Content("/sizes/65537"));
    }

    private static IEnumerable<ulong> SystemBlocks(DamagedImage image)
    {
        Superblock superblock = image.Superblock;
        yield return superblock.SuperblockBlock + 1;
        for (uint group = 0; group < superblock.GroupCount; group++)
        {
            GroupDescriptor descriptor = image.Group(group);
            if (group > 0 && superblock.HasBackup(group))
                yield return superblock.FirstDataBlock + group * superblock.BlocksPerGroup;
            yield return descriptor.BlockBitmap;
            yield return descriptor.InodeBitmap;
            yield return descriptor.InodeTable;
            yield return descriptor.InodeTable + superblock.InodeTableBlocks - 1;
        }
    }
}
