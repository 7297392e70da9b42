using System.Buffers.Binary;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>name_to_handle_at(2): the kernel's handle of a file, and the mount that the file is on. Needs no privilege.</summary>
internal static unsafe class PathHandle
{
    private const int HeaderSize = 8;
    private const int LongestHandle = 128; // MAX_HANDLE_SZ

    /// <summary>The kernel's struct file_handle, its header included; null, and why, when there is none.</summary>
    /// <param name="path">The file. A symbolic link at its end is meant itself.</param>
    /// <param name="mountId">The mount's id, as <see cref="MountEntry.Id"/>.</param>
    /// <param name="errno">ENOENT and the like; EOPNOTSUPP where the filesystem has no handles.</param>
    public static byte[]? TryGet(string path, out int mountId, out Errno errno)
    {
        Span<byte> bytes = stackalloc byte[HeaderSize + LongestHandle];
        bytes.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, LongestHandle);
        mountId = 0;
        fixed (byte* handle = bytes)
        fixed (int* mount = &mountId)
        {
            errno = Libc.NameToHandle(Libc.AT_FDCWD, path, handle, mount, 0) < 0 ? SystemCall.LastError : Errno.Ok;
        }
        return errno == Errno.Ok ? bytes[..(HeaderSize + Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(bytes), 0, LongestHandle))].ToArray() : null;
    }
}
