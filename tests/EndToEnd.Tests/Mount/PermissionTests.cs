using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Who may do what: as on the kernel's own mount of the image, for a user without privileges.</summary>
public class PermissionTests
{
    /// <summary>Tries everything on every file of a tree and prints one line a try; errors by their text.</summary>
    private const string Matrix = """
        cd "$1" || exit
        find . 2>&1 | sort | while IFS= read -r path; do
          if [ -f "$path" ]; then r=$(cat "$path" 2>&1 >/dev/null); echo "cat $path: ${r##*: }"; fi
          if [ -d "$path" ]; then
            r=$(ls "$path" 2>&1 >/dev/null); echo "ls $path: ${r##*: }"
            r=$(cd "$path" 2>&1); echo "cd $path: ${r##*: }"
            r=$(cat "$path/inside" 2>&1 >/dev/null); echo "cat $path/inside: ${r##*: }"
            r=$(cat "$path/readable" 2>&1 >/dev/null); echo "cat $path/readable: ${r##*: }"
          fi
          for access in r w x; do test -$access "$path"; echo "test -$access $path: $?"; done
          r=$(touch "$path" 2>&1); echo "touch $path: ${r##*: }"
        done
        """;

    [OracleTheory]
    [InlineData("modes")]
    [InlineData("acls")]
    public void An_unprivileged_user_may_do_what_the_kernels_ext4_lets_him(string recipe)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get(recipe));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get(recipe));
        string expected = Nobody.Run("sh", "-c", Matrix, "sh", kernel.MountPoint).OrThrow().Output;
        Assert.Contains("Permission denied", expected, StringComparison.Ordinal);
        Assert.Equal(expected, Nobody.Run("sh", "-c", Matrix, "sh", ours.MountPoint).OrThrow().Output);
    }

    [OracleTheory]
    [InlineData("modes")]
    [InlineData("acls")]
    public void Root_may_do_what_the_kernels_ext4_lets_it(string recipe)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get(recipe));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get(recipe));
        string expected = Command.Run("sh", "-c", Matrix, "sh", kernel.MountPoint).OrThrow().Output;
        Assert.Equal(expected, Command.Run("sh", "-c", Matrix, "sh", ours.MountPoint).OrThrow().Output);
    }

    [MountFact]
    public void Without_the_access_lists_the_modes_alone_decide()
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("acls"), "noacl");
        Assert.NotEqual(0, Nobody.Run("cat", mount.PathOf("allowed")).ExitCode);
        Assert.Equal(0, Nobody.Run("cat", mount.PathOf("denied")).ExitCode);
    }

    [MountFact]
    public void Others_are_kept_out_with_noallow_other()
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("ext4"), "noallow_other");
        Assert.Contains("Permission denied", Nobody.Run("cat", mount.PathOf("hello.txt")).Errors, StringComparison.Ordinal);
        Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
    }

    [UnprivilegedMountFact]
    public void A_user_without_privileges_mounts_through_fusermount3()
    {
        using UnprivilegedStage stage = new();
        string mounted = Path.Combine(stage.MountPoint, "hello.txt");
        Nobody.Run(stage.Program, "mount", stage.Image, stage.MountPoint).OrThrow();
        Assert.Equal("A file in the root.\n", Nobody.Run("cat", mounted).OrThrow().Output);
        MountEntry entry = MountTable.Find(stage.MountPoint)!;
        Assert.Equal(("fuse.fuse4fs", stage.Image + "/"), (entry.Type, entry.Source));
        Assert.Contains($"user_id={Nobody.Id}", entry.SuperOptions, StringComparison.Ordinal);
        Assert.NotEqual(0, Command.Run("cat", mounted).ExitCode); // root is not the owner, and allow_other is off
        IReadOnlyList<int> processes = FuseServer.ProcessesOf(stage.MountPoint);
        Nobody.Run(stage.Program, "umount", "--wait", stage.MountPoint).OrThrow();
        Assert.Null(MountTable.Find(stage.MountPoint));
        Deadline.In(5).WaitUntil(() => !processes.Any(FuseServer.IsAlive), "both processes gone");
    }

    [UnprivilegedMountFact]
    public void A_user_without_privileges_hears_why_allow_other_is_refused()
    {
        if (File.Exists("/etc/fuse.conf") && File.ReadLines("/etc/fuse.conf").Any(line => line.Trim() == "user_allow_other"))
            return; // allowed on this machine
        using UnprivilegedStage stage = new();
        CommandResult result = Nobody.Run(stage.Program, "mount", stage.Image, stage.MountPoint, "-o", "allow_other");
        Assert.Equal(32, result.ExitCode);
        Assert.Contains("user_allow_other", result.Errors, StringComparison.Ordinal);
        Assert.Null(MountTable.Find(stage.MountPoint));
    }
}
