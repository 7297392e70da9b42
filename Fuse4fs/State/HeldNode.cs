using System.Runtime.InteropServices;

namespace Fuse4fs.State;

/// <summary>What became of an inode while no worker looked.</summary>
internal enum HeldVerdict : uint
{
    /// <summary>Nobody has said.</summary>
    Unknown,

    /// <summary>Nothing.</summary>
    Unchanged,

    /// <summary>It is the same file, with other contents or attributes.</summary>
    Changed,

    /// <summary>It is gone.</summary>
    Stale,
}

/// <summary>An inode that some process holds: the supervisor names it, the worker judges it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HeldNode
{
    /// <summary>Its nodeid; 0: nobody is here.</summary>
    public ulong Node;

    /// <summary>The worker's answer.</summary>
    public HeldVerdict Verdict;

    private readonly uint _padding;
}
