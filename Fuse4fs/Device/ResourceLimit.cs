using System.Runtime.InteropServices;

namespace Fuse4fs.Device;

/// <summary>Bounds that the kernel holds a process to (setrlimit(2)).</summary>
internal static unsafe class ResourceLimit
{
    private const int Data = 2; // RLIMIT_DATA: since Linux 4.7 all private memory that can be written, not only what brk(2) made

    [StructLayout(LayoutKind.Sequential)]
    private struct Pair
    {
        public ulong Soft;
        public ulong Hard;
    }

    /// <summary>Bounds the memory of this process that is its own: not what it shares. It cannot be raised again.</summary>
    public static bool TrySetData(ulong bytes)
    {
        var limit = new Pair { Soft = bytes, Hard = bytes };
        return Libc.SetResourceLimit(Data, &limit) == 0;
    }
}
