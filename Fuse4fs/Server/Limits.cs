namespace Fuse4fs.Server;

/// <summary>Lengths that the kernel sets, in bytes.</summary>
internal static class Limits
{
    /// <summary>NAME_MAX: the longest name in a directory.</summary>
    public const int LongestName = 255;

    /// <summary>The longest target of a symbolic link that fits the page which FUSE reads it into, less its NUL.</summary>
    public const uint LongestLink = 4095;

    /// <summary>The largest output of an ioctl that is answered: FS_IOC_GETFSLABEL's.</summary>
    public const uint LongestIoctl = 256;
}
