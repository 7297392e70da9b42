using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Hostile;

/// <summary>An image on a disk that fails in places: EIO for what lies there, and everything else goes on.</summary>
public class BadDiskTests
{
    private const int BlockSize = 4096;
    private const int BadBlock = 10;
    private const string Large = "docs/size-300001";
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void Only_what_lies_in_unreadable_blocks_is_EIO()
    {
        byte[] expected = DataBlocks.Content(Image, Large);
        using BadDisk disk = new(Image);
        disk.Fail(DataBlocks.Find(Image, Large, BadBlock) * BlockSize, BlockSize);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath);
        using OpenDescriptor file = Posix.Open(mount.PathOf(Large));
        for (int block = 0; block * BlockSize < expected.Length; block++)
        {
            int start = block * BlockSize, length = Math.Min(BlockSize, expected.Length - start);
            if (block == BadBlock)
                Assert.Equal(Errno.EIO, Assert.Throws<PosixException>(() => file.Read(start, length)).Error);
            else
                Assert.Equal(expected[start..(start + length)], file.Read(start, length));
        }

        Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
        Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
    }

    [MountFact]
    public void An_unreadable_block_is_one_line_in_the_log()
    {
        using BadDisk disk = new(Image);
        disk.Fail(DataBlocks.Find(Image, Large, BadBlock) * BlockSize, BlockSize);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath);
        for (int times = 0; times < 3; times++)
            Assert.Throws<IOException>(() => File.ReadAllBytes(mount.PathOf(Large)));
        LogLines.AreExactly(1, mount, "cannot be read");
    }

    [MountFact]
    public void A_stalled_read_does_not_stop_other_requests_and_ends_well()
    {
        byte[] expected = DataBlocks.Content(Image, Large);
        using BadDisk disk = new(Image);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath);
        disk.Stall(DataBlocks.Find(Image, Large, BadBlock) * BlockSize, BlockSize);
        byte[]? read = null;
        var reader = new Thread(() => read = File.ReadAllBytes(mount.PathOf(Large))) { IsBackground = true };
        reader.Start();
        try
        {
            Deadline.In(5).WaitUntil(() => disk.Waiting == 1, "a read waits");
            Deadline.In(5).Run(() =>
            {
                Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
                Assert.Equal(65536, File.ReadAllBytes(mount.PathOf("docs/size-65536")).Length);
                Assert.NotEmpty(Directory.GetFileSystemEntries(mount.PathOf("docs")));
            }, "other requests");
            Assert.Null(read);
        }
        finally
        {
            disk.Release();
        }

        Assert.True(reader.Join(5000));
        Assert.Equal(expected, read);
    }

    [MountFact]
    public void A_mount_with_a_stalled_read_can_be_unmounted_lazily_and_ends_when_the_disk_answers()
    {
        using BadDisk disk = new(Image);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath);
        disk.Stall(DataBlocks.Find(Image, Large, BadBlock) * BlockSize, BlockSize);
        var reader = new Thread(() => File.ReadAllBytes(mount.PathOf(Large))) { IsBackground = true };
        reader.Start();
        try
        {
            Deadline.In(5).WaitUntil(() => disk.Waiting == 1, "a read waits");
            Command.Run(5, null, "umount", "--lazy", mount.MountPoint).OrThrow();
        }
        finally
        {
            disk.Release();
        }

        Assert.True(reader.Join(5000));
        Assert.Equal(0, mount.WaitForEnd());
    }

    [MountFact]
    public void A_descriptor_that_a_caller_left_open_on_a_hung_filesystem_hangs_no_mount()
    {
        using BadDisk disk = new(Image);
        using ScratchFolder folder = new();
        string place = folder.Folder("mount");
        using System.Diagnostics.Process caller = Command.Start(
            FuseServer.Environment, "sh", "-c", "exec 9< \"$0\"; echo open; read go; \"$1\" mount \"$2\" \"$3\"", disk.ImagePath, FuseServer.Path, Images.Get("sample"), place);
        try
        {
            Assert.Equal("open", caller.StandardOutput.ReadLine());
            disk.StallAttributes();
            caller.StandardInput.WriteLine("go");
            Assert.True(caller.WaitForExit(20_000));
            Assert.Equal(0, caller.ExitCode);
        }
        finally
        {
            disk.Release();
            if (!caller.WaitForExit(20_000))
                caller.Kill();
            _ = Command.Run(10, null, "umount", place);
        }
    }
}
