using Microsoft.Win32.SafeHandles;

namespace Ext4Reader;

/// <summary>How to open an image.</summary>
public sealed record Ext4OpenOptions
{
    /// <summary>The byte at which the filesystem starts in the file or device.</summary>
    public long Offset { get; init; }

    /// <summary>
    /// The bytes that are the filesystem's, such as its partition's length: a filesystem that claims more is refused, and nothing behind them is
    /// ever read. 0 for all to the end of the file or device.
    /// </summary>
    public long Length { get; init; }

    /// <summary>Show the image as it lies, even if its journal holds newer changes, or another host is making some.</summary>
    public bool NoRecovery { get; init; }

    /// <summary>Check what is read of files with fs-verity against their Merkle trees. Signatures are not looked at.</summary>
    public bool VerifyContent { get; init; }

    /// <summary>
    /// The external journal of the filesystem, open for reading; null if it has none, or if it is not at hand. The image takes ownership, come what may.
    /// </summary>
    public SafeFileHandle? Journal { get; init; }

    /// <summary>The most bytes of metadata blocks to keep in memory. Pages of it cost nothing until they are used.</summary>
    public long CacheBytes { get; init; } = 8 << 20;
}
