using Ext4Reader.Partitions;
using TestSupport;
using Xunit;

namespace Ext4Reader.Tests.Partitions;

public class PartitionChoiceTests
{
    private const int Mebibyte = DiskImage.Mebibyte;
    private const string BootUuid = "01234567-89ab-cdef-0123-456789abcdef";
    private const string DataUuid = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

    [Theory]
    [InlineData("2", 2)]
    [InlineData("02", 2)]
    [InlineData("boot", 2)]
    [InlineData("LABEL=boot", 2)]
    [InlineData(BootUuid, 2)]
    [InlineData("01234567-89AB-CDEF-0123-456789ABCDEF", 2)]
    [InlineData("UUID=" + BootUuid, 2)]
    [InlineData("kernels", 2)]
    [InlineData("PARTLABEL=kernels", 2)]
    [InlineData("11111111-2222-3333-4444-000000000002", 2)]
    [InlineData("PARTUUID=11111111-2222-3333-4444-000000000002", 2)]
    [InlineData("1", 1)]
    [InlineData("efi", 1)]
    [InlineData("data", 3)] // the name of 6, too, but that has no ext filesystem
    [InlineData("PARTLABEL=data", 6)]
    [InlineData("archive", 4)]
    [InlineData("LABEL=1", 4)]
    [InlineData("2024", 5)]
    public void A_selector_is_a_number_a_label_a_name_or_a_uuid(string selector, int expected)
    {
        using DiskImage disk = Sample();
        Assert.Equal(expected, PartitionTable.Read(disk.ImagePath).Choose(selector)?.Number);
    }

    [Theory]
    [InlineData("9")]
    [InlineData("-1")]
    [InlineData("Boot")]
    [InlineData("")]
    [InlineData("LABEL=")]
    [InlineData("LABEL=kernels")]
    [InlineData("PARTLABEL=boot")]
    [InlineData("UUID=boot")]
    [InlineData("99999999999999999999")]
    public void A_selector_that_means_nothing_is_answered_with_the_list(string selector)
    {
        using DiskImage disk = Sample();
        string message = Refusal(disk, selector);
        Assert.Contains("no partition", message);
        Assert.Contains($"2: 1 MiB, Linux \"kernels\", ext \"boot\" UUID {BootUuid}", message);
        Assert.Contains("1: 1 MiB, EFI system \"efi\"", message);
    }

    [Fact]
    public void A_selector_that_means_two_is_answered_with_the_list()
    {
        using DiskImage disk = Sample().Superblock(5 * Mebibyte, "boot", BootUuid);
        Assert.Contains("means 2", Refusal(disk, "boot"));
        Assert.Contains("means 2", Refusal(disk, BootUuid));
    }

