using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Mono.Unix.Native;

namespace TestSupport.Trees;

/// <summary>A system call that failed, by the name of its error.</summary>
public sealed class PosixException(string call, int error)
    : IOException($"{call}: {NativeConvert.ToErrno(error)}")
{
    public Errno Error { get; } = NativeConvert.ToErrno(error);
}

/// <summary>What statx(2) tells; attribute bits are left out, FUSE cannot carry them.</summary>
public sealed record FileStatus(
    uint Mask, uint BlockSize, uint Links, uint UserId, uint GroupId, int Mode, ulong Inode, long Size, ulong Blocks,
    string AccessTime, string BirthTime, string ChangeTime, string ModificationTime, string Device)
{
    public char Type => (Mode & 0xF000) switch
    {
        0x8000 => 'f',
        0x4000 => 'd',
        0xA000 => 'l',
        0x2000 => 'c',
        0x6000 => 'b',
        0x1000 => 'p',
        0xC000 => 's',
        _ => '?',
    };
}

/// <summary>One name of a directory, as getdents64(2) gives it.</summary>
public sealed record ListedEntry(string Name, ulong Inode, byte Type, long NextPosition);

/// <summary>System calls on paths and names of any bytes. Strings here are Latin-1: one character is one byte.</summary>
public static unsafe class Posix
{
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text + '\0');

    /// <summary>A path that .NET gave us (UTF-8) in the form of this class.</summary>
    public static string FromNet(string path) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(path));

    public static FileStatus Status(string path) => Status(Libc.AtCurrentFolder, path, Libc.AtNoFollow);

    internal static FileStatus Status(int folder, string path, int flags)
    {
        byte* raw = stackalloc byte[256];
        Check("statx", Libc.Statx(folder, Bytes(path), flags, 0xFFF, raw));
        ReadOnlySpan<byte> x = new(raw, 256); // struct statx, include/uapi/linux/stat.h
        return new FileStatus(
            Mask: U32(x, 0), BlockSize: U32(x, 4), Links: U32(x, 16), UserId: U32(x, 20), GroupId: U32(x, 24), Mode: (int)(U32(x, 28) & 0xFFFF),
            Inode: U64(x, 32), Size: BinaryPrimitives.ReadInt64LittleEndian(x[40..]), Blocks: U64(x, 48),
            AccessTime: Time(x, 64), BirthTime: (U32(x, 0) & 0x800) != 0 ? Time(x, 80) : "none", ChangeTime: Time(x, 96), ModificationTime: Time(x, 112),
            Device: $"{U32(x, 128)}:{U32(x, 132)}");
    }

    /// <summary>A descriptor that closes with its handle; special files are never opened in earnest.</summary>
    public static OpenDescriptor Open(string path, int flags = Libc.OpenNonBlocking | Libc.OpenNoFollow) =>
        new(Check("open", Libc.Open(Bytes(path), flags, 0)));

    /// <summary>A descriptor that reads past the page cache (O_DIRECT).</summary>
    public static OpenDescriptor OpenDirect(string path) => Open(path, RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000);

    /// <summary>A descriptor of a symbolic link itself.</summary>
    public static OpenDescriptor OpenLink(string path) => Open(path, Libc.OpenPath | Libc.OpenNoFollow);

    public static byte[] ReadLink(string path) => Grow("readlink", (buffer, size) => Libc.ReadLink(Bytes(path), buffer, size), 4097);

    public static IReadOnlyList<string> AttributeNames(string path)
    {
        byte[] list = Grow("llistxattr", (buffer, size) => Libc.ListAttributes(Bytes(path), buffer, size), 65536);
        return [.. Encoding.Latin1.GetString(list).Split('\0', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    public static byte[] Attribute(string path, string name) =>
        Grow("lgetxattr", (buffer, size) => Libc.GetAttribute(Bytes(path), Bytes(name), buffer, size), 65536);

    /// <summary>statfs(2) without type and id, which belong to the server, not the image.</summary>
    public static string Filesystem(string path)
    {
        byte* raw = stackalloc byte[120];
        Check("statfs", Libc.StatFilesystem(Bytes(path), raw));
        ReadOnlySpan<byte> s = new(raw, 120);
        return $"bsize {U64(s, 8)} blocks {U64(s, 16)} bfree {U64(s, 24)} bavail {U64(s, 32)} files {U64(s, 40)} ffree {U64(s, 48)} "
            + $"namelen {U64(s, 64)} frsize {U64(s, 72)}";
    }

    internal delegate nint Filler(byte* buffer, nint size);

    internal static byte[] Grow(string call, Filler fill, int size)
    {
        byte[] buffer = new byte[size];
        fixed (byte* start = buffer)
        {
            nint count = fill(start, size);
            return buffer[..(int)Check(call, count)];
        }
    }

    internal static int Check(string call, int result) => (int)Check(call, (long)result);

    internal static long Check(string call, long result) => result >= 0 ? result : throw new PosixException(call, Marshal.GetLastPInvokeError());

    private static uint U32(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(raw[offset..]);

    private static ulong U64(ReadOnlySpan<byte> raw, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(raw[offset..]);

    private static string Time(ReadOnlySpan<byte> raw, int offset) => $"{BinaryPrimitives.ReadInt64LittleEndian(raw[offset..])}.{U32(raw, offset + 8):D9}";
}
