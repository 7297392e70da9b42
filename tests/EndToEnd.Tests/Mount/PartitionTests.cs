using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Filesystems inside of whole disks: which is mounted, and what is said when none is.</summary>
public sealed class PartitionTests : IDisposable
{
    private const int Mebibyte = DiskImage.Mebibyte;
    private const string FileOfSecond = "/docs/guide.txt"; // in the image ext4, not in sample

    private readonly DiskImage _disk = new(80 * Mebibyte);

    [MountTheory]
    [InlineData("@2", null, false)]
    [InlineData("@3", null, true)]
    [InlineData("@sample", null, false)]
    [InlineData("@LABEL=ext4", null, true)]
    [InlineData("@second", null, true)]
    [InlineData("@11111111-2222-3333-4444-000000000003", null, true)]
    [InlineData("", "partition=2", false)]
    [InlineData("", "partition=ext4", true)]
    [InlineData("", "partition=PARTLABEL=second", true)]
    public void A_partition_is_chosen_by_name_or_option(string selector, string? option, bool isSecond)
    {
        TwoFilesystems();
        using LiveMount mount = LiveMount.Foregrounded(_disk.ImagePath + selector, option);
        Assert.Equal(isSecond, File.Exists(mount.MountPoint + FileOfSecond));
        Assert.Equal(_disk.ImagePath + (selector.Length == 0 ? "/" : selector), mount.Entry!.Source);
    }

    [MountFact]
    public void Two_partitions_of_one_file_are_mounted_at_once()
    {
        TwoFilesystems();
        using LiveMount first = LiveMount.Foregrounded(_disk.ImagePath + "@2");
        using LiveMount second = LiveMount.Foregrounded(_disk.ImagePath + "@3");
        Assert.Equal((false, true), (File.Exists(first.MountPoint + FileOfSecond), File.Exists(second.MountPoint + FileOfSecond)));
    }

    [MountFact]
    public void The_only_ext_filesystem_is_taken_and_named_in_the_log()
    {
        _disk.BootRecord(0, new MbrEntry(0x0c, 2048, 2048), new MbrEntry(0x05, 8192, 131072)).BootRecord(8192, new MbrEntry(0x83, 2048, 65536))
            .Insert((8192 + 2048) * 512, Images.Get("sample"));
        using LiveMount mount = LiveMount.Foregrounded(_disk.ImagePath);
        Assert.True(File.Exists(mount.PathOf("README")));
        Deadline.In(5).WaitUntil(() => mount.Log.Contains("partition 5 (at byte 5242880, 33554432 bytes)", StringComparison.Ordinal), "the line in the log");
        Assert.Equal(_disk.ImagePath + "/", mount.Entry!.Source);
    }

    [MountFact]
    public void A_broken_first_gpt_is_reported_and_its_copy_used()
    {
        TwoFilesystems();
        _disk.Flip(512 + 20);
        using LiveMount mount = LiveMount.Foregrounded(_disk.ImagePath + "@3");
        Assert.True(File.Exists(mount.MountPoint + FileOfSecond));
        Deadline.In(5).WaitUntil(() => System.Text.RegularExpressions.Regex.IsMatch(mount.Log, "warning: .*: the GPT at the start of the disk is broken"), "the line in the log"); // lines arrive after answers
    }

    [MountTheory]
    [InlineData("", null)]
    [InlineData("@4", null)]
    [InlineData("@nothing", null)]
    [InlineData("", "partition=nothing")]
    public void Where_it_is_not_clear_what_is_meant_one_line_lists_what_there_is(string selector, string? option)
    {
        TwoFilesystems();
        string line = Refusal(_disk.ImagePath + selector, option, exitCode: 32);
        Assert.Contains("1: 1 MiB, EFI system \"efi\"; 2: 15 MiB, Linux \"first\", ext \"sample\" UUID ", line);
        Assert.Contains("3: 48 MiB, Linux \"second\", ext \"ext4\" UUID ", line);
        Assert.Contains("IMAGE@NUMBER", line);
    }

