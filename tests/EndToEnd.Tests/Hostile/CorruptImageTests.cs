using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Hostile;

/// <summary>Every image of images/corrupt: what its recipe expects is answered, soon, in little memory, and the rest is served.</summary>
public class CorruptImageTests
{
    private const int MountFailure = 32;
    private const double Longest = 5;
    private const int MostMebibytes = 256;

    public static TheoryData<string> Served => [.. Images.CorruptNames.Where(name => !IsRefused(name))];

    public static TheoryData<string> Refused => [.. Images.CorruptNames.Where(IsRefused)];

    [MountTheory]
    [MemberData(nameof(Served))]
    public void A_broken_object_answers_its_error_and_hurts_no_other(string name)
    {
        string image = Images.Get(name);
        using LiveMount mount = LiveMount.Foregrounded(image);
        Walk walk = null!;
        Deadline.In(Longest).Run(() => walk = Walk.Of(mount.MountPoint), $"walked: {name}; the log: {mount.Log}");
        Deadline.In(Longest).Run(() => Posix.Filesystem(Posix.FromNet(mount.MountPoint)), $"told how much is free: {name}");
        Assert.True(walk.Paths > 2, $"only {walk.Paths} paths");
        string[][] expected = [.. Images.Expectations(name)];
        foreach (string[] rule in expected)
            Assert.True(walk.Errors.TryGetValue(rule[1], out string? error) && (rule[0] == error || rule[0] == "any"), $"{rule[1]} gave {error ?? "no error"}; the log: {mount.Log}");
        Assert.Empty(walk.Errors.Keys.Except(expected.Select(rule => rule[1])));
        Assert.InRange(Memory.PeakOf(mount), 1, MostMebibytes);
        Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
    }

    [MountTheory]
    [MemberData(nameof(Served))]
    public void Each_broken_object_has_one_line_in_the_log(string name)
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get(name));
        for (int times = 0; times < 3; times++)
            Deadline.In(Longest).Run(() => Walk.Of(mount.MountPoint), "walked");
        LogLines.AreExactly(Images.Expectations(name).Count(rule => rule[0] != "any"), mount, "inode ");
        Assert.DoesNotContain("please report", mount.Log, StringComparison.Ordinal);
    }

    [MountTheory]
    [MemberData(nameof(Refused))]
    public void What_cannot_be_served_at_all_is_refused(string name)
    {
        string image = Images.Get(name);
        using ScratchFolder folder = new();
        CommandResult result = Command.Run(Longest, FuseServer.Environment, FuseServer.Path, "mount", image, folder.Folder("mount"));
        Assert.True(result.ExitCode == MountFailure, result.ToString());
        Assert.Contains(image, result.Errors, StringComparison.Ordinal);
    }

    private static bool IsRefused(string name) => Images.Expectations(name).Any(rule => rule[0] == "refused");
}
