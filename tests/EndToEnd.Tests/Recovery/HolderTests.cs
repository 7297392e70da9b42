using System.Diagnostics;
using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Who holds what has changed or gone stale is told by name, without a word to the mount.</summary>
public class HolderTests
{
    [MountFact("debugfs", "e2fsck")]
    public void Restart_names_stale_and_changed_files_and_who_holds_them()
    {
        using var mounted = new Mounted();
        Process stale = mounted.Hold("docs/numbers.txt");
        Process changed = mounted.Hold("README");
        Process steady = mounted.Hold("big");
        using Process inside = Command.Start(null, "sh", "-c", "cd \"$0\" && echo in && read go", mounted.MountPoint + "/pictures");
        Assert.Equal("in", inside.StandardOutput.ReadLine());
        string said = mounted.Tell("restart", "--exec",
            "debugfs -w -R 'clri /docs/numbers.txt' $IMAGE; debugfs -w -R 'clri /pictures' $IMAGE; debugfs -w -R 'set_inode_field /README mtime @7' $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]").OrThrow().Output;
        Assert.Matches($@"(?m)^stale: inode \d+ \(last known as {mounted.MountPoint}/docs/numbers\.txt, held by {stale.Id} sh as fd 3\)$", said);
        Assert.Matches($@"(?m)^stale: inode \d+ \(last known as {mounted.MountPoint}/pictures, held by {inside.Id} sh as cwd\)$", said);
        Assert.Matches($@"(?m)^changed: inode \d+ \(last known as {mounted.MountPoint}/README, held by {changed.Id} sh as fd 3\)$", said);
        Assert.DoesNotContain("/big", said, StringComparison.Ordinal);
        inside.StandardInput.WriteLine("go");
        foreach (Process holder in new[] { stale, changed, steady })
            _ = Mounted.Read(holder);
    }

    [MountFact("debugfs", "e2fsck")]
    public void A_long_list_is_cut_for_people_and_whole_for_programs()
    {
        using var mounted = new Mounted();
        using Process holder = Command.Start(null, "bash", "-c", "for n in {1..25}; do exec {fd}< \"$0\"; done; echo open; read go", mounted.MountPoint + "/docs/numbers.txt");
        Assert.Equal("open", holder.StandardOutput.ReadLine());
        string said = mounted.Tell("restart", "--exec", "debugfs -w -R 'clri /docs/numbers.txt' $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]").OrThrow().Output;
        Assert.Equal(20, said.Split('\n').Count(line => line.StartsWith("stale: ", StringComparison.Ordinal)));
        Assert.Contains("and 5 more", said, StringComparison.Ordinal);
        JsonElement[] holders = [.. mounted.Status.GetProperty("holders").EnumerateArray()];
        Assert.Equal(25, holders.Length);
        Assert.All(holders, one => Assert.Equal((holder.Id, "bash", "stale"), (one.GetProperty("process").GetInt32(), one.GetProperty("command").GetString(), one.GetProperty("verdict").GetString())));
        holder.StandardInput.WriteLine("go");
        holder.WaitForExit();
    }

    [MountFact]
    public void A_restart_of_an_image_that_nobody_wrote_says_so()
    {
        using var mounted = new Mounted();
        mounted.Tell("restart", "--fsck=-fn").OrThrow();
        string said = mounted.Tell("restart").OrThrow().Output;
        Assert.Contains("the image was not written", said, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(mounted.Tell("restart", "--json").OrThrow().Output);
        Assert.Equal("restarted", json.RootElement.GetProperty("message").GetString());
    }
}
