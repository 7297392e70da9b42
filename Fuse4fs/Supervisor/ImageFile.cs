using System.Globalization;
using Fuse4fs.Device;
using Fuse4fs.Protocol;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The image as an open file: read-only, and locked against writers. Two descriptors: one for workers, one that carries the lock (a
/// shared flock(2) on a file, O_EXCL on a block device), so that the lock can be given up and the image still be held.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    private readonly Descriptor _lock;

    private ImageFile(string path, Descriptor image, Descriptor @lock)
    {
        Path = path;
        Descriptor = image;
        _lock = @lock;
    }

    /// <summary>Absolute path, without symbolic links.</summary>
    public string Path { get; }

    /// <summary>What workers read from.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Opens and locks an image.</summary>
    /// <exception cref="MountException">It is not there, not a file or block device, or somebody else's.</exception>
    public static ImageFile Open(string image)
    {
        Descriptor? descriptor = Descriptor.TryOpen(image, Libc.O_RDONLY | Libc.O_NONBLOCK, out Errno errno);
        if (descriptor is null)
            throw new MountException(ExitCode.MountFailure, SystemCall.Describe(errno));
        Descriptor? held = null;
        try
        {
            FileStatus status = FileStatus.Of(descriptor);
            if (status.IsDirectory)
                throw new MountException(ExitCode.MountFailure, "is a directory, not an image or a block device");
            if (!status.IsRegular && !status.IsBlockDevice)
                throw new MountException(ExitCode.MountFailure, "is neither a regular file nor a block device");
            string path = NativePath.Resolve(image, out errno) ?? throw new MountException(ExitCode.MountFailure, SystemCall.Describe(errno));
            held = status.IsBlockDevice ? ClaimDevice(path) : LockFile(descriptor, status);
            return new ImageFile(path, descriptor, held);
        }
        catch
        {
            held?.Dispose();
            descriptor.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Descriptor.Dispose();
        _lock.Dispose();
    }

    private static Descriptor ClaimDevice(string path) =>
        Descriptor.TryOpen(path, Libc.O_RDONLY | Libc.O_EXCL, out Errno errno) ?? throw new MountException(
            ExitCode.MountFailure,
            errno == Errno.EBUSY ? $"is in use ({UserOf(path) ?? "opened exclusively by another program"}); unmount or close it first" : SystemCall.Describe(errno));

    // The lock belongs to an open file of its own; opened through the first one, so that both are the same file whatever happens to the path.
    private static Descriptor LockFile(Descriptor image, FileStatus status)
    {
        Descriptor held = Descriptor.TryOpen($"/proc/self/fd/{image.Number}", Libc.O_RDONLY, out Errno errno)
            ?? throw new MountException(ExitCode.MountFailure, SystemCall.Describe(errno));
        if (Libc.FLock(held.Number, Libc.LOCK_SH | Libc.LOCK_NB) == 0)
            return held;
        errno = SystemCall.LastError;
        held.Dispose();
        throw new MountException(
            ExitCode.MountFailure,
            errno == Errno.EAGAIN ? $"is locked for writing by {HolderOf(status)}; end that first" : $"cannot be locked: {SystemCall.Describe(errno)}");
    }

    // /proc/locks (proc(5)): "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
    private static string HolderOf(FileStatus status)
    {
        string file = string.Create(CultureInfo.InvariantCulture, $"{status.DeviceMajor:x2}:{status.DeviceMinor:x2}:{status.Inode}");
        try
        {
            foreach (string line in File.ReadLines("/proc/locks"))
            {
                string[] field = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (field.Length > 5 && field[1] == "FLOCK" && field[3] == "WRITE" && field[5] == file)
                    return Describe(field[4]);
            }
        }
        catch (IOException)
        {
            // then nobody can be named
        }
        return "another process";
    }

    private static string Describe(string process)
    {
        try
        {
            return $"process {process} ({File.ReadAllText($"/proc/{process}/comm").Trim()})";
        }
        catch (IOException)
        {
            return $"process {process}";
        }
    }

    private static string? UserOf(string path)
    {
        foreach (MountEntry entry in MountTable.Read())
            if (entry.Source == path)
                return $"mounted on {entry.MountPoint}";
        return null;
    }
}
