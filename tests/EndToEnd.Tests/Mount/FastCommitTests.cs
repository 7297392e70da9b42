using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Fast commits that the kernel wrote, replayed by us in memory and by the kernel on a copy: the same names, inodes and contents.</summary>
public class FastCommitTests
{
    // Left as a power cut leaves it: every change is in a fast commit, because fsync asked for it and nothing asked for more.
    private const string Work = """
        set -e; cd "$0"
        head -c 130 /dev/urandom > grown; sync grown
        head -c 20 /dev/urandom > small/b; sync small/b
        head -c 70000 /dev/urandom > d/medium; sync d/medium
        dd if=/dev/urandom of=big bs=4096 seek=90 count=40 conv=notrunc status=none; sync big
        fallocate -p -o 8192 -l 40960 big; sync big
        mv d/3 small/moved; sync small/moved
        rm d/5 small/a; echo y > d/last; sync d/last
        head -c 5000 /dev/urandom >> grown; sync grown
        ln d/7 small/link; sync small/link
        """;

    private const string Before = """
        set -e; cd "$0"; mkdir d small; for number in $(seq 30); do echo "old $number" > d/$number; done
        echo a > small/a; head -c 300000 /dev/urandom > big; sync -f .; echo x > d/first; sync d/first
        """;

    private const string Snapshot = "cd \"$0\"; find . -printf '%P %y %m %s %n %i %b\\n' | sort; find . -type f | sort | xargs md5sum";

    [OracleTheory]
    [InlineData("extent")]
    [InlineData("inline_data")]
    [InlineData("bigalloc")]
    public void What_the_kernel_replays_is_what_we_show(string feature)
    {
        using ScratchFolder folder = new();
        string image = $"{folder.Path}/image", dirty = $"{folder.Path}/dirty", recovered = $"{folder.Path}/recovered", place = folder.Folder("kernel");
        Command.Run("mke2fs", "-q", "-F", "-t", "ext4", "-O", $"fast_commit,{feature}", "-J", "size=8", image, "64M").OrThrow();
        Mounted(image, place, () =>
        {
            Shell(Before, place);
            Shell(Work, place);
            Command.Run("cp", "--sparse=always", image, dirty).OrThrow();
        });
        Command.Run("cp", "--sparse=always", dirty, recovered).OrThrow();
        string expected = "";
        Mounted(recovered, place, () => expected = Shell(Snapshot, place));
        using LiveMount ours = LiveMount.Foregrounded(dirty);
        Assert.Contains("small/link", expected, StringComparison.Ordinal);
        Assert.Equal(expected, Shell(Snapshot, ours.MountPoint));
        using LiveMount unreplayed = LiveMount.Foregrounded(dirty, "norecovery");
        Assert.DoesNotContain("small/link", Shell(Snapshot, unreplayed.MountPoint), StringComparison.Ordinal);
    }

    private static void Mounted(string image, string place, Action action)
    {
        Command.Run("mount", "-t", "ext4", "-o", "loop", image, place).OrThrow();
        try
        {
            action();
        }
        finally
        {
            Command.Run("umount", place).OrThrow();
        }
    }

    private static string Shell(string script, string folder) => Command.Run("sh", "-c", script, folder).OrThrow().Output;
}
