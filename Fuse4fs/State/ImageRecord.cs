using System.Runtime.InteropServices;

namespace Fuse4fs.State;

/// <summary>
/// What the image looked like before a worker first read it: all of it the same before the next worker means that nobody has written in between.
/// Superblock fields alone prove nothing (a mount that changes names may leave every one of them alone); the file's times do.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct ImageRecord
{
    /// <summary>The device the image file lies on: major.</summary>
    public uint DeviceMajor;

    /// <summary>Its minor.</summary>
    public uint DeviceMinor;

    /// <summary>The image file's inode number.</summary>
    public ulong Inode;

    /// <summary>Bytes.</summary>
    public ulong Size;

    /// <summary>Time of the last write, in nanoseconds.</summary>
    public long ModificationTime;

    /// <summary>Time of the last change of any kind, in nanoseconds.</summary>
    public long ChangeTime;

    /// <summary>CRC-32C twice over the 1024 bytes where the superblock lies: it is compared, never parsed.</summary>
    public ulong SuperblockDigest;

    /// <summary>
    /// Whether a later write is sure to show in the times. Below Linux 6.13 it is only if the change time was more than a second old.
    /// </summary>
    public bool IsSettled;

    /// <summary>Whether it is a block device: it has no times to go by; the claim on it has.</summary>
    public bool IsDevice;
}

/// <summary>What the supervisor tells a worker about its start, and what the worker tells back.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct ResumeOrder
{
    /// <summary>How many workers have been started, this one included.</summary>
    public uint Start;

    /// <summary>The image may have been written since the kernel's caches were right. Reset by the worker whose pass is over.</summary>
    public bool IsTouched;

    /// <summary>Everything that the kernel knows is to be dropped, changed or not.</summary>
    public bool DropsAll;

    /// <summary>The start whose worker has nothing former left to show.</summary>
    public uint CurrentSince;

    /// <summary>When the image was opened that the fingerprints are of: seconds since 1970.</summary>
    public long FingerprintsSince;

    /// <summary>The start whose worker found the image written and made the last pass over what is known; the counts are its.</summary>
    public uint PassOf;

    /// <summary>Inodes known at the last pass.</summary>
    public uint Known;

    /// <summary>Of these, the same as before.</summary>
    public uint Unchanged;

    /// <summary>Of these, changed.</summary>
    public uint Changed;

    /// <summary>Of these, gone: stale from now on.</summary>
    public uint Stale;
}
