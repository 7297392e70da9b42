using Fuse4fs.Device;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The first opens and closes on a new mount, done by the process that asked for it: OPEN, OPENDIR and FLUSH then have had their ENOSYS, and no process
/// that exits later, while no worker runs, can hang in FLUSH.
/// </summary>
internal static class Priming
{
    /// <summary>Opens, reads and closes a directory and a file. False when the mount did not answer in time.</summary>
    /// <param name="mountPoint">The mount point, absolute.</param>
    /// <param name="fileName">The name of the file to open, which the server answers for as long as it takes.</param>
    /// <param name="milliseconds">How long it may take.</param>
    public static bool Run(string mountPoint, string fileName, int milliseconds)
    {
        var thread = new Thread(() => Touch(mountPoint, fileName)) { IsBackground = true, Name = "priming" };
        thread.Start();
        return thread.Join(milliseconds);
    }

    /// <summary>The same on what certainly answers, with nothing to show for it but that it is compiled: for whoever has to wait for a mount anyhow.</summary>
    public static void Rehearse() => _ = Run("/dev", "null", milliseconds: 1000);

    private static void Touch(string mountPoint, string fileName)
    {
        try
        {
            _ = Directory.EnumerateFileSystemEntries(mountPoint).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A root directory that this user may not list, or that is broken: the OPENDIR has been sent all the same.
        }
        using Descriptor? file = Descriptor.TryOpen($"{mountPoint}/{fileName}", Libc.O_RDONLY, out _);
        _ = file?.Read(stackalloc byte[1], out _);
    }
}
