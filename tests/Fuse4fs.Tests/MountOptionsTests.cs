using Fuse4fs.Commands;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests;

public class MountOptionsTests
{
    [Fact]
    public void The_defaults_are_those_of_mount_and_libfuse()
    {
        MountRequest request = Apply("");
        Assert.Null(request.AllowOther);
        Assert.True(request.DefaultPermissions && request.Acl && request.NoSetUserId && request.NoDevices && !request.NoExecute);
        Assert.Equal((-1L, -1L, 0L), (request.Serve.UserId, request.Serve.GroupId, request.Serve.ImageOffset));
        Assert.Equal("fuse4fs", request.Subtype);
    }

    [Theory]
    [InlineData("offset=1048576", 1048576L)]
    [InlineData("offset=1M", 1048576L)]
    [InlineData("offset=1MiB", 1048576L)]
    [InlineData("offset=2k", 2048L)]
    [InlineData("offset=0", 0L)]
    public void An_offset_is_bytes_or_has_a_suffix(string option, long expected) => Assert.Equal(expected, Apply(option).Serve.ImageOffset);

    [Fact]
    public void An_offset_of_0_is_an_offset() =>
        Assert.Equal((false, true), (Apply("").Serve.HasImageOffset, Apply("offset=0").Serve.HasImageOffset));

    [Theory]
    [InlineData("partition=2", "2")]
    [InlineData("partition=LABEL=root", "LABEL=root")]
    [InlineData("partition=1,partition=Grüße 🌍", "Grüße 🌍")]
    public void A_partition_is_text(string option, string expected) => Assert.Equal(expected, Apply(option).Serve.Partition.ToString());

    [Theory]
    [InlineData("offset=0,partition=1")]
    [InlineData("partition=1,offset=1M")]
    public void Offset_and_partition_exclude_each_other(string option) =>
        Assert.Contains("exclude", Assert.Throws<UsageException>(() => Apply(option)).Message);

    [Fact]
    public void A_partition_longer_than_any_name_is_refused()
    {
        Assert.Equal(255, Apply("partition=" + new string('x', 255)).Serve.Partition.ToString().Length);
        Assert.Contains("partition", Assert.Throws<UsageException>(() => Apply("partition=" + new string('x', 256))).Message);
        Assert.Contains("partition", Assert.Throws<UsageException>(() => Apply("partition=" + new string('é', 128))).Message);
    }

    [Fact]
    public void Options_may_come_in_several_lists_and_the_last_word_counts()
    {
        MountRequest request = MountOptions.Apply(Empty(), ["uid=1000,suid,noexec", "gid=5,nosuid,exec", "allow_other,noallow_other"]);
        Assert.Equal((1000L, 5L), (request.Serve.UserId, request.Serve.GroupId));
        Assert.True(request.NoSetUserId && !request.NoExecute);
        Assert.False(request.AllowOther);
    }

    [Fact]
    public void What_an_fstab_may_say_is_accepted()
    {
        string all = "defaults,ro,auto,noauto,nofail,_netdev,user,users,noatime,relatime,strictatime,lazytime,nodiratime,async,x-systemd.automount,"
            + "x-anything=of,comment=some words,suid,nosuid,dev,nodev,exec,noexec,user_xattr,acl,noacl,norecovery,noload,minixdf,bsddf,default_permissions";
        Assert.Empty(Apply(all).Warnings);
    }

    [Theory]
    [InlineData("", "Off")]
    [InlineData("lookup_handle=off", "Off")]
    [InlineData("lookup_handle=v2", "V2")]
    [InlineData("lookup_handle=v3", "V3")]
    [InlineData("lookup_handle=v3,lookup_handle=auto", "Auto")]
    public void Handles_for_the_kernel_are_off_unless_asked_for(string option, string expected) => Assert.Equal(expected, Apply(option).LookupHandle.ToString());

    [Theory]
    [InlineData("lookup_handle")]
    [InlineData("lookup_handle=")]
    [InlineData("lookup_handle=v1")]
    public void Other_versions_are_unknown(string option) => Assert.Contains("lookup_handle", Assert.Throws<UsageException>(() => Apply(option)).Message);

    [Fact]
    public void Asking_for_writes_gives_one_warning() => Assert.Contains("read-only", Assert.Single(Apply("rw").Warnings));

    [Theory]
    [InlineData("journal=/dev/sdb1")]
    [InlineData("journal_path=/dev/sdb1")]
    public void An_external_journal_goes_to_the_worker(string option)
    {
        MountRequest request = Apply(option);
        Assert.Equal("/dev/sdb1", request.Journal);
        Assert.True(request.Serve.HasJournal);
    }

    [Fact]
    public void Fakeroot_checks_nobody_and_lifts_nothing_else()
    {
        MountRequest request = Apply("suid,dev,fakeroot");
        Assert.True(!request.DefaultPermissions && request.NoSetUserId && request.NoDevices);
    }

    [Fact]
    public void Content_is_verified_when_asked_for()
    {
        Assert.False(Apply("").Serve.VerifyContent);
        Assert.True(Apply("verity=verify").Serve.VerifyContent);
        Assert.False(Apply("verity=verify,verity=ignore").Serve.VerifyContent);
    }

    [Theory]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("ro,frobnicate=1", "frobnicate=1")]
    [InlineData("remount", "remount")]
    [InlineData("noatime=1", "noatime")]
    [InlineData("relatime=1", "relatime=1")]
    [InlineData("uid=", "uid")]
    [InlineData("uid=-1", "uid")]
    [InlineData("uid=4294967295", "uid")]
    [InlineData("uid=root", "uid")]
    [InlineData("offset=-1", "offset")]
    [InlineData("offset=1X", "offset")]
    [InlineData("offset=9223372036854775807K", "offset")]
    [InlineData("offset=", "offset")]
    [InlineData("allow_other=yes", "allow_other")]
    [InlineData("readdirplus=maybe", "readdirplus")]
    [InlineData("verity", "verity")]
    [InlineData("verity=no", "verity")]
    [InlineData("fsname=", "fsname")]
    [InlineData("partition=", "partition")]
    [InlineData("partition", "partition")]
    public void Anything_else_is_refused_by_name(string option, string named) =>
        Assert.Contains(named, Assert.Throws<UsageException>(() => Apply(option)).Message);

    private static MountRequest Apply(string list) => MountOptions.Apply(Empty(), [list]);

    private static MountRequest Empty() => new() { Image = "image", MountPoint = "mountpoint" };
}
