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

    private static void Touch(string mountPoint, string fileName)
    {
        // By libc: what the class library makes of a directory would have to be compiled for it.
        nint directory = Libc.OpenDirectory(mountPoint);
        if (directory != 0)
        {
            _ = Libc.ReadDirectory(directory);
            _ = Libc.CloseDirectory(directory);
        } // else a root directory that this user may not list, or that is broken: the OPENDIR has been sent all the same
        using Descriptor? file = Descriptor.TryOpen($"{mountPoint}/{fileName}", Libc.O_RDONLY, out _);
        _ = file?.Read(stackalloc byte[1], out _);
    }
}
