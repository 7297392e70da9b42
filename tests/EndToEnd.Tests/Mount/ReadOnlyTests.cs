using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Everything that would write is told that the filesystem is read-only, whether the mount was asked for as ro or rw.</summary>
public class ReadOnlyTests
{
    [MountTheory]
    [InlineData("ro")]
    [InlineData("rw")]
    public void Whatever_writes_gets_EROFS(string option)
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("ext4"), option);
        string file = mount.PathOf("hello.txt"), fresh = mount.PathOf("new"), folder = mount.PathOf("empty");
        string[][] commands =
        [
            ["touch", file], ["touch", fresh], ["mkdir", fresh], ["rmdir", folder], ["rm", "-f", file], ["mv", file, fresh],
            ["ln", file, fresh], ["ln", "-s", "x", fresh], ["mknod", fresh, "p"], ["chmod", "777", file], ["chown", "5", file], ["chgrp", "5", folder],
            ["truncate", "-s", "3", file], ["fallocate", "-l", "3", file], ["dd", "if=/dev/null", $"of={file}", "conv=notrunc"],
            ["setfattr", "-n", "user.x", "-v", "y", file], ["setfattr", "-x", "user.comment", mount.PathOf("docs/guide.txt")], ["chattr", "+i", file],
        ];
        Assert.All(commands, command =>
        {
            if (Command.Find(command[0]) is null)
                return; // attr may be missing
            CommandResult result = Command.Run(command);
            Assert.True(result.ExitCode != 0 && result.Errors.Contains("Read-only file system", StringComparison.Ordinal), result.ToString());
        });
        Assert.Equal("A file in the root.\n", File.ReadAllText(file));
    }
}
