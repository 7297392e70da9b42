using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>A system call failed that has no business to fail: out of descriptors, memory or permissions.</summary>
internal sealed class SystemCallException(string call, Errno errno)
    : Exception($"{call}: {SystemCall.Describe(errno)}")
{
    /// <summary>The call's name.</summary>
    public string Call { get; } = call;

    /// <summary>What it answered.</summary>
    public Errno Errno { get; } = errno;
}

/// <summary>Turns results of system calls into exceptions and words.</summary>
internal static class SystemCall
{
    /// <summary>The result, or <see cref="SystemCallException"/> where it is negative.</summary>
    public static int Check(int result, string call) =>
        result >= 0 ? result : throw new SystemCallException(call, LastError);

    /// <summary>errno of the last call on this thread.</summary>
    public static Errno LastError => (Errno)Marshal.GetLastPInvokeError();

    /// <summary>What strerror(3) says.</summary>
    public static string Describe(Errno errno) => Marshal.GetPInvokeErrorMessage((int)errno);
}
