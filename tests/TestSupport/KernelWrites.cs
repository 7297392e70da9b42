namespace TestSupport;

/// <summary>Somebody else writes to an image: the kernel's ext4, on a loop device.</summary>
public static class KernelWrites
{
    /// <summary>Mounts an image, runs a shell script in its root directory and unmounts it. Answers what the script said; a command of it that fails is an error.</summary>
    /// <param name="image">The image.</param>
    /// <param name="script">The script.</param>
    /// <param name="seconds">How long it may take.</param>
    /// <param name="options">Mount options besides loop.</param>
    public static string Run(string image, string script, double seconds = 60, string options = "rw")
    {
        using var folder = new ScratchFolder();
        string place = folder.Folder("kernel");
        Command.Run("mount", "-t", "ext4", "-o", $"loop,{options}", image, place).OrThrow();
        try
        {
            return Command.Run(seconds, null, "sh", "-c", $"set -eu; cd \"$0\"\n{script}", place).OrThrow().Output;
        }
        finally
        {
            Deadline.In(10).WaitUntil(() => Command.Run("umount", place).ExitCode == 0, "unmounted: " + place);
        }
    }
}
