using System.Globalization;
using System.Numerics;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The image as an open file: read-only, and locked against writers. Two descriptors: one for workers, one that carries the lock (a
/// shared flock(2) on a file, O_EXCL on a block device), so that the lock can be given up and the image still be held.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    private readonly Descriptor _lock;

    private ImageFile(string path, string? selector, Descriptor image, Descriptor @lock)
    {
        Path = path;
        Selector = selector;
        Descriptor = image;
        _lock = @lock;
    }

    /// <summary>Absolute path, without symbolic links.</summary>
    public string Path { get; }

    /// <summary>What the user wrote behind the path to name a partition, or null. Nothing is known of it here but that it is not part of the path.</summary>
    public string? Selector { get; }

    /// <summary>
    /// What the mount table shows: the image as the user wrote it, but absolute, so that mount(8) finds a line of fstab mounted. A file gets a slash behind its name: to mount(8), umount(8) and findmnt(8) the path is the same, but e2fsck(8) and
    /// tune2fs(8), which stat(2) it, no longer take the file for mounted and so out of bounds. Between two workers they are welcome.
    /// </summary>
    public string MountSource =>
        Selector is not null ? $"{Path}@{Selector}" : FileStatus.Of(Descriptor).IsRegular ? Path + "/" : Path;

    /// <summary>What workers read from.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Opens and locks an image.</summary>
    /// <param name="image">Its path. Where there is no such file, an @ ends the path and a selector follows.</param>
    /// <exception cref="MountException">It is not there, not a file or block device, or somebody else's.</exception>
    public static ImageFile Open(string image)
    {
        (image, string? selector) = SplitSelector(image);
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
            return new ImageFile(path, selector, descriptor, held);
        }
        catch
        {
            held?.Dispose();
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens the image anew for the next worker: by its path, where another file may lie by now. A device is claimed once and kept: the claim is what
    /// proves that nobody has written to it.
    /// </summary>
    /// <exception cref="MountException">As with <see cref="Open"/>.</exception>
    public ImageFile Reopen()
    {
        if (!FileStatus.Of(Descriptor).IsBlockDevice)
        {
            ImageFile anew = Open(Path);
            Dispose();
            return anew;
        }
        Descriptor again = Descriptor.TryOpen(Path, Libc.O_RDONLY, out Errno errno) ?? throw new MountException(ExitCode.MountFailure, SystemCall.Describe(errno));
        Descriptor.Dispose();
        return new ImageFile(Path, Selector, again, _lock);
    }

    /// <summary>What the image looks like now. To be taken before a worker reads it.</summary>
    /// <param name="offset">Where the filesystem starts, in bytes: what a worker says, be it nonsense.</param>
    public ImageRecord Record(long offset)
    {
        FileStatus status = FileStatus.Of(Descriptor);
        Span<byte> superblock = stackalloc byte[1024];
        superblock.Clear();
        if (offset >= 0 && offset < long.MaxValue - 4096)
            _ = Descriptor.ReadAt(superblock, offset + 1024); // what cannot be read is zeros, and no worker will serve it
        uint first = 0, second = uint.MaxValue;
        for (int at = 0; at < superblock.Length; at += sizeof(ulong))
        {
            first = BitOperations.Crc32C(first, BitConverter.ToUInt64(superblock[at..]));
            second = BitOperations.Crc32C(second, ~BitConverter.ToUInt64(superblock[at..]));
        }
        // Since 6.13 each write after a look at the times gives new ones; before, only one in a later tick of the clock.
        bool settled = Environment.OSVersion.Version >= new Version(6, 13)
            || DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - (status.ChangeTime / 1_000_000) > 1000;
        return new ImageRecord
        {
            DeviceMajor = status.DeviceMajor,
            DeviceMinor = status.DeviceMinor,
            Inode = status.Inode,
            Size = status.Size,
            ModificationTime = status.IsBlockDevice ? 0 : status.ModificationTime,
            ChangeTime = status.IsBlockDevice ? 0 : status.ChangeTime,
            SuperblockDigest = (ulong)first << 32 | second,
            IsSettled = settled || status.IsBlockDevice,
            IsDevice = status.IsBlockDevice,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Descriptor.Dispose();
        _lock.Dispose();
    }

    /// <summary>
    /// Splits <c>disk.img@2</c> into the path and what names a partition. A file of the whole name goes first; then the longest path before an @
    /// that leads to something other than a directory. (A label may have @ and / in it, and so may a path.)
    /// </summary>
    /// <returns>The text as it is, and null, where nothing can be split off.</returns>
    internal static (string Path, string? Selector) SplitSelector(string image)
    {
        if (FileStatus.Of(image, out Errno errno) is not null || errno is not (Errno.ENOENT or Errno.ENOTDIR or Errno.ENAMETOOLONG))
            return (image, null);
        for (int at = image.LastIndexOf('@'); at > 0; at = image.LastIndexOf('@', at - 1))
            if (at < image.Length - 1 && FileStatus.Of(image[..at], out errno) is { IsDirectory: false })
                return (image[..at], image[(at + 1)..]);
        return (image, null);
    }

    /// <summary>Adds what was split off to what the options say.</summary>
    /// <exception cref="MountException">They name a partition, too; or it is too long to be one's name.</exception>
    internal static ServeOptions WithSelector(ServeOptions options, string? selector)
    {
        if (selector is null)
            return options;
        if (options.HasImageOffset || !options.Partition.IsEmpty)
        {
            string option = options.HasImageOffset ? "offset" : "partition";
            throw new MountException(ExitCode.Usage, $"@{selector} and mount option '{option}' exclude each other");
        }
        return ShortText.TryFrom(selector, out ShortText text)
            ? options with { Partition = text }
            : throw new MountException(ExitCode.Usage, $"what follows the @ is longer than any partition's name: at most {ShortText.Capacity} bytes");
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
            if (entry.Source == path || entry.Source.StartsWith(path + "@", StringComparison.Ordinal))
                return $"mounted on {entry.MountPoint}";
        return null;
    }
}
