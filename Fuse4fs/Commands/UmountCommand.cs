using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary><c>fuse4fs umount</c>: finds the mount in the mount table, never touches it, and asks no server.</summary>
internal static class UmountCommand
{
    private const int Patience = 60_000;

    /// <summary>Unmounts; the exit code.</summary>
    public static int Run(string mountPoint, bool wait, bool lazily)
    {
        string target = NativePath.OfMountPoint(mountPoint);
        MountEntry? mount = MountTable.Find(target);
        if (mount is null)
            return Fail(mountPoint, "is not mounted");
        if (!mount.Type.StartsWith("fuse", StringComparison.Ordinal))
            return Fail(mountPoint, $"is a mount of type {mount.Type}, not one of fuse4fs; use umount");
        // Called before the unmount: afterwards nobody might be there to answer.
        using Descriptor? supervisor = wait ? ControlSocket.TryCall(mount) : null;
        if (Libc.GetEffectiveUserId() == 0)
        {
            Errno errno = KernelMount.Unmount(target, lazily);
            if (errno != Errno.Ok)
                return Fail(mountPoint, errno == Errno.EBUSY ? "is busy: somebody has a file open or works in it; --lazy unmounts it for new users at once" : SystemCall.Describe(errno));
        }
        else if (UserMount.Unmount(target, lazily) is string problem)
        {
            return Fail(mountPoint, problem);
        }
        if (!wait)
            return ExitCode.Success;
        if (supervisor is null)
            return Fail(mountPoint, "unmounted, but its server cannot be asked when the image is closed");
        return supervisor.WaitReadable(Patience) ? ExitCode.Success : Fail(mountPoint, "unmounted, but after a minute the image is still in use");
    }

    private static int Fail(string mountPoint, string problem)
    {
        MountCommand.Say($"{mountPoint}: {problem}");
        return ExitCode.MountFailure;
    }
}
