using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Hostile;

/// <summary>Image files that get shorter while they are mounted: EIO for what is gone, and for nothing else.</summary>
public class ShrinkingImageTests
{
    private const int BlockSize = 4096;
    private const string Large = "docs/size-300001";

    [MountFact]
    public void An_image_truncated_while_mounted_loses_what_lay_behind_the_cut_only()
    {
        using ImageCopy copy = Images.Copy("ext4");
        byte[] expected = DataBlocks.Content(copy.ImagePath, Large);
        long cut = DataBlocks.Find(copy.ImagePath, Large, 10) * BlockSize;
        Assert.True(DataBlocks.Find(copy.ImagePath, "hello.txt", 0) * BlockSize < cut);
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath);
        SetLength(copy.ImagePath, cut);
        using OpenDescriptor file = Posix.Open(mount.PathOf(Large));
        Assert.Equal(expected[..(9 * BlockSize)], file.Read(0, 9 * BlockSize));
        Assert.Equal(Errno.EIO, Assert.Throws<PosixException>(() => file.Read(10 * BlockSize, BlockSize)).Error);
        Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
        Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
    }

    [MountFact]
    public void An_image_that_is_emptied_and_comes_back_is_served_again()
    {
        using ImageCopy copy = Images.Copy("ext4");
        byte[] expected = DataBlocks.Content(copy.ImagePath, Large);
        byte[] image = File.ReadAllBytes(copy.ImagePath);
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath);
        SetLength(copy.ImagePath, 0);
        Assert.Equal(Errno.EIO, Assert.Throws<PosixException>(() => { using OpenDescriptor gone = Posix.Open(mount.PathOf(Large)); gone.Read(0, BlockSize); }).Error);
        using (FileStream back = new(copy.ImagePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            back.Write(image);
        Assert.Equal(expected, File.ReadAllBytes(mount.PathOf(Large)));
        Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
    }

    private static void SetLength(string path, long length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
