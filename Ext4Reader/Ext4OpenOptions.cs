namespace Ext4Reader;

/// <summary>How to open an image.</summary>
public sealed record Ext4OpenOptions
{
    /// <summary>The byte at which the filesystem starts in the file or device.</summary>
    public long Offset { get; init; }

    /// <summary>Show the image as it lies, even if its journal holds newer changes.</summary>
    public bool NoRecovery { get; init; }

    /// <summary>The most bytes of metadata blocks to keep in memory. Pages of it cost nothing until they are used.</summary>
    public long CacheBytes { get; init; } = 16 << 20;
}
