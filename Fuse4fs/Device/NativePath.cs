using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>Paths as the kernel sees them.</summary>
internal static unsafe class NativePath
{
    /// <summary>The absolute path without symbolic links (realpath(3)); null, and why, when there is none.</summary>
    public static string? Resolve(string path, out Errno errno)
    {
        byte* resolved = Libc.RealPath(path, null);
        errno = resolved is null ? SystemCall.LastError : Errno.Ok;
        if (resolved is null)
            return null;
        string result = Marshal.PtrToStringUTF8((nint)resolved)!;
        Libc.Free(resolved);
        return result;
    }

    /// <summary>
    /// The absolute path of a mount point without touching the mount: only the directory that holds it is resolved. A stat of the point itself
    /// would wait for a dead server.
    /// </summary>
    public static string OfMountPoint(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        string? parent = Path.GetDirectoryName(full);
        if (parent is null || MountTable.Find(full) is not null)
            return full;
        string? resolved = Resolve(parent, out _);
        return resolved is null ? full : Path.Combine(resolved, Path.GetFileName(full));
    }
}
