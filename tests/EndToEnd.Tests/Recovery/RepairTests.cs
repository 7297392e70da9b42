using System.Diagnostics;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>The image is repaired, changed, exchanged or away between two workers.</summary>
public class RepairTests
{
    private const string Poem = "Some say the world will end in fire,\nSome say in ice.\n";

    [MountFact("debugfs", "e2fsck")]
    public void What_e2fsck_removes_is_stale_and_the_rest_goes_on()
    {
        using var mounted = new Mounted();
        Process victim = mounted.Hold("docs/numbers.txt");
        Process steady = mounted.Hold("docs/poems/fire");
        CommandResult said = mounted.Tell("restart", "--exec", "debugfs -w -R 'clri /docs/numbers.txt' $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]").OrThrow();
        Assert.Contains("1 stale", said.Output, StringComparison.Ordinal);
        Assert.Contains("Pass 5", said.Output, StringComparison.Ordinal);
        CommandResult read = Mounted.Read(victim);
        Assert.Equal("", read.Output);
        Assert.Contains("Stale file handle", read.Errors, StringComparison.Ordinal);
        Assert.Equal(Poem, Mounted.Read(steady).Output);
        Assert.Contains("No such file", mounted.Cat("docs/numbers.txt").Errors, StringComparison.Ordinal);
    }

    [MountFact("debugfs", "e2fsck")]
    public void Restart_with_fsck_repairs_and_serves_what_is_left()
    {
        using var mounted = new Mounted();
        _ = mounted.Cat("docs/numbers.txt");
        mounted.Tell("pause").OrThrow();
        mounted.Debugfs("clri /docs/numbers.txt");
        CommandResult said = mounted.Tell("restart", "--fsck=-fy").OrThrow();
        Assert.Contains("docs", said.Output, StringComparison.Ordinal);
        Assert.Equal(Poem, mounted.Cat("docs/poems/fire").Output);
        Assert.Equal("Serving", mounted.Phase);
    }

    [MountFact("debugfs", "e2fsck")]
    public void What_e2fsck_could_not_repair_is_not_served_again()
    {
        using var mounted = new Mounted();
        mounted.Tell("pause").OrThrow();
        mounted.Debugfs("clri /docs/numbers.txt");
        CommandResult said = mounted.Tell("restart", "--fsck=-fn");
        Assert.Equal(32, said.ExitCode);
        Assert.Contains("uncorrected", said.Errors, StringComparison.Ordinal);
        Assert.Equal("Paused", mounted.Phase);
    }

    [OracleFact("losetup")]
    public void An_inode_number_that_another_mount_reused_is_never_the_old_file()
    {
        using var mounted = new Mounted();
        Process held = mounted.Hold("big");
        long inode = long.Parse(Command.Run("stat", "-c", "%i", mounted.MountPoint + "/big").OrThrow().Output);
        Assert.Contains("No such file", mounted.Cat("reborn").Errors, StringComparison.Ordinal); // the absence is cached
        mounted.Tell("pause", "--kill").OrThrow();
        using var folder = new ScratchFolder();
        Command.Run("mount", "-o", "loop", mounted.Image, folder.Folder("kernel")).OrThrow();
        try
        {
            Command.Run("sh", "-c", "cd \"$0\" && rm big && echo somebody else > reborn && sync", folder.Folder("kernel")).OrThrow();
            long reused = long.Parse(Command.Run("stat", "-c", "%i", folder.Folder("kernel") + "/reborn").OrThrow().Output);
            Assert.Equal(inode, reused);
        }
        finally
        {
            Command.Run("umount", folder.Folder("kernel")).OrThrow();
        }
        mounted.Tell("resume").OrThrow();
        CommandResult read = Mounted.Read(held);
        Assert.DoesNotContain("somebody", read.Output, StringComparison.Ordinal);
        Assert.Contains("Stale file handle", read.Errors, StringComparison.Ordinal);
        Assert.Equal("somebody else\n", mounted.Cat("reborn").Output);
        Assert.Contains("No such file", mounted.Cat("big").Errors, StringComparison.Ordinal);
    }

    [MountFact("tune2fs")]
    public void Another_filesystem_in_its_place_is_not_served()
    {
        using var mounted = new Mounted();
        Process held = mounted.Hold("docs/poems/fire");
        mounted.Tell("pause").OrThrow();
        File.Move(mounted.Image, mounted.Image + ".away");
        File.Copy(Images.Get("ext4"), mounted.Image);
        mounted.Tell("resume").OrThrow();
        Assert.Equal("Waiting", mounted.Phase);
        Assert.Contains("is mounted", mounted.Status.GetProperty("reason").GetString(), StringComparison.Ordinal);
        File.Move(mounted.Image + ".away", mounted.Image, overwrite: true);
        Assert.Equal(Poem, Mounted.Read(held).Output);
    }

    [MountFact]
    public void A_missing_image_is_waited_for()
    {
        using var mounted = new Mounted();
        Process held = mounted.Hold("docs/poems/fire");
        mounted.Tell("pause").OrThrow();
        File.Move(mounted.Image, mounted.Image + ".away");
        Assert.Contains("waiting for " + mounted.Image, mounted.Tell("resume").OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal("Waiting", mounted.Phase);
        File.Move(mounted.Image + ".away", mounted.Image);
        Assert.Equal(Poem, Mounted.Read(held).Output);
    }

    [MountFact]
    public void While_paused_waiting_processes_can_be_killed_and_the_image_is_free()
    {
        using var mounted = new Mounted();
        mounted.Tell("pause", "--kill").OrThrow();
        using Process waiter = Command.Start(null, "cat", mounted.MountPoint + "/README");
        Thread.Sleep(300);
        Assert.False(waiter.HasExited);
        using (new FileStream(mounted.Image, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            // .NET takes an exclusive flock for FileShare.None: nobody holds the shared one.
        }
        waiter.Kill();
        Assert.True(waiter.WaitForExit(5000));
        Assert.Equal("Paused", mounted.Phase);
        mounted.Tell("resume").OrThrow();
        Assert.Equal(Poem, mounted.Cat("docs/poems/fire").Output);
    }

    [MountFact]
    public void Unmounting_works_while_no_worker_runs()
    {
        using var mounted = new Mounted();
        mounted.Tell("pause", "--kill").OrThrow();
        FuseServer.Run("umount", "--wait", mounted.MountPoint).OrThrow();
        Assert.Equal(0, mounted.Mount.WaitForEnd());
    }

    [MountFact]
    public void An_untouched_image_keeps_every_cache_warm()
    {
        using var mounted = new Mounted();
        _ = Command.Run("find", mounted.MountPoint, "-printf", "%s %T@").OrThrow();
        _ = mounted.Cat("big");
        mounted.Tell("restart").OrThrow();
        string before = mounted.Requests();
        _ = Command.Run("find", mounted.MountPoint, "-printf", "%s %T@").OrThrow();
        _ = mounted.Cat("big");
        Assert.Equal(before, mounted.Requests());
        mounted.Tell("restart", "--drop-caches").OrThrow();
        _ = mounted.Cat("big");
        Assert.NotEqual(before, mounted.Requests());
    }
}
