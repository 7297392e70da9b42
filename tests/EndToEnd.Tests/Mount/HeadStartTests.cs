using System.Globalization;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Supervisor and first worker of a mount in the background are started at once, by a shell.</summary>
public class HeadStartTests
{
    private const int Terminate = 15;
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void The_first_worker_does_not_wait_for_the_supervisors_runtime()
    {
        using LiveMount mount = LiveMount.Daemon(Image);
        // It was there before the supervisor's program was, which was told its pid; and it is the supervisor's child (LiveMount looks for no others).
        Assert.Equal(mount.Worker, StartedWith(mount.Supervisor));
        Recovery.Mounted.AwaitSupervisor(mount);
        FuseServer.Signal(mount.Worker, 9);
        Assert.Equal("A file in the root.\n", Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
    }

    [MountFact]
    public void The_first_worker_gets_no_more_of_the_callers_environment_and_files_than_later_ones()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount");
        Dictionary<string, string?> environment = new(FuseServer.Environment) { ["SECRET"] = "it's $HOME \"here\"", ["DOTNET_OF_OURS"] = "a 'b' $c\n\"d\"" };
        try
        {
            // 5 to 9 are numbers that are used on the way.
            Command.Run(30, environment, "sh", "-c", "exec \"$0\" mount \"$1\" \"$2\" 5<\"$1\" 6<\"$1\" 7<\"$1\" 8<\"$1\" 9<\"$1\"", FuseServer.Path, Image, mountPoint).OrThrow();
            int first = FuseServer.ProcessesOf(mountPoint).First(FuseServer.IsWorker);
            string[] variables = Variables(first);
            Assert.Contains("DOTNET_OF_OURS=a 'b' $c\n\"d\"", variables);
            string[] files = Files(first);
            FuseServer.Run("restart", mountPoint).OrThrow();
            int second = FuseServer.ProcessesOf(mountPoint).First(FuseServer.IsWorker);
            Assert.NotEqual(first, second);
            Assert.Equal(Variables(second).Order(StringComparer.Ordinal), variables.Order(StringComparer.Ordinal));
            Assert.DoesNotContain(variables, variable => variable.StartsWith("SECRET", StringComparison.Ordinal));
            Assert.Equal(Files(second), files);
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }
    }

    [MountFact]
    public void A_program_may_lie_anywhere()
    {
        using ScratchFolder folder = new();
        string place = folder.Folder("it's \"a\" $place; `here`");
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(FuseServer.Path)!).Where(file => Path.GetExtension(file) is ".dll" || Path.GetFileName(file).StartsWith("fuse4fs", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(place, Path.GetFileName(file)));
        string mountPoint = folder.Folder("mount 'here'");
        try
        {
            Command.Run(30, FuseServer.Environment, Path.Combine(place, "fuse4fs"), "mount", Image, mountPoint).OrThrow();
            Assert.True(File.Exists(Path.Combine(mountPoint, "hello.txt")));
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }
    }

    [MountTheory]
    [InlineData("")] // no shell
    [InlineData("sh")] // a shell, but no env(1)
    public void Where_a_shell_cannot_start_the_worker_the_supervisor_does(string tools)
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount");
        int supervisor = 0;
        try
        {
            // /bin is /usr/bin, and nothing else is in it.
            string bin = folder.Folder("bin");
            const string Script = "for tool in $3; do cp \"/usr/bin/$tool\" \"$4\"; done; mount --bind \"$4\" /usr/bin; PATH=/usr/bin exec \"$0\" mount \"$1\" \"$2\"";
            Command.Run(30, FuseServer.Environment, "unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", Script, FuseServer.Path, Image, mountPoint, tools, bin).OrThrow();
            supervisor = FuseServer.ProcessesOf(mountPoint)[0];
            Assert.Equal(tools, string.Join(' ', Directory.EnumerateFileSystemEntries($"/proc/{supervisor}/root/usr/bin").Select(Path.GetFileName)));
            Assert.NotEqual(StartedWith(supervisor), FuseServer.ProcessesOf(mountPoint).First(FuseServer.IsWorker));
            Assert.Equal("A file in the root.\n", File.ReadAllText($"/proc/{supervisor}/root{mountPoint}/hello.txt"));
        }
        finally
        {
            if (supervisor != 0)
            {
                FuseServer.Signal(supervisor, Terminate);
                Deadline.In(20).WaitUntil(() => !FuseServer.IsAlive(supervisor), "the supervisor has ended");
            }
        }
    }

    [MountFact]
    public void A_worker_whose_supervisor_refuses_the_mount_is_not_left_behind()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount");
        foreach (string[] wrong in (string[][])[["/nowhere/disk.img"], [Image, "no_such_option"]])
        {
            string[] options = wrong is [_, var option] ? ["-o", option] : [];
            CommandResult refused = Command.Run(30, new Dictionary<string, string?>(FuseServer.Environment) { ["DOTNET_OF_OURS"] = mountPoint }, [FuseServer.Path, "mount", wrong[0], mountPoint, .. options]);
            Assert.NotEqual(0, refused.ExitCode);
            Deadline.In(10).WaitUntil(() => !AllWorkers().Any(pid => Variables(pid).Contains("DOTNET_OF_OURS=" + mountPoint)), "its worker has ended");
        }
    }

    // Which worker a supervisor was told that it has.
    private static int StartedWith(int supervisor)
    {
        string[] arguments = File.ReadAllText($"/proc/{supervisor}/cmdline").Split('\0');
        return int.Parse(arguments[Array.IndexOf(arguments, "__supervisor") + 1], CultureInfo.InvariantCulture);
    }

    private static IEnumerable<int> AllWorkers() =>
        Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out int pid) ? pid : 0).Where(pid => pid != 0 && FuseServer.IsWorker(pid));

    private static string[] Variables(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return []; // it is gone
        }
    }

    // What kinds of files a process holds, but for those of the runtime.
    private static string[] Files(int process) =>
    [
        .. Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")
            .Where(target => !target.EndsWith(".dll", StringComparison.Ordinal)).Select(target => target.Split(':', '[')[0]).Order(StringComparer.Ordinal),
    ];
}
