namespace Fuse4fs.Supervisor;

/// <summary>What becomes of requests at this moment.</summary>
internal enum Phase
{
    /// <summary>A worker looks at the image; requests wait.</summary>
    Starting,

    /// <summary>A worker answers.</summary>
    Serving,

    /// <summary>No worker, by order; requests wait.</summary>
    Paused,

    /// <summary>e2fsck or a command works on the image; requests wait.</summary>
    Checking,

    /// <summary>The next worker waits for its time, or for an image that it can serve; requests wait.</summary>
    Waiting,
}