    [MountTheory]
    [InlineData("@2", "partition=2")]
    [InlineData("@2", "offset=2M")]
    [InlineData("", "partition=2,offset=2M")]
    public void Two_choices_at_once_are_a_usage_error(string selector, string option)
    {
        TwoFilesystems();
        Assert.Contains("exclude each other", Refusal(_disk.ImagePath + selector, option, exitCode: 1));
    }

    [MountFact]
    public void A_partition_without_ext_filesystem_is_named_in_the_refusal()
    {
        TwoFilesystems();
        Assert.Contains("partition 1: no ext2/3/4 superblock", Refusal(_disk.ImagePath + "@efi", null, exitCode: 32));
    }

    [MountFact]
    public void A_filesystem_that_does_not_fit_its_partition_is_refused_with_both_sizes()
    {
        long length = new FileInfo(Images.Get("sample")).Length;
        _disk.BootRecord(0, new MbrEntry(0x83, 2048, (uint)(length / 512) - 1)).Insert(Mebibyte, Images.Get("sample"));
        Assert.Contains($"which are {length} bytes, but the partition has {length - 512}", Refusal(_disk.ImagePath, null, exitCode: 32));
    }

    [MountFact]
    public void A_file_whose_name_looks_like_a_choice_is_a_file()
    {
        TwoFilesystems();
        string twin = _disk.ImagePath + "@3";
        File.Copy(Images.Get("sample"), twin);
        using LiveMount mount = LiveMount.Foregrounded(twin);
        Assert.False(File.Exists(mount.MountPoint + FileOfSecond));
    }

    [MountFact]
    public void An_offset_goes_without_a_partition_table()
    {
        TwoFilesystems();
        using LiveMount mount = LiveMount.Foregrounded(_disk.ImagePath, "offset=17M");
        Assert.True(File.Exists(mount.MountPoint + FileOfSecond));
    }

    [MountFact("losetup")]
    public void A_block_device_has_partitions_as_a_file_has()
    {
        TwoFilesystems();
        using LoopDevice device = new(_disk.ImagePath);
        using LiveMount mount = LiveMount.Foregrounded(device.Path + "@ext4");
        Assert.True(File.Exists(mount.MountPoint + FileOfSecond));
        Assert.Equal(device.Path + "@ext4", mount.Entry!.Source);
    }

    [MountFact("losetup")]
    public void A_block_device_with_one_ext_filesystem_is_mounted_unasked()
    {
        _disk.Gpt(new GptEntry(2048, 34815, "first")).Insert(Mebibyte, Images.Get("sample"));
        using LoopDevice device = new(_disk.ImagePath);
        using LiveMount mount = LiveMount.Foregrounded(device.Path);
        Assert.True(File.Exists(mount.PathOf("README")));
    }

    public void Dispose() => _disk.Dispose();

    // 1: nothing; 2, "first": the image sample; 3, "second": the image ext4.
    private void TwoFilesystems() => _disk
        .Gpt(
            new GptEntry(2048, 4095, "efi", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
            new GptEntry(4096, 34815, "first"),
            new GptEntry(34816, 133119, "second"))
        .Insert(2 * Mebibyte, Images.Get("sample")).Insert(17 * Mebibyte, Images.Get("ext4"));

    private static string Refusal(string image, string? options, int exitCode)
    {
        string mountPoint = Directory.CreateTempSubdirectory("fuse4fs-test-").FullName;
        try
        {
            CommandResult result = FuseServer.Run(["mount", image, mountPoint, .. options is null ? (string[])[] : ["-o", options]]);
            Assert.True(result.ExitCode == exitCode, result.ToString());
            Assert.Null(TestSupport.MountTable.Find(mountPoint));
            return Assert.Single(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }
}
