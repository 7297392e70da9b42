using System.Security.Cryptography;
using Fuse4fs.Control;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>How a mount begins, and every way in which it ends: both processes gone, exit code 0, the image untouched.</summary>
public class LifecycleTests
{
    private const int Terminate = 15, Interrupt = 2, Kill = 9, Stop = 19;
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void The_mount_command_returns_when_the_mount_answers()
    {
        using LiveMount mount = LiveMount.Daemon(Image);
        Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
        Assert.Equal(2, mount.Processes.Count);
    }

    [MountFact]
    public void The_daemon_lets_go_of_the_terminal_the_folder_and_the_pipes()
    {
        using LiveMount mount = LiveMount.Daemon(Image);
        Assert.All(mount.Processes, process =>
        {
            Assert.All((int[])[0, 1], number => Assert.Equal("/dev/null", new FileInfo($"/proc/{process}/fd/{number}").LinkTarget));
            Assert.NotEqual(Environment.CurrentDirectory, new FileInfo($"/proc/{process}/cwd").LinkTarget);
        });
        Assert.Equal(mount.Supervisor.ToString(), File.ReadAllText($"/proc/{mount.Supervisor}/stat").Split(' ')[5]); // leader of its own session
    }

    [MountFact]
    public void The_mount_table_shows_type_source_and_flags()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Assert.Equal("fuse.fuse4fs", mount.Entry!.Type);
        Assert.Equal(Image + "/", mount.Entry.Source);
        Assert.Empty(((string[])["ro", "nosuid", "nodev"]).Except(mount.Entry.Options.Split(',')));
        Assert.Empty(((string[])["default_permissions", "allow_other"]).Except(mount.Entry.SuperOptions.Split(',')));
    }

    [MountFact]
    public void The_source_is_absolute_although_the_image_was_named_relatively()
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, Image);
        using LiveMount mount = LiveMount.Daemon(relative);
        Assert.Equal(Image + "/", mount.Entry!.Source);
    }

    /// <summary>Whoever polls the device is woken by each request; the worker's readers alone are to be.</summary>
    [MountFact]
    public void Requests_do_not_wake_the_supervisor()
    {
        const int Requests = 2000;
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Recovery.Mounted.AwaitSupervisor(mount);
        long before = Sleeps(mount.Supervisor), worker = Sleeps(mount.Worker);
        for (int i = 0; i < Requests; i++)
            Assert.False(File.Exists(mount.PathOf($"nothing-{i}")));
        Assert.InRange(Sleeps(mount.Worker) - worker, Requests / 2, long.MaxValue);
        Assert.InRange(Sleeps(mount.Supervisor) - before, 0, Requests / 20);
    }

    [MountFact]
    public void The_end_is_noticed_behind_a_worker_that_notices_nothing()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Recovery.Mounted.AwaitSupervisor(mount); // until then the process that primes is in the mount
        FuseServer.Signal(mount.Worker, Stop);
        // Somebody calls the supervisor more often than it looks for the end by itself.
        Fuse4fs.Device.MountEntry entry = Fuse4fs.Device.MountTable.Find(mount.MountPoint)!;
        using var curious = new Timer(_ => ControlSocket.TryCall(entry)?.Dispose(), null, dueTime: 0, period: 500);
        Command.Run("umount", "--lazy", mount.MountPoint).OrThrow();
        Assert.Equal(0, mount.WaitForEnd(seconds: 15));
    }

    [MountFact]
    public void SIGTERM_ends_it_at_once_behind_a_worker_that_notices_nothing()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Recovery.Mounted.AwaitSupervisor(mount);
        FuseServer.Signal(mount.Worker, Stop);
        FuseServer.Signal(mount.Supervisor, Terminate);
        Assert.Equal(0, mount.WaitForEnd(seconds: 3));
    }

    [MountFact]
    public void Umount_ends_it() => Ends(mount => WhenNotBusy(() => Command.Run("umount", mount.MountPoint)));

    [MountFact]
    public void Lazy_umount_ends_it() => Ends(mount => Command.Run("umount", "--lazy", mount.MountPoint).OrThrow());

    [MountFact("fusermount3")]
    public void Fusermount_ends_it() => Ends(mount => WhenNotBusy(() => Command.Run("fusermount3", "-u", mount.MountPoint)));

    [MountFact]
    public void Our_own_umount_ends_it() => Ends(mount => WhenNotBusy(() => FuseServer.Run("umount", mount.MountPoint)));

    [MountFact]
    public void Our_own_umount_ends_it_lazily() => Ends(mount => FuseServer.Run("umount", "--lazy", mount.MountPoint).OrThrow());

    [MountFact]
    public void SIGTERM_ends_it() => Ends(mount => FuseServer.Signal(mount.Supervisor, Terminate));

    [MountFact]
    public void SIGINT_ends_it() => Ends(mount => FuseServer.Signal(mount.Supervisor, Interrupt));

    [MountFact]
    public void Umount_with_wait_returns_when_the_image_is_closed()
    {
        using ImageCopy copy = Images.Copy("ext4");
        using LiveMount mount = LiveMount.Daemon(copy.ImagePath);
        FuseServer.Run("umount", "--wait", mount.MountPoint).OrThrow();
        // Nobody holds the lock any more, at once.
        using FileStream writer = new(copy.ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        mount.WaitForEnd(1);
    }

    [MountFact]
    public void A_busy_mount_is_not_unmounted_by_umount()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        using (FileStream file = File.OpenRead(mount.PathOf("hello.txt")))
        {
            Assert.NotEqual(0, Command.Run("umount", mount.MountPoint).ExitCode);
            CommandResult ours = FuseServer.Run("umount", mount.MountPoint);
            Assert.Equal(32, ours.ExitCode);
            Assert.Contains("busy", ours.Errors, StringComparison.OrdinalIgnoreCase);
            Assert.Equal('A', file.ReadByte());
        }
        Assert.True(mount.IsMounted);
    }

    [MountFact]
    public void A_lazily_unmounted_busy_mount_serves_until_the_last_user_is_gone()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        using (FileStream file = File.OpenRead(mount.PathOf("docs/size-300001")))
        {
            Command.Run("umount", "--lazy", mount.MountPoint).OrThrow();
            Assert.Equal(300001, file.Seek(0, SeekOrigin.End));
            file.Position = 200000;
            Assert.NotEqual(-1, file.ReadByte());
            Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
        }
        Assert.Equal(0, mount.WaitForEnd());
    }

    [MountTheory]
    [InlineData(Terminate)]
    [InlineData(Interrupt)]
    public void A_signal_unmounts_a_busy_mount_lazily_and_says_so(int signal)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        using (FileStream file = File.OpenRead(mount.PathOf("hello.txt")))
        {
            FuseServer.Signal(mount.Supervisor, signal);
            Deadline.In(5).WaitUntil(() => !mount.IsMounted, $"unmounted; the log: {mount.Log}");
            Deadline.In(5).WaitUntil(() => mount.Log.Contains("is busy; unmounted lazily", StringComparison.Ordinal), "the line in the log"); // it may come after the unmount
        }
        Assert.Equal(0, mount.WaitForEnd());
    }

    [MountFact]
    public void A_killed_supervisor_takes_the_worker_with_it()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        FuseServer.Signal(mount.Supervisor, Kill);
        Deadline.In(5).WaitUntil(() => !mount.Processes.Any(FuseServer.IsAlive), "both processes gone");
    }

    [MountFact]
    public void Two_mounts_of_one_image_live_side_by_side()
    {
        using LiveMount first = LiveMount.Foregrounded(Image), second = LiveMount.Daemon(Image);
        Assert.Equal(File.ReadAllBytes(first.PathOf("docs/guide.txt")), File.ReadAllBytes(second.PathOf("docs/guide.txt")));
        FuseServer.Run("umount", "--wait", first.MountPoint).OrThrow();
        Assert.Equal(0, first.WaitForEnd());
        Assert.True(File.Exists(second.PathOf("hello.txt")));
    }

    [MountFact]
    public void A_mounted_image_is_kept_from_writers()
    {
        using ImageCopy copy = Images.Copy("ext4");
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath);
        Assert.Throws<IOException>(() => new FileStream(copy.ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose());
    }

    [MountTheory]
    [InlineData("elsewhere")]
    [InlineData("same place")]
    public void A_mount_that_ended_takes_no_other_mount_with_it(string where)
    {
        using ScratchFolder folder = new();
        string other = folder.Folder("other");
        // The kernel gives a freed device number to the next mount, of whatever kind: it no longer means ours.
        for (int round = 0; round < 20; round++)
        {
            using LiveMount mount = LiveMount.Daemon(Image);
            string place = where == "elsewhere" ? other : mount.MountPoint;
            try
            {
                Command.Run("sh", "-c", $"umount '{mount.MountPoint}' && mount -t tmpfs none '{place}'").OrThrow();
                mount.WaitForEnd();
                Assert.Equal("tmpfs", MountTable.Find(place)?.Type);
            }
            finally
            {
                Command.Run("umount", place);
            }
        }
    }

    [MountFact]
    public void The_image_is_the_same_bytes_after_use()
    {
        using ImageCopy copy = Images.Copy("ext4");
        byte[] before = SHA256.HashData(File.ReadAllBytes(copy.ImagePath));
        using (LiveMount mount = LiveMount.Foregrounded(copy.ImagePath, "rw"))
        {
            _ = TestSupport.Trees.Tree.Read(mount.MountPoint);
            _ = Command.Run("touch", mount.PathOf("hello.txt"));
        }
        Assert.Equal(before, SHA256.HashData(File.ReadAllBytes(copy.ImagePath)));
    }

    /// <summary>A foreground mount answers before its command has finished priming it, and so is busy for a moment.</summary>
    // How often a process has waited for something: voluntary context switches, over all its threads.
    private static long Sleeps(int process) => Directory.GetDirectories($"/proc/{process}/task")
        .Sum(thread => long.Parse(File.ReadLines(Path.Combine(thread, "status")).First(line => line.StartsWith("voluntary", StringComparison.Ordinal)).Split(':')[1]));

    private static void WhenNotBusy(Func<CommandResult> unmount) =>
        Deadline.In(3).WaitUntil(() => unmount() is { ExitCode: 0 }, "unmounted");

    private static void Ends(Action<LiveMount> end)
    {
        using (LiveMount mount = LiveMount.Foregrounded(Image))
        {
            _ = File.ReadAllText(mount.PathOf("hello.txt"));
            end(mount);
            Assert.Equal(0, mount.WaitForEnd());
            Assert.Empty(Directory.EnumerateFileSystemEntries(mount.MountPoint));
        }
        using LiveMount daemon = LiveMount.Daemon(Image);
        end(daemon);
        daemon.WaitForEnd();
    }
}
