using Ext4Reader.Partitions;
using TestSupport;
using Xunit;

namespace Ext4Reader.Tests.Partitions;

public class MasterBootRecordTests
{
    private const int Mebibyte = DiskImage.Mebibyte;
    private const byte Linux = 0x83, Extended = 0x05;

    [Fact]
    public void Primary_partitions_have_the_number_of_their_slot()
    {
        using DiskImage disk = new DiskImage(8 * Mebibyte).Signature(0x1234abcd)
            .BootRecord(0, new MbrEntry(0x0c, 2048, 2048, 0x80), new MbrEntry(0, 0, 0), new MbrEntry(Linux, 4096, 4096));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal((PartitionTableKind.Mbr, 2), (table.Kind, table.Partitions.Count));
        Partition first = table.Partitions[0], third = table.Partitions[1];
        Assert.Equal(
            (1, Mebibyte, Mebibyte, "0c", "FAT", "1234abcd-01"),
            (first.Number, first.Start, first.Length, first.Type, first.TypeName, first.Uuid));
        Assert.Equal(
            (3, 2L * Mebibyte, 2L * Mebibyte, "83", "Linux", "1234abcd-03"),
            (third.Number, third.Start, third.Length, third.Type, third.TypeName, third.Uuid));
        Assert.Empty(table.Notes);
    }

    [Fact]
    public void A_disk_without_signature_has_no_partuuids()
    {
        using DiskImage disk = new DiskImage(8 * Mebibyte).BootRecord(0, new MbrEntry(Linux, 2048, 2048));
        Assert.Null(Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Uuid);
    }

    [Theory]
    [InlineData(0x05)]
    [InlineData(0x0f)]
    [InlineData(0x85)]
    public void Logical_partitions_count_on_from_5_along_their_chain(byte extended)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Signature(0xab).BootRecord(0, new MbrEntry(Linux, 2048, 2048), new MbrEntry(extended, 4096, 20480))
            .BootRecord(4096, new MbrEntry(Linux, 64, 1000), new MbrEntry(extended, 8192, 4096))    // the link counts from 4096
            .BootRecord(4096 + 8192, new MbrEntry(0x82, 64, 1000), new MbrEntry(extended, 4096, 4096)) // and may lead back
            .BootRecord(4096 + 4096, new MbrEntry(Linux, 64, 1000));
        IReadOnlyList<Partition> partitions = PartitionTable.Read(disk.ImagePath).Partitions;
        Assert.Equal([1, 5, 6, 7], partitions.Select(partition => partition.Number));
        Assert.Equal([2048, 4160, 12352, 8256], partitions.Select(partition => partition.Start / 512));
        Assert.Equal("000000ab-06", partitions[2].Uuid);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(4096u)]
    public void A_chain_that_bites_its_tail_ends_there(uint link)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Extended, 4096, 20480))
            .BootRecord(4096, new MbrEntry(Linux, 64, 1000), new MbrEntry(Extended, 4096, 4096))
            .BootRecord(8192, new MbrEntry(Linux, 64, 1000), new MbrEntry(Extended, link, 4096));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal([5, 6], table.Partitions.Select(partition => partition.Number));
        Assert.Contains("circles", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_chain_without_end_is_cut_at_the_kernels_last_number()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Extended, 1000, 30000));
        for (uint i = 0; i < 2000; i++)
            disk.BootRecord(1000 + (2 * i), new MbrEntry(Linux, 1, 1), new MbrEntry(Extended, 2 * (i + 1), 2));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal(255, table.Partitions[^1].Number);
        Assert.Equal(251, table.Partitions.Count);
        Assert.Single(table.Notes);
    }

    [Fact]
    public void A_chain_of_empty_records_ends()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Extended, 1000, 30000));
        for (uint i = 0; i < 5000; i++)
            disk.BootRecord(1000 + i, new MbrEntry(0, 0, 0), new MbrEntry(Extended, i + 1, 2));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Empty(table.Partitions);
        Assert.Single(table.Notes);
    }

    [Theory]
    [InlineData(40000u, "cannot be read")]
    [InlineData(4294967295u, "cannot be read")]
    [InlineData(5000u, "no boot record")]
    public void A_link_that_leads_nowhere_costs_only_what_is_behind_it(uint link, string says)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Linux, 64, 64), new MbrEntry(Extended, 4096, 20480))
            .BootRecord(4096, new MbrEntry(Linux, 64, 1000), new MbrEntry(Extended, link, 4096));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal([1, 5], table.Partitions.Select(partition => partition.Number));
        Assert.Contains(says, Assert.Single(table.Notes));
    }

    [Fact]
    public void Rubbish_in_the_third_and_fourth_entry_of_a_logical_record_is_passed_over()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Extended, 4096, 8192))
            .BootRecord(4096, new MbrEntry(Linux, 64, 1000), new MbrEntry(0, 0, 0), new MbrEntry(Linux, 0x20202020, 0x20202020), new MbrEntry(Linux, 8000, 500));
        Assert.Equal(5, Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Number);
    }

    [Theory]
    [InlineData(32768u, 1u)]
    [InlineData(4294967295u, 4294967295u)]
    public void A_partition_that_starts_beyond_the_disk_is_left_out(uint first, uint sectors)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Linux, 2048, 2048), new MbrEntry(Linux, first, sectors));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal(1, Assert.Single(table.Partitions).Number);
        Assert.Contains("partition 2", Assert.Single(table.Notes));
    }

    [Theory]
    [InlineData(30721u)]
    [InlineData(4294967295u)]
    public void A_partition_that_ends_beyond_the_disk_is_cut(uint sectors)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(Linux, 2048, sectors));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal(15 * Mebibyte, Assert.Single(table.Partitions).Length);
        Assert.Contains("cut", Assert.Single(table.Notes));
    }

    [Fact]
    public void Overlapping_partitions_are_kept_and_noted()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte)
            .BootRecord(0, new MbrEntry(Linux, 8192, 100), new MbrEntry(Linux, 2048, 8192), new MbrEntry(Linux, 20000, 100));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal(3, table.Partitions.Count);
        Assert.Equal("partitions 2 and 1 overlap", Assert.Single(table.Notes));
    }

    [Fact]
    public void Boot_code_where_a_table_would_be_is_no_table()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte)
            .BootRecord(0, new MbrEntry(0x20, 0x6f6f6220, 0x6f632074, 0x6e), new MbrEntry(0x65, 2048, 0x61206564, 0x64));
        Assert.Equal((PartitionTableKind.None, 0), Describe(disk));
    }

    [Fact]
    public void A_boot_sector_without_entries_is_no_table()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0);
        Assert.Equal((PartitionTableKind.None, 0), Describe(disk));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    public void The_smallest_disks_are_read_without_harm(int length)
    {
        using DiskImage disk = new DiskImage(512).BootRecord(0, new MbrEntry(Linux, 1, 1)).Truncate(length);
        Assert.Equal(length < 512 ? PartitionTableKind.None : PartitionTableKind.Mbr, Describe(disk).Kind);
    }

    private static (PartitionTableKind Kind, int Count) Describe(DiskImage disk)
    {
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        return (table.Kind, table.Partitions.Count);
    }
}
