using System.Diagnostics;
using EndToEnd.Tests.Hostile;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>A worker that is stuck in one request, for its disk does not answer: <c>--watchdog</c> replaces it.</summary>
public class StuckWorkerTests
{
    private const string Large = "docs/size-300001";
    private const int BlockSize = 4096;
    private const int StalledBlock = 10;
    private static readonly string Image = Images.Get("ext4");

    [MountFact("dd")]
    public void The_watchdog_replaces_it_the_request_fails_and_the_others_go_on()
    {
        using BadDisk disk = new(Image);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath, "threads=2", 60, "--watchdog=1");
        Mounted.AwaitSupervisor(mount);
        int first = mount.Worker;
        disk.Stall(DataBlocks.Find(Image, Large, StalledBlock) * BlockSize, BlockSize);
        // Past the cache: one request, where reading ahead would make several of it.
        using Process stuck = Command.Start(null, "dd", "if=" + mount.PathOf(Large), "iflag=direct", "bs=4096", $"skip={StalledBlock}", "count=1", "status=none");
        try
        {
            Deadline.In(5).WaitUntil(() => disk.Waiting == 1, "a read waits");
            int others = 0;
            for (Deadline end = Deadline.In(20); !stuck.HasExited && !end.HasPassed; others++)
            {
                Assert.Equal("A file in the root.\n", Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
                MachineCaches.Drop(); // so that the next one is a request again
            }
            Assert.True(stuck.HasExited, "the stuck request is not answered");
            Assert.Contains("Input/output error", stuck.StandardError.ReadToEnd(), StringComparison.Ordinal);
            Assert.True(others > 1);
            Deadline.In(5).WaitUntil(() => mount.Log.Contains("at one request for 1 seconds", StringComparison.Ordinal), "the line in the log");
            Assert.False(FuseServer.IsAlive(first), "the first worker is still there");
        }
        finally
        {
            disk.Release();
            if (!stuck.HasExited)
                stuck.Kill();
        }
    }
}
