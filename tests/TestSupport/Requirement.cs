using System.Reflection.PortableExecutable;

namespace TestSupport;

/// <summary>What a machine must have for a test: null when it is there, otherwise the reason to skip.</summary>
public static class Requirement
{
    public static string? Tool(params string[] programs) =>
        programs.FirstOrDefault(program => Command.Find(program) is null) is string missing ? $"needs the program {missing}" : null;

    public static string? Root => Libc.GetEffectiveUserId() == 0 ? null : "needs root";

    public static string? FuseDevice => File.Exists("/dev/fuse") ? null : "needs /dev/fuse (modprobe fuse)";

    public static string? LoopDevice => File.Exists("/dev/loop-control") ? null : "needs loop devices (modprobe loop)";

    public static string? KernelExt4 =>
        File.ReadAllText("/proc/filesystems").Contains("\text4\n", StringComparison.Ordinal) || Directory.Exists("/sys/module/ext4")
            ? null : "needs the kernel's ext4 (modprobe ext4)";

    public static string? Overlayfs =>
        File.ReadAllText("/proc/filesystems").Contains("\toverlay\n", StringComparison.Ordinal) || Directory.Exists("/sys/module/overlay")
            ? null : "needs the kernel's overlayfs (modprobe overlay)";

    /// <summary>That the program under test was compiled when it was published, and not only translated.</summary>
    public static string? CompiledBeforehand
    {
        get
        {
            string program = Path.ChangeExtension(FuseServer.Path, ".dll");
            if (!File.Exists(program))
                return $"needs to know the program: there is no {program}";
            using var reader = new PEReader(File.OpenRead(program));
            return reader.PEHeaders.CorHeader is { ManagedNativeHeaderDirectory.Size: not 0 } ? null : "needs a program that was compiled beforehand (dotnet publish Fuse4fs -r linux-x64)";
        }
    }

    /// <summary>What a mount by us needs.</summary>
    public static string? Mounting => Root ?? FuseDevice ?? Tool("mke2fs", "debugfs", "e2fsck", "umount");

    /// <summary>What a mount by the kernel needs besides.</summary>
    public static string? Oracle => Mounting ?? LoopDevice ?? KernelExt4 ?? Tool("losetup", "mount");

    /// <summary>What an NFS server over our mount needs, and clients of it.</summary>
    public static string? Nfs => Oracle ?? Tool("ganesha.nfsd", "rpcbind", "nfs-ls", "nfs-cat", "nfs-cp", "ip", "unshare") ?? GaneshaOfFiles ?? Namespaces.Value;

    // Some containers give root everything but these.
    private static readonly Lazy<string?> Namespaces = new(() =>
        Command.Run("unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "true").ExitCode == 0 ? null : "needs to make namespaces (unshare)");

    // A package of its own.
    private static string? GaneshaOfFiles =>
        Directory.EnumerateDirectories("/usr/lib").Any(folder => File.Exists(Path.Combine(folder, "ganesha", "libfsalvfs.so")))
            ? null : "needs libfsalvfs.so (nfs-ganesha-vfs)";
}
