namespace Fuse4fs.State;

/// <summary>The ways in which a worker is contained.</summary>
[Flags]
internal enum SandboxParts : uint
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>No program it runs has more rights than itself.</summary>
    NoNewPrivileges = 1,

    /// <summary>It sees no file.</summary>
    EmptyRoot = 2,

    /// <summary>It is nobody, without capabilities.</summary>
    Unprivileged = 4,

    /// <summary>It cannot open, connect, execute or look at other processes.</summary>
    SyscallFilter = 8,

    /// <summary>Its memory is bounded by the kernel (RLIMIT_DATA), besides the bound on the runtime's heap.</summary>
    MemoryLimit = 16,

    /// <summary>All of them.</summary>
    All = NoNewPrivileges | EmptyRoot | Unprivileged | SyscallFilter | MemoryLimit,
}
