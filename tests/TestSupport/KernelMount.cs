namespace TestSupport;

/// <summary>An image mounted by the kernel's own ext4, read-only and without replaying its journal: the oracle.</summary>
public sealed class KernelMount : IDisposable
{
    private readonly ScratchFolder _folder = new();

    private KernelMount(string image, string options)
    {
        MountPoint = _folder.Folder("kernel");
        string loop = Command.Run("losetup", "--read-only", "--find", "--show", image).OrThrow().Output.Trim();
        try
        {
            // Without a journal there is nothing not to load, and the kernel refuses the word.
            CommandResult result = Command.Run("mount", "-t", "ext4", "-o", $"ro,noload,{options}", loop, MountPoint);
            if (result.ExitCode != 0)
                Command.Run("mount", "-t", "ext4", "-o", $"ro,{options}", loop, MountPoint).OrThrow();
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
        finally
        {
            // Detached already, it goes with its last user: the mount, however that ends.
            Command.Run("losetup", "--detach", loop);
        }
    }

    public string MountPoint { get; }

    public static KernelMount Of(string image, string options = "nosuid,nodev") => new(image, options);

    public void Dispose()
    {
        if (!Deadline.In(5).TryWaitUntil(() => Command.Run("umount", MountPoint).ExitCode == 0))
            Command.Run("umount", "--lazy", MountPoint);
        _folder.Dispose();
    }
}
