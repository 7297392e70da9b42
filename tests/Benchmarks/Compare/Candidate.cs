using System.Text;
using TestSupport;

namespace Benchmarks.Compare;

/// <summary>Something that can mount an image.</summary>
/// <param name="Name">Its column.</param>
/// <param name="What">What it is, for the report.</param>
/// <param name="Command">The command that mounts an image on a folder.</param>
internal sealed record Candidate(string Name, string What, Func<string, string, string[]> Command)
{
    /// <summary>The column of fuse4fs itself, to which all others are compared.</summary>
    public const string Ours = "fuse4fs";

    /// <summary>The column of the kernel's ext4: its answers are the right ones.</summary>
    public const string Kernel = "kernel";

    /// <summary>The column of the server that answers from a tape.</summary>
    public const string Floor = "floor";

    /// <summary>The command stays as long as the mount does.</summary>
    public bool StaysInForeground { get; init; }

    /// <summary>The one image that it can mount; null for any.</summary>
    public string? OnlyImage { get; init; }

    /// <summary>Why it cannot be measured here; null if it can.</summary>
    public string? Absent { get; init; }

    /// <summary>Everybody, present or not, the kernel first.</summary>
    public static Candidate[] All()
    {
        string? foreign = ForeignFuse4fs();
        return
        [
            new(Kernel, "its own ext4, on a loop device", (image, mount) => ["mount", "-t", "ext4", "-o", "loop,ro", image, mount])
            {
                Absent = Requirement.LoopDevice ?? Requirement.KernelExt4,
            },
            Fuse4fs(),
            new(Floor, "the same requests answered from memory, by Fuse4fs.Device and as many threads; mount: .NET started twice",
                (image, mount) => [Path.Combine(AppContext.BaseDirectory, "Benchmarks"), "floor", image, mount, TapeOf(image)])
            {
                StaysInForeground = true,
                OnlyImage = BenchmarkImages.Tree,
            },
            Of("fuse2fs", Find("fuse2fs"), "-o", "ro"),
            Of("fuse4fs (e2fsprogs)", foreign, "-o", "ro"),
            Of("ext4fuse", Find("ext4fuse")),
        ];
    }

    /// <summary>The build that is measured.</summary>
    public static Candidate Fuse4fs() =>
        new(Ours, FuseServer.Path.StartsWith(Repository.Root, StringComparison.Ordinal) ? "built from this tree" : $"{FuseServer.Path}, {Version(FuseServer.Path, "--version")}", (image, mount) => [FuseServer.Path, "mount", image, mount]);

    private static Candidate Of(string name, string? program, params string[] options) =>
        new(name, program is null ? "" : Version(program, "-V"), (image, mount) => [program!, image, mount, .. options]) { Absent = program is null ? "not on PATH" : null };

    private static string TapeOf(string image) => Path.ChangeExtension(image, ".tape");

    private static string? Find(string program) => TestSupport.Command.Find(program);

    // Some name the versions of their libraries, too, in whatever order.
    private static string Version(string program, string option)
    {
        CommandResult result = TestSupport.Command.Run(10, FuseServer.Environment, program, option);
        string[] lines = [.. (result.Output + result.Errors).Split('\n').Where(line => line.Length != 0)];
        return lines.FirstOrDefault(line => line.StartsWith(Path.GetFileName(program), StringComparison.Ordinal)) ?? lines.FirstOrDefault() ?? "no version";
    }

    // e2fsprogs has a program of our name. Theirs is linked with its library.
    private static string? ForeignFuse4fs() =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Select(folder => Path.Combine(folder, "fuse4fs"))
            .FirstOrDefault(path => File.Exists(path) && File.ReadAllBytes(path).AsSpan().IndexOf(Encoding.ASCII.GetBytes("libext2fs.so")) >= 0);
}
