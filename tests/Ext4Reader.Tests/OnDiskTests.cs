using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Golden bytes for each structure.</summary>
public class OnDiskTests
{
    private static readonly Superblock Sound = Superblock.Parse(File.ReadAllBytes(BuiltImage.PathOf(Recipes.Standard)).AsSpan(1024, 1024));

    [Fact]
    public void An_extent_has_a_48_bit_place_and_a_length()
    {
        byte[] raw = [0x10, 0, 0, 0x80, 0x05, 0, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12];
        Assert.Equal(new Extent(0x80000010, 0x123412345678, 5, IsUnwritten: false), Extent.Parse(raw));
    }

    [Theory]
    [InlineData(0x7fff, 0x7fff, false)]
    [InlineData(0x8000, 0x8000, false)]
    [InlineData(0x8001, 1, true)]
    [InlineData(0xffff, 0x7fff, true)]
    public void A_length_above_8000_hex_means_unwritten(int stored, uint length, bool isUnwritten)
    {
        byte[] raw = [0, 0, 0, 0, (byte)(stored & 0xff), (byte)(stored >> 8), 0, 0, 1, 0, 0, 0];
        Extent extent = Extent.Parse(raw);
        Assert.Equal((length, isUnwritten), (extent.Length, extent.IsUnwritten));
    }

    [Fact]
    public void A_group_descriptor_of_64_bytes_has_high_halves()
    {
        var raw = new byte[64];
        raw[0x08] = 0x11;
        raw[0x28] = 0x22;
        raw[0x0c] = 0x33;
        raw[0x2c] = 0x44;
        raw[0x0e] = 0x55;
        raw[0x2e] = 0x66;
        raw[0x12] = 0x01;
        Assert.Equal(new GroupDescriptor(0, 0, 0x22_00000011, 0x44_0033, 0x66_0055, true), GroupDescriptor.Parse(raw));
        Assert.Equal(new GroupDescriptor(0, 0, 0x11, 0x33, 0x55, true), GroupDescriptor.Parse(raw.AsSpan(0, 32)));
    }

    [Theory]
    [InlineData(1024, 0x14, 0x14)]
    [InlineData(32768, 0x8000, 0x8000)]
    [InlineData(65536, 0, 65536)]
    [InlineData(65536, 65535, 65536)]
    [InlineData(65536, 0x14, 0x14)]
    [InlineData(65536, 0x0015, 0x10014)]
    public void Record_lengths_of_64_KiB_blocks_have_17_bits(int blockSize, int stored, int length) =>
        Assert.Equal(length, DirectoryEntry.DecodeLength(stored, blockSize));

    [Fact]
    public void A_directory_entry_has_number_length_name_and_type()
    {
        byte[] raw = [0x0c, 0, 0, 0, 16, 0, 5, 2, (byte)'h', (byte)'e', (byte)'l', (byte)'l', (byte)'o', 0, 0, 0];
        Assert.Equal(new DirectoryEntry(12, 16, 5, 2), DirectoryEntry.Parse(raw, 1024));
    }

    [Fact]
    public void Unknown_types_of_directory_entries_are_unknown()
    {
        Assert.Equal(FileType.SymbolicLink, new DirectoryEntry(12, 16, 5, 7).FileType(hasTypes: true));
        Assert.Equal(FileType.Unknown, new DirectoryEntry(12, 16, 5, 8).FileType(hasTypes: true));
        Assert.Equal(FileType.Unknown, new DirectoryEntry(12, 16, 5, 7).FileType(hasTypes: false));
    }

    [Fact]
    public void An_extended_attribute_entry_says_where_its_value_is()
    {
        byte[] raw = [3, 1, 0x38, 0x01, 0, 0, 0, 0, 0x2c, 0x01, 0, 0, 0, 0, 0, 0, (byte)'a', (byte)'b', (byte)'c'];
        var entry = ExtendedAttributeEntry.Parse(raw);
        Assert.Equal(new ExtendedAttributeEntry(3, 1, 0x138, 0, 300, 0), entry);
        Assert.Equal(20, entry.Length);
    }

    [Fact]
    public void An_index_node_is_searched_by_hash()
    {
        var raw = new byte[1024];
        byte[] entries = [126, 0, 3, 0, 1, 0, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0, 0x21, 0, 0, 0, 3, 0, 0, 0];
        entries.CopyTo(raw, 8);
        Assert.True(HashTreeNode.TryParse(raw, isRoot: false, hasChecksum: true, out HashTreeNode node));
        Assert.Equal((0, 0, 1, 1, 2), (node.Find(0), node.Find(0xe), node.Find(0x10), node.Find(0x20), node.Find(0x22)));
        Assert.Equal((1u, 2u, 3u), (node.Block(0), node.Block(1), node.Block(2)));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(125, 3)]
    [InlineData(126, 0)]
    [InlineData(126, 127)]
    public void An_index_node_with_an_odd_capacity_or_count_is_not_used(byte limit, byte count)
    {
        var raw = new byte[1024];
        (raw[8], raw[10]) = (limit, count);
        Assert.False(HashTreeNode.TryParse(raw, isRoot: false, hasChecksum: true, out _));
    }

