using System.Diagnostics;
using EndToEnd.Tests.Hostile;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>While no worker runs requests wait; whoever waits for one can be killed all the same, and nobody else has to wait at all.</summary>
public sealed class KillabilityTests : IDisposable
{
    private const int Seconds = 5;
    private static readonly string Image = Images.Get("ext4");
    private readonly List<Process> _waiters = [];

    [MountFact]
    public void Who_waits_for_a_request_that_nobody_has_taken_can_be_killed()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Mounted.AwaitSupervisor(mount);
        StartWaiters(mount);
        FuseServer.Run("pause", mount.MountPoint, "--kill").OrThrow();
        LetThemAsk();
        Thread.Sleep(500);
        KillAll();
        FuseServer.Run("resume", mount.MountPoint).OrThrow();
        Assert.Equal("A file in the root.\n", Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
    }

    [MountFact]
    public void Who_waits_for_a_request_that_the_dead_worker_had_taken_can_be_killed()
    {
        using BadDisk disk = new(Image);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath, "threads=4");
        Mounted.AwaitSupervisor(mount);
        StartWaiters(mount);
        disk.Stall(0, long.MaxValue);
        try
        {
            LetThemAsk();
            Deadline.In(5).WaitUntil(() => disk.Waiting == _waiters.Count, "each of them is in the worker's hands");
            FuseServer.Run("pause", mount.MountPoint, "--kill").OrThrow();
            KillAll();
        }
        finally
        {
            disk.Release();
        }
        FuseServer.Run("resume", mount.MountPoint).OrThrow();
        Assert.Equal("A file in the root.\n", Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
    }

    [MountFact]
    public void A_process_with_an_open_file_ends_at_once()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Mounted.AwaitSupervisor(mount);
        Process holder = Start("sh", "-c", "exec 3< \"$0\"; echo open; read go", mount.PathOf("hello.txt")); // the first that closes a file of this mount
        Assert.Equal("open", holder.StandardOutput.ReadLine());
        FuseServer.Run("pause", mount.MountPoint, "--kill").OrThrow();
        Mounted.Tell(holder);
        Assert.True(holder.WaitForExit(TimeSpan.FromSeconds(Seconds)), "waits for somebody to answer its FLUSH");
        FuseServer.Run("resume", mount.MountPoint).OrThrow();
    }

    [MountFact]
    public void Unmounting_says_at_once_that_it_is_busy_and_lazily_works_at_once()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Mounted.AwaitSupervisor(mount);
        FuseServer.Run("pause", mount.MountPoint, "--kill").OrThrow();
        Process waiter = Start("cat", mount.PathOf("hello.txt"));
        Thread.Sleep(500);
        Assert.False(waiter.HasExited);
        Deadline clock = Deadline.In(Seconds);
        Assert.Contains("busy", FuseServer.Run("umount", mount.MountPoint).Errors, StringComparison.Ordinal);
        FuseServer.Run("umount", "--lazy", mount.MountPoint).OrThrow();
        waiter.Kill();
        Assert.True(waiter.WaitForExit(clock.Remaining));
        Assert.Equal(0, mount.WaitForEnd());
        Assert.False(clock.HasPassed);
    }

    [MountFact]
    public void The_end_of_the_supervisor_frees_who_waits_for_a_worker()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Mounted.AwaitSupervisor(mount);
        FuseServer.Run("pause", mount.MountPoint, "--kill").OrThrow();
        Process waiter = Start("cat", mount.PathOf("hello.txt"));
        Thread.Sleep(500);
        Assert.False(waiter.HasExited);
        mount.Foreground.Kill();
        Assert.True(waiter.WaitForExit(TimeSpan.FromSeconds(Seconds)));
        Assert.Matches("Transport endpoint is not connected|Software caused connection abort", waiter.StandardError.ReadToEnd());
        FuseServer.Run("umount", mount.MountPoint).OrThrow();
        _ = mount.WaitForEnd();
    }

    public void Dispose()
    {
        foreach (Process waiter in _waiters)
        {
            if (!waiter.HasExited)
                waiter.Kill();
            waiter.Dispose();
        }
    }

    // Each for something that neither the kernel nor the worker has in its caches.
    private void StartWaiters(LiveMount mount)
    {
        Start("sh", "-c", "cd \"$0\" && echo open; read go; exec stat nothing", mount.PathOf("empty"));
        Start("sh", "-c", "cd \"$0\" && echo open; read go; exec ls", mount.PathOf("docs/deep/deeper"));
        Start("sh", "-c", "exec 3< \"$0\"; echo open; read go; exec cat <&3", mount.PathOf("docs/size-65536"));
        Start(Program.Command(Program.Touch, mount.PathOf("docs/size-300001")));
        foreach (Process waiter in _waiters)
            Assert.Equal("open", waiter.StandardOutput.ReadLine());
    }

    private void LetThemAsk() => _waiters.ForEach(Mounted.Tell);

    private void KillAll()
    {
        Assert.All(_waiters, waiter => Assert.False(waiter.HasExited, $"{waiter.StartInfo.FileName} has not waited"));
        _waiters.ForEach(waiter => waiter.Kill());
        Deadline end = Deadline.In(Seconds);
        Assert.All(_waiters, waiter => Assert.True(waiter.WaitForExit(end.Remaining), $"{string.Join(' ', waiter.StartInfo.ArgumentList)} cannot be killed"));
    }

    private Process Start(params string[] command)
    {
        Process process = Command.Start(null, command);
        _waiters.Add(process);
        return process;
    }
}
