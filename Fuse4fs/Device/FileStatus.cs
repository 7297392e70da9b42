using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>What statx(2) says about an open file or a path, as far as it is needed here.</summary>
internal readonly record struct FileStatus(
    uint Mode, uint UserId, ulong Inode, ulong Size, uint DeviceMajor, uint DeviceMinor, long ModificationTime, long ChangeTime)
{
    private const uint TypeMask = 0xf000;
    private const uint BasicStats = 0x7ff;
    private const int StatxSize = 256;

    /// <summary>Whether it is a directory.</summary>
    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>Whether it is a regular file.</summary>
    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    /// <summary>Whether it is a block device.</summary>
    public bool IsBlockDevice => (Mode & TypeMask) == 0x6000;

    /// <summary>The status of an open file.</summary>
    public static FileStatus Of(Descriptor descriptor) =>
        Ask(descriptor.Number, "", Libc.AT_EMPTY_PATH, out Errno errno) ?? throw new SystemCallException("statx", errno);

    /// <summary>The status of a path, symbolic links followed; null, and why, when there is none.</summary>
    public static FileStatus? Of(string path, out Errno errno) => Ask(Libc.AT_FDCWD, path, 0, out errno);

    /// <summary>The status of what lies at a path, be it a symbolic link; null when there is nothing.</summary>
    public static FileStatus? OfEntry(string path) => Ask(Libc.AT_FDCWD, path, Libc.AT_SYMLINK_NOFOLLOW, out _);

    private static unsafe FileStatus? Ask(int directory, string path, int flags, out Errno errno)
    {
        byte* buffer = stackalloc byte[StatxSize];
        errno = Libc.StatX(directory, path, flags, BasicStats, buffer) == 0 ? Errno.Ok : SystemCall.LastError;
        if (errno != Errno.Ok)
            return null;
        var raw = new ReadOnlySpan<byte>(buffer, StatxSize); // struct statx, statx(2)
        return new FileStatus(
            Mode: MemoryMarshal.Read<ushort>(raw[0x1c..]),
            UserId: MemoryMarshal.Read<uint>(raw[0x14..]),
            Inode: MemoryMarshal.Read<ulong>(raw[0x20..]),
            Size: MemoryMarshal.Read<ulong>(raw[0x28..]),
            DeviceMajor: MemoryMarshal.Read<uint>(raw[0x88..]),
            DeviceMinor: MemoryMarshal.Read<uint>(raw[0x8c..]),
            ModificationTime: Nanoseconds(raw[0x70..]),
            ChangeTime: Nanoseconds(raw[0x60..]));
    }

    // struct statx_timestamp. Times that 64 bits of nanoseconds cannot hold (beyond the year 2262) wrap: they are only compared.
    private static long Nanoseconds(ReadOnlySpan<byte> time) => unchecked((MemoryMarshal.Read<long>(time) * 1_000_000_000) + MemoryMarshal.Read<uint>(time[8..]));
}
