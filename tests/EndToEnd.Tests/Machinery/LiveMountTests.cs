using System.Diagnostics;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Machinery;

/// <summary>A mount that hangs must not hang the tests.</summary>
public class LiveMountTests
{
    private const int Stop = 19;

    [MountFact]
    public void A_hanging_mount_is_aborted_at_its_limit_and_cleared_away()
    {
        string mountPoint;
        IReadOnlyList<int> processes;
        Stopwatch clock = Stopwatch.StartNew();
        using (LiveMount mount = LiveMount.Foregrounded(Images.Get("ext4"), limitSeconds: 3))
        {
            mountPoint = mount.MountPoint;
            processes = mount.Processes;
            Assert.Equal(2, processes.Count);
            Assert.All(processes, process => FuseServer.Signal(process, Stop));
            Assert.ThrowsAny<IOException>(() => File.ReadAllText(mount.PathOf("docs/size-65536"))); // nobody answers: hangs until aborted
        }
        Assert.InRange(clock.Elapsed.TotalSeconds, 2.5, 15);
        Assert.Null(MountTable.Find(mountPoint));
        Assert.False(Directory.Exists(mountPoint));
        Assert.DoesNotContain(processes, FuseServer.IsAlive);
    }

    [Fact]
    public void A_command_that_does_not_end_is_killed_at_its_deadline()
    {
        Stopwatch clock = Stopwatch.StartNew();
        Assert.Throws<TimeoutException>(() => Command.Run(1, null, "sleep", "30"));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 10);
    }

    [MountFact]
    public void A_command_whose_daemon_keeps_its_output_is_noticed() =>
        Assert.Throws<TimeoutException>(() => Command.Run("sh", "-c", "sleep 7 & exit 0"));
}
