using System.Buffers.Binary;
using Ext4Reader.Partitions;
using TestSupport;
using Xunit;

namespace Ext4Reader.Tests.Partitions;

public class GuidTableTests
{
    private const int Mebibyte = DiskImage.Mebibyte;

    private static readonly GptEntry[] OnePartition = [new GptEntry(2048, 4095, "root")];

    /// <summary>What a header may lie about: a field's offset, the lie (as many bytes as the field has) and what is said of it.</summary>
    public static TheoryData<int, byte[], string> Lies => new()
    {
        { 0, "EFI FART"u8.ToArray(), "no GPT header" },
        { 8, Bytes(0x20000u), "revision" },
        { 8, Bytes(0u), "revision" },
        { 12, Bytes(91u), "header size" },
        { 12, Bytes(513u), "header size" },
        { 12, Bytes(uint.MaxValue), "header size" },
        { 24, Bytes(2ul), "header for sector 2" },
        { 24, Bytes(ulong.MaxValue), "header for sector" },
        { 72, Bytes(32768ul), "entries in sector 32768" },
        { 72, Bytes(32767ul), "entries in sector 32767" },
        { 72, Bytes(ulong.MaxValue), "entries in sector" },
        { 72, Bytes(1ul << 63), "entries in sector" },
        { 72, Bytes(3ul), "checksum of the entries" },
        { 80, Bytes(0u), "0 entries" },
        { 80, Bytes(127u), "checksum of the entries" },
        { 80, Bytes(uint.MaxValue), "4294967295 entries" },
        { 80, Bytes(8193u), "8193 entries" },
        { 84, Bytes(0u), "entries of 0 bytes" },
        { 84, Bytes(64u), "entries of 64 bytes" },
        { 84, Bytes(192u), "entries of 192 bytes" },
        { 84, Bytes(uint.MaxValue), "entries of 4294967295 bytes" },
        { 84, Bytes(1u << 31), "entries of 2147483648 bytes" },
        { 88, Bytes(0u), "checksum of the entries" },
    };

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Both_sizes_of_sectors_are_told_apart(int sectorSize)
    {
        ulong sectors = (ulong)(Mebibyte / sectorSize);
        using DiskImage disk = new DiskImage(16 * Mebibyte, sectorSize)
            .Gpt(new GptEntry(sectors, (3 * sectors) - 1, "Grüße, 世界 🌍", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "aabbccdd-eeff-0011-2233-445566778899"));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Partition partition = Assert.Single(table.Partitions);
        Assert.Equal((1, Mebibyte, 2L * Mebibyte, PartitionTableKind.Gpt), (partition.Number, partition.Start, partition.Length, partition.Kind));
        Assert.Equal(("Grüße, 世界 🌍", "EFI system", "aabbccdd-eeff-0011-2233-445566778899"), (partition.Name, partition.TypeName, partition.Uuid));
        Assert.Empty(table.Notes);
    }

