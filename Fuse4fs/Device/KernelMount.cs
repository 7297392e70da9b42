using System.Text;
using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>How a mount is to be, in the words of mount(2).</summary>
internal sealed record MountSpecification
{
    /// <summary>What stands in the mount table's first column.</summary>
    public required string Source { get; init; }

    /// <summary>Absolute path of the mount point, without symbolic links.</summary>
    public required string Target { get; init; }

    /// <summary>The part of the type behind "fuse.".</summary>
    public required string Subtype { get; init; }

    /// <summary>Others than the owner may use it.</summary>
    public bool AllowOther { get; init; }

    /// <summary>The kernel checks modes.</summary>
    public bool DefaultPermissions { get; init; }

    /// <summary>nosuid.</summary>
    public bool NoSetUserId { get; init; }

    /// <summary>nodev.</summary>
    public bool NoDevices { get; init; }

    /// <summary>noexec.</summary>
    public bool NoExecute { get; init; }

    /// <summary>noatime.</summary>
    public bool NoAccessTime { get; init; }

    /// <summary>nodiratime.</summary>
    public bool NoDirectoryAccessTime { get; init; }
}

/// <summary>Mounting and unmounting by root: mount(2), umount2(2), and the switch that ends a connection.</summary>
internal static class KernelMount
{
    /// <summary>Mounts the device's connection. Always read-only: then reads cost no atime, and the kernel refuses writers itself.</summary>
    public static Errno Mount(FuseDevice device, MountSpecification mount)
    {
        nuint flags = Libc.MS_RDONLY
            | (mount.NoSetUserId ? Libc.MS_NOSUID : 0)
            | (mount.NoDevices ? Libc.MS_NODEV : 0)
            | (mount.NoExecute ? Libc.MS_NOEXEC : 0)
            | (mount.NoAccessTime ? Libc.MS_NOATIME : Libc.MS_RELATIME)
            | (mount.NoDirectoryAccessTime ? Libc.MS_NODIRATIME : 0);
        var options = new StringBuilder($"fd={device.Descriptor.Number},rootmode=40000,user_id={Libc.GetUserId()},group_id={Libc.GetGroupId()}");
        if (mount.AllowOther)
            options.Append(",allow_other");
        if (mount.DefaultPermissions)
            options.Append(",default_permissions");
        return Libc.Mount(mount.Source, mount.Target, "fuse." + mount.Subtype, flags, options.ToString()) == 0 ? Errno.Ok : SystemCall.LastError;
    }

    /// <summary>Unmounts a path. Waits for nobody and asks no server.</summary>
    /// <param name="target">The mount point.</param>
    /// <param name="lazily">Now for new users, later for those who are in it.</param>
    public static Errno Unmount(string target, bool lazily) =>
        Libc.UMount(target, Libc.UMOUNT_NOFOLLOW | (lazily ? Libc.MNT_DETACH : 0)) == 0 ? Errno.Ok : SystemCall.LastError;

    /// <summary>Ends a connection: callers get ENOTCONN, and no server answers them any more. Nothing happens where the switch is not to be had.</summary>
    public static void Abort(uint connection)
    {
        using Descriptor? file = Descriptor.TryOpen($"/sys/fs/fuse/connections/{connection}/abort", Libc.O_WRONLY, out _);
        _ = file?.Write("1"u8);
    }

    /// <summary>
    /// Raises the readahead of a mount to at least <paramref name="kibibytes"/>. INIT cannot go beyond the kernel's own 128 KiB. A hint: where the
    /// setting is not ours to change, it stays.
    /// </summary>
    public static void RaiseReadahead(uint deviceMajor, uint deviceMinor, int kibibytes)
    {
        string path = $"/sys/class/bdi/{deviceMajor}:{deviceMinor}/read_ahead_kb";
        try
        {
            if (int.TryParse(File.ReadAllText(path).AsSpan().Trim(), out int now) && now < kibibytes)
                File.WriteAllText(path, kibibytes.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Reading works all the same, in smaller pieces.
        }
    }
}
