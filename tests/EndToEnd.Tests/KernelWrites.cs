using TestSupport;

namespace EndToEnd.Tests;

/// <summary>Somebody else writes to an image: the kernel's ext4, on a loop device.</summary>
internal static class KernelWrites
{
    /// <summary>Mounts an image, runs a shell script in its root directory and unmounts it. Answers what the script said; a command of it that fails is an error.</summary>
    public static string Run(string image, string script)
    {
        using var folder = new ScratchFolder();
        string place = folder.Folder("kernel");
        Command.Run("mount", "-t", "ext4", "-o", "loop", image, place).OrThrow();
        try
        {
            return Command.Run("sh", "-c", $"set -eu; cd \"$0\"\n{script}", place).OrThrow().Output;
        }
        finally
        {
            Deadline.In(10).WaitUntil(() => Command.Run("umount", place).ExitCode == 0, "unmounted: " + place);
        }
    }
}
