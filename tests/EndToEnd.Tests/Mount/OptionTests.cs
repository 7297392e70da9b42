using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Mount options, by the names that users of fuse2fs and mount(8) know.</summary>
public class OptionTests
{
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void Uid_and_gid_give_every_file_to_one_user()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, "uid=1234,gid=4321");
        Assert.All(Tree.Read(mount.MountPoint).Records.Values, record => Assert.Equal("1234:4321", record["owner"]));
    }

    [MountFact]
    public void Uid_alone_leaves_the_group()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, "uid=1234");
        Assert.Equal("1234:100", Tree.Read(mount.MountPoint).Records["/docs/guide.txt"]["owner"]);
    }

    [MountFact]
    public void Fakeroot_lets_the_mounting_user_read_everything()
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("modes"), "fakeroot");
        Assert.Equal("0000\n", File.ReadAllText(mount.PathOf("file-0000")));
    }

    [OracleFact]
    public void Offset_finds_a_filesystem_inside_a_larger_file()
    {
        const long Offset = 1048576 + 512;
        using ScratchFolder folder = new();
        string disk = Path.Combine(folder.Path, "disk.img");
        Command.Run("dd", $"if={Image}", $"of={disk}", "bs=512", $"seek={Offset / 512}", "conv=sparse", "status=none").OrThrow();
        using KernelMount kernel = KernelMount.Of(Image);
        using LiveMount ours = LiveMount.Foregrounded(disk, $"offset={Offset}");
        Same.Trees(kernel.MountPoint, ours.MountPoint);
    }

    [OracleTheory]
    [InlineData("minixdf")]
    [InlineData("bsddf")]
    public void Statfs_counts_overhead_as_the_kernel_does(string option)
    {
        using KernelMount kernel = KernelMount.Of(Image, option);
        using LiveMount ours = LiveMount.Foregrounded(Image, option);
        Assert.Equal(Posix.Filesystem(kernel.MountPoint), Posix.Filesystem(ours.MountPoint));
    }

    [MountFact]
    public void Fsname_and_subtype_show_in_the_mount_table()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, "fsname=a disk,subtype=other");
        Assert.Equal(("a disk", "fuse.other"), (mount.Entry!.Source, mount.Entry.Type));
    }

    [MountTheory]
    [InlineData("defaults,relatime,auto,nofail,_netdev,user,x-systemd.automount,comment=from fstab")]
    [InlineData("noauto,noatime,x-anything=of this,async")]
    [InlineData("defaults")]
    public void The_generic_options_of_fstab_are_accepted(string options)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, options);
        Assert.True(File.Exists(mount.PathOf("hello.txt")));
        Assert.DoesNotContain("warning", mount.Log, StringComparison.OrdinalIgnoreCase);
    }

    [MountTheory]
    [InlineData("suid,dev", "", "nosuid,nodev,noexec")]
    [InlineData("noexec", "nosuid,nodev,noexec", "")]
    [InlineData("noatime", "noatime", "")]
    public void Flags_of_a_mount_are_set_and_lifted(string options, string present, string absent)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, options);
        string[] flags = mount.Entry!.Options.Split(',');
        Assert.All(present.Split(',', StringSplitOptions.RemoveEmptyEntries), flag => Assert.Contains(flag, flags));
        Assert.All(absent.Split(',', StringSplitOptions.RemoveEmptyEntries), flag => Assert.DoesNotContain(flag, flags));
    }

    [MountFact]
    public void Read_write_is_granted_read_only_with_one_warning()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, "rw");
        Assert.Contains("ro", mount.Entry!.Options.Split(','));
        Deadline.In(5).WaitUntil(() => mount.Log.Contains("read-only", StringComparison.Ordinal), "the line in the log");
        Assert.Single(mount.Log.TrimEnd('\n').Split('\n'), line => line.Contains("read-only", StringComparison.OrdinalIgnoreCase));
    }

    [MountFact]
    public void Noallow_other_and_nodefault_permissions_are_passed_on()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image, "noallow_other,nodefault_permissions");
        Assert.Empty(mount.Entry!.SuperOptions.Split(',').Intersect(["allow_other", "default_permissions"]));
    }

    [MountFact]
    public void The_calling_form_of_fuse2fs_is_understood()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount");
        try
        {
            FuseServer.Run(Image, mountPoint, "-o", "ro,noatime").OrThrow();
            Assert.True(File.Exists(Path.Combine(mountPoint, "hello.txt")));
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }
    }

    [MountFact("mount.fuse3", "unshare", "findmnt")]
    public void Mount_with_type_fuse_fuse4fs_works()
    {
        // mount(8) takes PATH away from its helpers, so the program must be in /usr/local/bin: in a mount namespace of our own, it is.
        const string Script = """
            mount -t tmpfs none /usr/local/bin
            ln -s "$1" /usr/local/bin/fuse4fs
            mount -t fuse.fuse4fs -o ro,noatime,uid=77 "$2" "$3"
            cat "$3/hello.txt"
            stat -c %u "$3/hello.txt"
            findmnt -n -o FSTYPE,SOURCE --mountpoint "$3"
            /usr/local/bin/fuse4fs umount --wait "$3"
            """;
        using ScratchFolder folder = new();
        string[] command = ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", Script, "sh", FuseServer.Path, Image, folder.Folder("mount")];
        string said = Command.Run(30, FuseServer.Environment, command).OrThrow().Output;
        Assert.Equal($"A file in the root.\n77\nfuse.fuse4fs {Image}/\n", said);
    }

    [MountFact]
    public void The_mount_helper_takes_the_arguments_that_mount_gives()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount");
        try
        {
            Dictionary<string, string?> environment = new(FuseServer.Environment)
            {
                ["PATH"] = $"{Path.GetDirectoryName(FuseServer.Path)}:{Environment.GetEnvironmentVariable("PATH")}",
            };
            string helper = Path.Combine(Repository.Root, "packaging", "mount.fuse.fuse4fs");
            Command.Run(30, environment, helper, Image, mountPoint, "-s", "-n", "-v", "-o", "ro,noatime,user", "-t", "fuse.fuse4fs").OrThrow();
            Assert.True(File.Exists(Path.Combine(mountPoint, "hello.txt")));
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }
    }

    [MountFact]
    public void A_log_file_gets_what_would_be_on_the_terminal()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount"), log = Path.Combine(folder.Path, "log");
        try
        {
            FuseServer.Run("mount", Image, mountPoint, $"--log={log}").OrThrow();
            int worker = FuseServer.ProcessesOf(mountPoint).First(FuseServer.IsWorker);
            FuseServer.Signal(worker, 9);
            Deadline.In(5).WaitUntil(() => File.ReadAllText(log).Contains(Image, StringComparison.Ordinal), "the reason in the log");
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }
    }
}