    [Theory]
    [InlineData(0u, 0u, 0u, 0u)]
    [InlineData(0x0103u, 0u, 1u, 3u)]
    [InlineData(0u, 0xfff00f01u, 0xfu, 0xfff01u)]
    [InlineData(0u, 0x00100002u, 0u, 0x102u)]
    [InlineData(0u, 0x000fff00u, 0xfffu, 0u)]
    public void Device_numbers_come_in_two_encodings(uint old, uint encoded, uint major, uint minor)
    {
        Inode inode = Parse(raw =>
        {
            raw[1] = 0x21;
            BitConverter.TryWriteBytes(raw.AsSpan(0x28), old);
            BitConverter.TryWriteBytes(raw.AsSpan(0x2c), encoded);
        });
        Assert.Equal((major, minor), (inode.DeviceMajor, inode.DeviceMinor));
    }

    [Fact]
    public void An_inode_has_32_bit_owners_and_a_64_bit_size()
    {
        Inode inode = Parse(raw =>
        {
            (raw[0x02], raw[0x78]) = (0x01, 0x02);
            (raw[0x18], raw[0x7a]) = (0x03, 0x04);
            (raw[0x04], raw[0x6f]) = (0x05, 0x7f);
            (raw[0x1c], raw[0x74]) = (0x06, 0x07);
            raw[0x64] = 0x08;
        });
        Assert.Equal((0x20001u, 0x40003u), (inode.UserId, inode.GroupId));
        Assert.Equal(0x7f00000000000005, inode.Size);
        Assert.Equal(0x7_00000006ul, inode.Sectors);
        Assert.Equal(8u, inode.Generation);
    }

    [Fact]
    public void A_huge_file_counts_its_space_in_blocks()
    {
        Inode inode = Parse(raw => (raw[0x1c], raw[0x22]) = (3, 0x04));
        Assert.Equal(6ul, inode.Sectors);
    }

    [Theory]
    [InlineData(0x80000000, 0u, -2147483648L, 0u)]
    [InlineData(0x80000000, 1u, 2147483648L, 0u)]
    [InlineData(0x7fffffff, 3u, 15032385535L, 0u)]
    [InlineData(0xffffffff, 4u, -1L, 1u)]
    [InlineData(0, 999_999_999u << 2, 0L, 999_999_999u)]
    [InlineData(0, uint.MaxValue, 12884901888L, 999_999_999u)]
    public void Times_have_two_epoch_bits_and_nanoseconds(uint seconds, uint extra, long expected, uint nanoseconds)
    {
        Inode inode = Parse(raw =>
        {
            BitConverter.TryWriteBytes(raw.AsSpan(0x10), seconds);
            BitConverter.TryWriteBytes(raw.AsSpan(0x88), extra);
            BitConverter.TryWriteBytes(raw.AsSpan(0x90), seconds);
            BitConverter.TryWriteBytes(raw.AsSpan(0x94), extra);
        });
        Assert.Equal(new Timestamp(expected, nanoseconds), inode.ModificationTime);
        Assert.Equal(new Timestamp(expected, nanoseconds), inode.BirthTime);
        Assert.Equal((ulong)extra << 32 | seconds, inode.RawBirthTime);
    }

    [Fact]
    public void Small_inodes_have_no_birth_time_and_no_nanoseconds()
    {
        var raw = new byte[128];
        (raw[0], raw[1], raw[0x1a], raw[0x10]) = (0xa4, 0x81, 1, 77);
        Inode inode = new Inode(raw, 12, 0, 0, Sound);
        Assert.False(inode.HasBirthTime);
        Assert.Equal(0ul, inode.RawBirthTime);
        Assert.Equal(new Timestamp(77, 0), inode.ModificationTime);
    }

    [Fact]
    public void Features_are_named_as_e2fsprogs_names_them()
    {
        var features = new Features((CompatibleFeatures)0x80000038, (IncompatibleFeatures)0x2c2, (ReadOnlyFeatures)0x20000440);
        Assert.Equal(
            ["ext_attr", "resize_inode", "dir_index", "FEATURE_C31", "filetype", "extent", "64bit", "flex_bg", "extra_isize", "metadata_csum", "FEATURE_R29"],
            features.Names());
    }

    [Fact]
    public void Features_that_cannot_be_read_are_told_from_those_that_can()
    {
        var features = new Features((CompatibleFeatures)uint.MaxValue, (IncompatibleFeatures)0x8303ffff, (ReadOnlyFeatures)0x1ffff);
        Assert.Equal(
            ["compression", "journal_dev", "FEATURE_I5", "FEATURE_I11", "dirdata",
             "FEATURE_I24", "FEATURE_I25", "FEATURE_I31"],
            features.UnreadableNames());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(15, false)]
    [InlineData(25, true)]
    [InlineData(27, true)]
    [InlineData(343, true)]
    [InlineData(344, false)]
    public void Backups_are_in_powers_of_3_5_and_7(uint group, bool hasBackup) => Assert.Equal(hasBackup, Sound.HasBackup(group));

    private static Inode Parse(Action<byte[]> change)
    {
        var raw = new byte[256];
        (raw[0], raw[1], raw[0x1a], raw[0x80]) = (0xa4, 0x81, 1, 32);
        change(raw);
        return new Inode(raw, 12, 0, 32, Sound);
    }
}