    [Fact]
    public void Numbers_are_places_in_the_table()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte)
            .Gpt(new GptEntry(8192, 8193), new GptEntry(5000, 6000, Type: Guid.Empty.ToString()), new GptEntry(2048, 2048));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal([(1, 8192L, 2L), (3, 2048L, 1L)], table.Partitions.Select(partition => (partition.Number, partition.Start / 512, partition.Length / 512)));
    }

    [Fact]
    public void A_name_without_end_has_36_units()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(new GptEntry(2048, 4095, new string('x', 36)));
        Assert.Equal(new string('x', 36), Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Name);
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void Where_the_first_header_lies_the_copy_is_used_and_said_so(int offset, byte[] lie, string says)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).ProtectiveRecord().GptCopies(OnePartition, header => lie.CopyTo(header, offset));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        string note = Assert.Single(table.Notes);
        Assert.Contains("copy in sector 32767 is used", note);
        Assert.Contains(says, note);
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void Where_both_headers_lie_nothing_is_believed(int offset, byte[] lie, string says)
    {
        void Lie(byte[] header) => lie.CopyTo(header, offset);
        using DiskImage disk = new DiskImage(16 * Mebibyte).ProtectiveRecord().GptCopies(OnePartition, Lie, Lie);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal((PartitionTableKind.Gpt, 0), (table.Kind, table.Partitions.Count));
        Assert.Contains(says, Assert.Single(table.Notes));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void A_wrong_header_checksum_is_noticed(int sectorSize)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte, sectorSize).Gpt(new GptEntry(600, 700, "root")).Flip(sectorSize + 0x38);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        Assert.Contains("header checksum", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_wrong_checksum_of_the_entries_is_noticed()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).Flip(1024 + 56);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        Assert.Contains("checksum of the entries", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_wiped_first_header_is_replaced_by_the_copy()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).Write(512, new byte[4096]);
        Assert.Equal("root", Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Name);
    }

    [Fact]
    public void The_copy_is_found_in_an_image_that_was_made_longer()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).Flip(1024).Truncate(20 * Mebibyte);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        Assert.Contains("sector 32767", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_missing_copy_is_nobodys_concern()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).Truncate(15 * Mebibyte);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal((1, 0), (table.Partitions.Count, table.Notes.Count));
    }

    [Fact]
    public void Larger_entries_are_read_at_their_distance()
    {
        byte[] entries = new byte[8 * 256];
        new Guid("0fc63daf-8483-4772-8e79-3d69d8477de4").TryWriteBytes(entries.AsSpan(256));
        Bytes(2048ul).CopyTo(entries, 256 + 32);
        Bytes(2048ul).CopyTo(entries, 256 + 40);
        using DiskImage disk = new DiskImage(16 * Mebibyte).ProtectiveRecord().GptCopies([], header =>
        {
            Bytes(8u).CopyTo(header, 80);
            Bytes(256u).CopyTo(header, 84);
            Bytes(DiskImage.Crc32(entries)).CopyTo(header, 88);
        }).Write(1024, entries);
        Assert.Equal(2, Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Number);
    }

    [Theory]
    [InlineData(5000ul, 4999ul)]
    [InlineData(32768ul, 40000ul)]
    [InlineData(0ul, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, ulong.MaxValue)]
    [InlineData(ulong.MaxValue - 1, ulong.MaxValue - 1)]
    public void A_partition_that_cannot_be_is_left_out(ulong first, ulong last)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition[0], new GptEntry(first, last));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal(1, Assert.Single(table.Partitions).Number);
        Assert.Contains("partition 2", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_partition_that_ends_beyond_the_disk_is_cut()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(new GptEntry(2048, ulong.MaxValue - 1));
        Assert.Equal(15 * Mebibyte, Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Length);
    }

    [Fact]
    public void Many_broken_entries_make_few_notes()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt([.. Enumerable.Repeat(new GptEntry(9, 8), 128)]);
        Assert.InRange(PartitionTable.Read(disk.ImagePath).Notes.Count, 2, 20);
    }

    [Fact]
    public void In_a_hybrid_mbr_only_the_gpt_counts()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition)
            .BootRecord(0, new MbrEntry(0x83, 8192, 100, 0x80), new MbrEntry(0xee, 1, 2047));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        Assert.Contains("hybrid", Assert.Single(table.Notes));
    }

    [Fact]
    public void An_mbr_written_over_the_protective_one_makes_the_gpt_a_left_over()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).BootRecord(0, new MbrEntry(0x83, 8192, 100));
        Assert.Equal(PartitionTableKind.Mbr, Assert.Single(PartitionTable.Read(disk.ImagePath).Partitions).Kind);
    }

    [Fact]
    public void A_gpt_whose_mbr_was_wiped_still_counts()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).GptCopies(OnePartition);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Equal("root", Assert.Single(table.Partitions).Name);
        Assert.Contains("without its protective MBR", Assert.Single(table.Notes));
    }

    [Fact]
    public void A_copy_alone_that_nothing_points_to_is_a_left_over()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).GptCopies(OnePartition).Write(512, new byte[512]);
        Assert.Equal(PartitionTableKind.None, PartitionTable.Read(disk.ImagePath).Kind);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1024)]
    [InlineData(1536)]
    [InlineData(8192)]
    public void A_disk_too_short_for_its_table_is_read_without_harm(long length)
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition).Truncate(length);
        Assert.Empty(PartitionTable.Read(disk.ImagePath).Partitions);
    }

    [Fact]
    public void Any_changed_byte_of_a_header_is_noticed()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(OnePartition);
        for (int i = 0; i < 92; i++)
        {
            disk.Flip(512 + i);
            PartitionTable table = PartitionTable.Read(disk.ImagePath);
            disk.Flip(512 + i);
            Assert.Equal("root", Assert.Single(table.Partitions).Name);
            Assert.Contains("is used", Assert.Single(table.Notes));
        }
    }

    private static byte[] Bytes(uint value)
    {
        byte[] raw = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(raw, value);
        return raw;
    }

    private static byte[] Bytes(ulong value)
    {
        byte[] raw = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(raw, value);
        return raw;
    }
}