    [Fact]
    public void Without_a_selector_the_only_ext_filesystem_is_taken()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte)
            .BootRecord(0, new MbrEntry(0x0c, 2048, 2048), new MbrEntry(0x83, 4096, 2048)).Superblock(2 * Mebibyte);
        Assert.Equal(2, PartitionTable.Read(disk.ImagePath).Choose(null)?.Number);
    }

    [Fact]
    public void Without_a_selector_several_ext_filesystems_are_listed()
    {
        using DiskImage disk = Sample();
        Assert.StartsWith("4 ext2/3/4 filesystems on this disk", Refusal(disk, null));
    }

    [Fact]
    public void A_disk_without_ext_filesystems_says_what_it_has()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(0x07, 2048, 2048));
        Assert.Equal("no ext2/3/4 filesystem in any partition of this disk: 1: 1 MiB, NTFS or exFAT", Refusal(disk, null));
    }

    [Fact]
    public void A_broken_gpt_is_named_as_the_reason()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).ProtectiveRecord();
        Assert.Contains("no GPT header", Refusal(disk, null));
    }

    [Fact]
    public void The_journal_of_another_filesystem_is_no_filesystem()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(0x83, 2048, 2048), new MbrEntry(0x83, 4096, 2048))
            .Superblock(Mebibyte, incompatible: 0x8).Superblock(2 * Mebibyte);
        Assert.Equal(2, PartitionTable.Read(disk.ImagePath).Choose(null)?.Number);
    }

    [Fact]
    public void A_plain_image_is_taken_as_a_whole()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Superblock(0, "plain", BootUuid);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.All((string?[])[null, "0", "plain", BootUuid], selector => Assert.Null(table.Choose(selector)));
        Assert.Contains("has no partition table", Refusal(disk, "1"));
    }

    [Fact]
    public void An_ext_filesystem_with_a_boot_loader_is_taken_as_a_whole()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Superblock(0).BootRecord(0, new MbrEntry(0x83, 2048, 2048, 0x80));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Null(table.Choose(null));
        Assert.Equal(1, table.Choose("1")?.Number);
    }

    [Fact]
    public void A_partition_over_the_whole_disk_is_the_same_filesystem()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Superblock(0).BootRecord(0, new MbrEntry(0x83, 0, 32768));
        Assert.Null(PartitionTable.Read(disk.ImagePath).Choose(null));
    }

    [Fact]
    public void Filesystems_both_at_the_start_and_in_a_partition_are_not_guessed_at()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Superblock(0, "old").BootRecord(0, new MbrEntry(0x83, 2048, 2048)).Superblock(Mebibyte, "new");
        string message = Refusal(disk, null);
        Assert.Contains("0: the whole disk, ext \"old\"", message);
        Assert.Contains("1: 1 MiB, Linux, ext \"new\"", message);
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.Null(table.Choose("0"));
        Assert.Null(table.Choose("old"));
        Assert.Equal(1, table.Choose("new")?.Number);
    }

    [Fact]
    public void Mbr_partitions_are_selected_by_signature_and_number()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Signature(0x0badcafe)
            .BootRecord(0, new MbrEntry(0x05, 2048, 8192)).BootRecord(2048, new MbrEntry(0x83, 2048, 2048));
        PartitionTable table = PartitionTable.Read(disk.ImagePath);
        Assert.All((string[])["5", "0badcafe-05", "0BADCAFE-05", "PARTUUID=0badcafe-05"], selector => Assert.Equal(5, table.Choose(selector)?.Number));
    }

    [Fact]
    public void Labels_cannot_move_the_cursor_or_break_the_line()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(new GptEntry(2048, 4095, "a\u001b[2J\nb\u202ec"));
        Assert.Contains("\"a?[2J?b?c\"", Refusal(disk, null));
    }

    [Fact]
    public void A_long_list_is_cut()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte)
            .Gpt([.. Enumerable.Range(0, 128).Select(i => new GptEntry(2048 + (ulong)i, 2048 + (ulong)i, new string('x', 36)))]);
        string message = Refusal(disk, null);
        Assert.Contains("and 104 more", message);
        Assert.InRange(message.Length, 100, 3500);
    }

    // 1: EFI; 2: ext "boot", named "kernels"; 3: ext "data"; 4: ext "1", named "archive"; 5: ext "2024"; 6: named "data", nothing in it.
    private static DiskImage Sample() => new DiskImage(16 * Mebibyte)
        .Gpt(
            new GptEntry(2048, 4095, "efi", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
            new GptEntry(4096, 6143, "kernels"),
            new GptEntry(6144, 8191),
            new GptEntry(8192, 10239, "archive"),
            new GptEntry(10240, 12287),
            new GptEntry(12288, 14335, "data"))
        .Superblock(2 * Mebibyte, "boot", BootUuid)
        .Superblock(3 * Mebibyte, "data", DataUuid)
        .Superblock(4 * Mebibyte, "1")
        .Superblock(5 * Mebibyte, "2024");

    private static string Refusal(DiskImage disk, string? selector) =>
        Assert.Throws<PartitionChoiceException>(() => PartitionTable.Read(disk.ImagePath).Choose(selector)).Message;
}
