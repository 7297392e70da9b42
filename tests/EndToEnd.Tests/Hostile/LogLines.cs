using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Hostile;

/// <summary>Lines of a foreground mount's log, which come a little later than what they are about.</summary>
internal static class LogLines
{
    /// <summary>Waits for that many lines with some words, ends the mount so that no more can come, and counts.</summary>
    public static void AreExactly(int count, LiveMount mount, string words)
    {
        _ = Deadline.In(3).TryWaitUntil(() => Count(mount, words) >= count);
        Command.Run(5, null, "umount", mount.MountPoint).OrThrow();
        Assert.Equal(0, mount.WaitForEnd());
        Assert.True(Count(mount, words) == count, $"not {count} lines with '{words}' in the log: {mount.Log}");
    }

    private static int Count(LiveMount mount, string words) => mount.Log.Split('\n').Count(line => line.Contains(words, StringComparison.Ordinal));
}
