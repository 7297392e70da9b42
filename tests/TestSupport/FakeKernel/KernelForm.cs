namespace TestSupport.FakeKernel;

/// <summary>The kernels that can be played.</summary>
public enum KernelForm
{
    /// <summary>Linux 6.18.</summary>
    Stock,

    /// <summary>With "[RFC PATCH v2 0/6] fuse: LOOKUP_HANDLE operation", its mistakes included.</summary>
    RfcV2,

    /// <summary>With the patch of tests/kernel, which finishes that.</summary>
    RfcV2Finished,

    /// <summary>With "[RFC PATCH v3 0/8] fuse: LOOKUP_HANDLE operation" on the fifth series of compounds.</summary>
    RfcV3,
}

/// <summary>Whoever answers requests.</summary>
public interface IFuseServer
{
    /// <summary>The reply; empty where there is none to be; null when the server died before it could send it.</summary>
    byte[]? Ask(byte[] request);
}

/// <summary>An inode that the kernel knows.</summary>
public sealed class KernelInode(ulong node, uint generation, uint type)
{
    public ulong Node { get; } = node;

    public uint Generation { get; } = generation;

    /// <summary>The file type bits of its mode.</summary>
    public uint Type { get; } = type;

    /// <summary>The server's handle, as long as the kernel has it.</summary>
    public byte[]? Handle { get; internal set; }

    /// <summary>Whether every use of it fails without a request.</summary>
    public bool IsBad { get; internal set; }

    /// <summary>Whether that is because the server said that it is gone.</summary>
    public bool IsStale { get; internal set; }

    /// <summary>How often the server has named it.</summary>
    public ulong Lookups { get; internal set; }

    /// <summary>What it looks like.</summary>
    public Attributes Attributes { get; internal set; }

    internal bool HasAttributes { get; set; }

    internal long AttributesUntil { get; set; }

    internal int Confirmed { get; set; }

    internal byte[]? Page { get; set; }

    internal Dictionary<string, KernelName> Names { get; } = new(StringComparer.Ordinal);

    public bool IsDirectory => Type == 0x4000;

    public bool IsLink => Type == 0xa000;
}

/// <summary>What of an inode's attributes matters here. Times in nanoseconds.</summary>
public readonly record struct Attributes(ulong Ino, ulong Size, uint Mode, uint UserId, long Modified, long Changed);

/// <summary>A name that the kernel knows; without an inode it knows that there is none.</summary>
internal sealed class KernelName
{
    public KernelInode? Inode { get; init; }

    public int Epoch { get; set; }

    public int Restarts { get; set; }

    public long Until { get; set; }
}
