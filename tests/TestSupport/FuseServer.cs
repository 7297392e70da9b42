using System.Text;

namespace TestSupport;

/// <summary>The program under test and its processes.</summary>
public static class FuseServer
{
    /// <summary>FUSE4FS names another build to test; otherwise the one built with the tests.</summary>
    public static string Path { get; } =
        System.Environment.GetEnvironmentVariable("FUSE4FS") ?? System.IO.Path.Combine(AppContext.BaseDirectory, "fuse4fs");

    /// <summary>A program host that lies beside the tests finds the runtime that runs the tests.</summary>
    public static IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>
    {
        ["DOTNET_ROOT"] = System.IO.Path.GetFullPath(System.IO.Path.Combine(
            System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")),
    };

    /// <summary>Runs the command to its end.</summary>
    public static CommandResult Run(params string[] arguments) => Command.Run(30, Environment, [Path, .. arguments]);

    /// <summary>Sends a signal to a process of ours.</summary>
    public static void Signal(int pid, int signal) => _ = Trees.Posix.Check("kill", Libc.Kill(pid, signal));

    /// <summary>The supervisor of a mount, known by the mount point in its command line, and the workers below it.</summary>
    public static IReadOnlyList<int> ProcessesOf(string mountPoint)
    {
        int[] supervisors = [.. All().Where(pid => !IsWorker(pid) && IsOurs(pid) && Arguments(pid).Contains(mountPoint))];
        return [.. supervisors, .. All().Where(pid => IsWorker(pid) && supervisors.Contains(ParentOf(pid)))];
    }

    public static bool IsWorker(int pid) => Arguments(pid).Contains("__worker");

    /// <summary>Neither gone nor a zombie that nobody has reaped yet.</summary>
    public static bool IsAlive(int pid) => Stat(pid) is string[] fields && fields[0] is not ("Z" or "X");

    private static bool IsOurs(int pid) => Arguments(pid).Any(argument => System.IO.Path.GetFileName(argument) is "fuse4fs" or "fuse4fs.dll");

    private static int ParentOf(int pid) => Stat(pid) is string[] fields ? int.Parse(fields[1], System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static IEnumerable<int> All() =>
        Directory.EnumerateDirectories("/proc").Select(folder => int.TryParse(System.IO.Path.GetFileName(folder), out int pid) ? pid : 0).Where(pid => pid != 0);

    private static string[] Arguments(int pid) => Read(pid, "cmdline")?.Split('\0') ?? [];

    /// <summary>The fields of /proc/N/stat behind the program's name: state, parent, …</summary>
    private static string[]? Stat(int pid) => Read(pid, "stat") is string text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}", Encoding.Latin1);
        }
        catch (IOException)
        {
            return null; // the process is gone
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
