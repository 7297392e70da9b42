using System.Diagnostics;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Names come and go while no worker runs, also where the directory's inode does not tell.</summary>
public class ChangedNamesTests
{
    private const string Names = "for name in gone swapped kept; do ln steady names/$name; done";

    [OracleFact]
    public void Names_changed_without_a_trace_in_any_inode_are_seen()
    {
        using Mounted mounted = Populated(Names);
        using OpenDescriptor held = Posix.Open(mounted.PathOf("names"));
        Assert.Equal(["gone", "kept", "swapped"], Listed(held));
        Assert.Equal(OwnText.Of("steady"), mounted.Cat("names/gone").OrThrow().Output);
        Assert.Equal(OwnText.Of("steady"), mounted.Cat("names/swapped").OrThrow().Output);
        foreach (string name in (string[])["names/fresh", "fresh"])
            Assert.Contains("No such file", mounted.Cat(name).Errors, StringComparison.Ordinal); // the absence is cached
        Process inNames = mounted.WorkIn("names", "cat gone; cat fresh | head -c 6; cat kept | head -c 6");

        mounted.Tell("pause", "--kill").OrThrow();
        string[] inodes = Inodes(mounted);
        mounted.Debugfs("unlink /names/gone", "unlink /names/swapped", "link /other /names/swapped", "link /steady /names/fresh", "link /steady /fresh");
        Assert.Equal(inodes, Inodes(mounted));
        mounted.Tell("resume").OrThrow();

        Assert.Contains("No such file", mounted.Cat("names/gone").Errors, StringComparison.Ordinal);
        Assert.Equal(OwnText.Of("other"), mounted.Cat("names/swapped").OrThrow().Output);
        Assert.Equal(OwnText.Of("steady"), mounted.Cat("names/fresh").OrThrow().Output);
        Assert.Equal(OwnText.Of("steady"), mounted.Cat("fresh").OrThrow().Output);
        held.Seek(0, 0);
        Assert.Equal(["fresh", "kept", "swapped"], Listed(held));
        CommandResult said = Mounted.Read(inNames);
        Assert.Equal("steadysteady", said.Output);
        Assert.Contains("gone: No such file", said.Errors, StringComparison.Ordinal);
    }

    [OracleFact]
    public void A_name_that_e2fsck_removes_is_gone_for_who_works_beside_it()
    {
        using Mounted mounted = Populated("own victim > names/victim; own kept > names/kept");
        using OpenDescriptor held = Posix.Open(mounted.PathOf("names"));
        Assert.Equal(["kept", "victim"], Listed(held));
        Process inNames = mounted.WorkIn("names", "ls; cat victim; cat kept | head -c 4");
        Assert.Equal(OwnText.Of("victim"), mounted.Cat("names/victim").OrThrow().Output);
        _ = mounted.Tell("restart", "--exec", "debugfs -w -R 'clri /names/victim' $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]").OrThrow();
        held.Seek(0, 0);
        Assert.Equal(["kept"], Listed(held));
        CommandResult said = Mounted.Read(inNames);
        Assert.Equal("kept\nkept", said.Output);
        Assert.Contains("No such file", said.Errors, StringComparison.Ordinal);
    }

    private static string[] Listed(OpenDescriptor folder) => [.. folder.List().Select(entry => entry.Name).Where(name => name is not ("." or "..")).Order(StringComparer.Ordinal)];

    private static string[] Inodes(Mounted mounted) =>
        [.. ((string[])["/", "/names", "/steady", "/other"]).Select(path => Command.Run("debugfs", "-R", "inode_dump " + path, mounted.Image).OrThrow().Output)];

    private static Mounted Populated(string script)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, OwnText.Function + "mkdir names; own steady > steady; own other > other\n" + script);
        image.Debugfs(ChangedInPlaceTests.BeyondDoubt("/names"));
        return new Mounted(image);
    }
}
