using System.Globalization;

namespace TestSupport;

/// <summary>The kernel's side of a FUSE mount, known by the minor number of the mount's device.</summary>
public static class FuseConnection
{
    private const string Folder = "/sys/fs/fuse/connections";

    /// <summary>Fails everything that waits in the mount, and everything later.</summary>
    public static void Abort(int minor)
    {
        // Mounted by systemd on ordinary machines, by nobody in small containers.
        if (!MountTable.Read().Any(mount => mount.MountPoint == Folder))
            Command.Run(5, null, "mount", "-t", "fusectl", "fusectl", Folder);
        string abort = Path.Combine(Folder, minor.ToString(CultureInfo.InvariantCulture), "abort");
        if (File.Exists(abort))
            File.WriteAllText(abort, "1");
    }
}
