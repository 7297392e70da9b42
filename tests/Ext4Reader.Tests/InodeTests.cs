using Ext4Reader.OnDisk;
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

    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(1024)]
    public void A_record_comes_as_it_lies_and_only_with_its_inode(int size)
    {
        using DamagedImage damaged = new(Recipes.Standard with { Options = $"-t ext4 -b 1024 -I {size}" });
        using Ext4Image image = damaged.Open();
        uint number = damaged.Number("/sizes/4096");
        var record = new byte[size];
        Assert.True(image.TryGetInode(number, record, out Inode inode));
        Assert.Equal(damaged.Raw(damaged.InodeAt(number), size).ToArray(), record);
        Assert.Equal(image.Inode(number).Size, inode.Size);
        Array.Clear(record);
        Assert.False(image.TryGetInode(image.Volume.InodeCount, record, out _));
        Assert.False(record.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Groups_that_share_a_place_in_memory_keep_their_own_inodes()
    {
        // 1,024 groups further on another one has the place; a wrong table shows by the checksums, which have the inode's number in them.
        var recipe = new ImageRecipe("-t ext4 -b 1024 -I 256 -g 256 -N 8800 -O ^resize_inode,^has_journal", SourceTree.ManyNames(8500), Mebibytes: 280);
        using Ext4Image image = BuiltImage.Open(recipe);
        uint inGroup = Superblock.Parse(image.Volume.SuperblockBytes).InodesPerGroup;
        uint further = 1024 * inGroup;
        Assert.True(image.Volume.InodeCount > further + inGroup);
        int compared = 0;
        for (int round = 0; round < 2; round++)
            for (uint number = 12; number + further < image.Volume.InodeCount; number += 3)
            {
                if (!image.TryGetInode(number + further, out Inode high))
                    continue;
                Assert.Equal((number, number + further), (image.Inode(number).Number, high.Number));
                compared++;
            }
        Assert.True(compared > 100);
    }

    [Theory]
    [InlineData("-t ext4 -b 1024")]
    [InlineData("-t ext4 -b 1024 -O ^uninit_bg,^metadata_csum")]
    [InlineData("-t ext2 -b 1024")]
    public void All_inodes_in_use_are_those_that_can_be_had_one_by_one(string options)
    {
        // Four groups, most of them never used: those are passed over.
        using Ext4Image image = BuiltImage.Open(Recipes.Standard with { Options = options, Mebibytes = 32 });
        var expected = new List<uint>();
        for (uint number = 0; number <= image.Volume.InodeCount; number++)
            if (image.TryGetInode(number, out _))
                expected.Add(number);
        Assert.True(expected.Count > 20);
        Assert.Equal(expected, image.InodesInUse().Select(inode => inode.Number));
    }

    [Fact]
    public void Of_the_inodes_in_use_broken_ones_are_left_out_and_groups_that_cannot_be_found()
    {
        using DamagedImage damaged = new(Recipes.Standard with { Options = Recipes.Ext4 + " -N 128", Mebibytes = 32 });
        uint[] all = [.. damaged.Open().InodesInUse().Select(inode => inode.Number)];
        uint broken = damaged.Number("/sizes/4096");
        damaged.Raw(damaged.InodeAt(broken) + 100, 1)[0] ^= 1; // its generation: the checksum is wrong
        Assert.Equal(all.Where(number => number != broken), damaged.Open().InodesInUse().Select(inode => inode.Number));
        uint inGroup = damaged.Superblock.InodesPerGroup;
        Assert.Contains(all, number => number > inGroup);
        damaged.Raw(damaged.GroupAt(1) + 0x0c, 1)[0] ^= 1; // a count: the descriptor's checksum is wrong
        Assert.Equal(all.Where(number => number != broken && (number - 1) / inGroup != 1), damaged.Open().InodesInUse().Select(inode => inode.Number));
    }

    [Fact]
    public void An_unreadable_last_block_of_a_table_costs_no_inode_of_the_next_group()
    {
        // Two groups of 62 inodes of 256 bytes, four to a block: of the sixteenth block only half is a table. That of group 0 lies behind the end of the file.
        using DamagedImage damaged = new(Recipes.Standard with { Options = "-t ext4 -O ^has_journal,^metadata_csum,^uninit_bg -b 1024 -I 256 -N 128", Mebibytes = 16 });
        Superblock was = damaged.Superblock;
        Assert.Equal((2u, 64u), (was.GroupCount, was.InodesPerGroup));
        int tables = (int)was.InodeTableBlocks * was.BlockSize, fullBlocks = tables - was.BlockSize, end = (16 << 20) - tables;
        damaged.Raw(damaged.InodeAt(1), fullBlocks).CopyTo(damaged.Raw(end, fullBlocks));
        damaged.Raw(damaged.InodeAt(Superblock.RootInode), was.InodeSize).CopyTo(damaged.Raw(damaged.InodeAt(65), was.InodeSize));
        damaged.Set32(damaged.GroupAt(0) + 8, (uint)(end >> was.BlockSizeBits));
        damaged.Set32(Superblock.Offset + 0x28, 62);
        damaged.Set32(Superblock.Offset, 124);
        Ext4Image image = damaged.Open();
        damaged.TruncateOpened((16 << 20) - was.BlockSize);
        Assert.Contains(63u, image.InodesInUse().Select(inode => inode.Number));
    }
}
