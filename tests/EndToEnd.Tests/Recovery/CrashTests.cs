using System.Diagnostics;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>The worker dies; the mount does not.</summary>
public class CrashTests
{
    private const string Poem = "Some say the world will end in fire,\nSome say in ice.\n";

    [MountFact]
    public void Open_files_and_working_directories_outlive_the_worker()
    {
        using var mounted = new Mounted();
        Process file = mounted.Hold("docs/poems/fire");
        using Process folder = Command.Start(null, "sh", "-c", "cd \"$0\" && echo open && read go && cat numbers.txt", mounted.MountPoint + "/docs");
        Assert.Equal("open", folder.StandardOutput.ReadLine());
        int before = mounted.Worker;
        mounted.KillWorker();
        Assert.Equal(Poem, Mounted.Read(file).Output);
        Assert.StartsWith("1\n2\n3\n", Mounted.Read(folder).Output, StringComparison.Ordinal);
        Assert.NotEqual(before, mounted.Worker);
        Assert.Equal(1, mounted.Status.GetProperty("deaths").GetInt32());
    }

    [MountFact("debugfs")]
    public void A_poisonous_file_costs_itself_and_not_the_mount()
    {
        using ImageCopy probe = Images.Copy("sample");
        string inode = Command.Run("debugfs", "-R", "stat /docs/numbers.txt", probe.ImagePath).OrThrow().Output.Split("Inode: ")[1].Split(' ')[0];
        using Mounted mounted = MountedWithPoison(inode);
        Process steady = mounted.Hold("docs/poems/fire");
        CommandResult poison = mounted.Cat("docs/numbers.txt");
        Assert.Contains("Input/output error", poison.Errors, StringComparison.Ordinal);
        Assert.Equal(Poem, Mounted.Read(steady).Output);
        Assert.Equal("Serving", mounted.Phase);
        Deadline.In(5).WaitUntil(() => mounted.Mount.Log.Contains("has crashed two workers", StringComparison.Ordinal), "the line in the log"); // lines arrive after answers
    }

    [MountFact]
    public void Workers_that_die_without_an_answer_are_given_up_and_callers_told()
    {
        using var mounted = new Mounted(null, 60, "--max-restarts=1");
        mounted.KillWorker();
        Deadline.In(10).WaitUntil(() => mounted.Mount.Foreground.HasExited, "the supervisor has given up");
        Assert.Equal(32, mounted.Mount.Foreground.ExitCode);
        Assert.Contains("Transport endpoint is not connected", mounted.Cat("README").Errors, StringComparison.Ordinal);
        FuseServer.Run("umount", mounted.MountPoint).OrThrow();
        Assert.Equal(32, mounted.Mount.WaitForEnd());
    }

    [MountFact]
    public void On_crash_stop_ends_it_at_the_first_death()
    {
        using var mounted = new Mounted(null, 60, "--on-crash=stop");
        mounted.KillWorker();
        Deadline.In(10).WaitUntil(() => mounted.Mount.Foreground.HasExited, "the supervisor has ended");
        FuseServer.Run("umount", mounted.MountPoint).OrThrow();
        Assert.Equal(32, mounted.Mount.WaitForEnd());
    }

    [MountFact]
    public void A_killed_supervisor_leaves_callers_with_an_error_and_the_place_to_a_new_mount()
    {
        using var mounted = new Mounted();
        Process holder = mounted.Hold("big");
        mounted.Mount.Foreground.Kill();
        // Each time another name: what the worker answers in its last moments is cached, and needs nobody from then on.
        int asked = 0;
        Deadline.In(5).WaitUntil(() => mounted.Cat($"nothing-{asked++}").Errors.Contains("not connected", StringComparison.Ordinal), "callers are told");
        _ = Mounted.Read(holder);
        FuseServer.Run("umount", "--lazy", mounted.MountPoint).OrThrow();
        FuseServer.Run("mount", mounted.Image, mounted.MountPoint).OrThrow();
        Assert.Equal(Poem, mounted.Cat("docs/poems/fire").Output);
        FuseServer.Run("umount", "--wait", mounted.MountPoint).OrThrow();
        _ = mounted.Mount.WaitForEnd();
    }

    [MountFact]
    public void A_worker_is_contained()
    {
        using var mounted = new Mounted();
        _ = mounted.Cat("README");
        int worker = mounted.Worker;
        Dictionary<string, string> status = File.ReadLines($"/proc/{worker}/status").Select(line => line.Split(":\t")).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal("1", status["NoNewPrivs"]);
        Assert.Equal("2", status["Seccomp"]);
        Assert.Equal("0000000000000000", status["CapEff"]);
        Assert.StartsWith("65534\t65534\t65534\t65534", status["Uid"], StringComparison.Ordinal);
        Assert.EndsWith(" (deleted)", new FileInfo($"/proc/{worker}/root").LinkTarget, StringComparison.Ordinal); // nothing is in it, and nothing can come into it
        // Besides the runtime's own files and pipes: one device, one image, one state, two ends of sockets and pipes to the supervisor.
        string[] open = [.. Directory.EnumerateFiles($"/proc/{worker}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];
        Assert.Single(open, "/dev/fuse");
        Assert.Single(open, mounted.Image);
        Assert.Single(open, target => target.StartsWith("socket:", StringComparison.Ordinal));
    }

    private static Mounted MountedWithPoison(string inode) => Mounted.Switched("FUSE4FS_TEST_CRASH_INODE", inode, () => new Mounted());
}
