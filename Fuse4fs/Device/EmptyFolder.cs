using System.Text;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// A directory with nothing in it, for good: made, opened and removed again. It has no name, so nobody else can enter, fill or exchange it, and the kernel makes
/// no entry in a removed directory. It lives as long as somebody holds it.
/// </summary>
internal static unsafe class EmptyFolder
{
    /// <summary>Makes one. Null, and why, when it cannot be.</summary>
    /// <param name="parent">The folder in which it is for a moment.</param>
    /// <param name="errno">Why not.</param>
    public static Descriptor? TryMake(string parent, out Errno errno)
    {
        byte[] path = [.. Encoding.UTF8.GetBytes(parent), .. "/empty-XXXXXX\0"u8];
        fixed (byte* start = path)
        {
            if (Libc.MakeTemporaryFolder(start) is null)
            {
                errno = SystemCall.LastError;
                return null;
            }
            string name = Encoding.UTF8.GetString(path.AsSpan(0, path.Length - 1));
            Descriptor? folder = Descriptor.TryOpen(name, Libc.O_PATH | Libc.O_DIRECTORY, out errno);
            _ = Libc.RemoveFolder(start);
            return folder;
        }
    }

    /// <summary>Makes it this process's root and working directory, and lets the descriptor go. False when this user may not.</summary>
    public static bool TryEnter(Descriptor folder)
    {
        using (folder)
            return Libc.ChangeDirectoryTo(folder.Number) == 0 && Libc.ChangeRoot(".") == 0;
    }
}
