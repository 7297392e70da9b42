using Fuse4fs.Commands;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests;

public class PlainMountTests
{
    [Theory]
    [InlineData("mount disk.img /mnt")]
    [InlineData("mount disk.img /mnt -o ro,uid=7")]
    [InlineData("mount -o ro -o uid=7 disk.img /mnt")]
    [InlineData("mount disk.img@2 -o norecovery /mnt")]
    public void What_mount_calls_us_with_is_read_here(string line)
    {
        MountRequest request = PlainMount.TryRead(line.Split(' '))!;
        Assert.StartsWith("disk.img", request.Image, StringComparison.Ordinal);
        Assert.Equal("/mnt", request.MountPoint);
        Assert.Equal(line.Contains("uid", StringComparison.Ordinal) ? 7 : -1, request.Serve.UserId);
        Assert.Equal(line.Contains("norecovery", StringComparison.Ordinal), request.Serve.NoRecovery);
        Assert.False(request.Foreground);
    }

    [Theory]
    [InlineData("mount disk.img")]
    [InlineData("mount disk.img /mnt more")]
    [InlineData("mount disk.img /mnt -f")]
    [InlineData("mount disk.img /mnt --foreground")]
    [InlineData("mount disk.img /mnt -o")]
    [InlineData("mount disk.img /mnt -o -f")]
    [InlineData("mount disk.img /mnt -oro")]
    [InlineData("mount disk.img /mnt -o=ro")]
    [InlineData("mount disk.img /mnt --options ro")]
    [InlineData("mount disk.img /mnt --help")]
    [InlineData("mount disk.img /mnt --on-crash=stop")]
    [InlineData("mount -- disk.img /mnt")]
    [InlineData("mount @arguments /mnt")]
    [InlineData("mount  /mnt")]
    [InlineData("[diagram] disk.img /mnt")]
    [InlineData("status /mnt")]
    [InlineData("restart disk.img /mnt")]
    [InlineData("")]
    public void Everything_else_is_left_to_the_library(string line) => Assert.Null(PlainMount.TryRead(line.Split(' ')));

    [Theory]
    [InlineData("mount disk.img /mnt")]
    [InlineData("mount disk.img /mnt -o ro,nosuid,uid=5,gid=6,threads=3,lookup_handle=v2")]
    [InlineData("mount -o noacl,allow_other disk.img@1 -o journal=/j,fsname=x /mnt")]
    public void Both_read_the_same_request(string line)
    {
        MountRequest? read = null;
        _ = CommandLine.Build(request => (read = request) is null ? 1 : 0).Parse(line.Split(' ')).Invoke();
        Assert.NotNull(read);
        Assert.Equal(read, PlainMount.TryRead(line.Split(' ')));
    }

    [Fact]
    public void A_word_behind_o_that_means_nothing_is_a_usage_error() =>
        Assert.Throws<UsageException>(() => PlainMount.TryRead("mount disk.img /mnt -o frobnicate".Split(' ')));
}
