using TestSupport;
using Xunit;

// One mount test at a time: they look at process lists, drop the machine's caches and change the mode of /dev/fuse.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace EndToEnd.Tests;

/// <summary>A test that mounts with fuse4fs; skipped with the reason where that cannot be. (xunit 2 can skip only from here.)</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    public MountFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = Requirement.Mounting ?? Requirement.Tool(tools);
    }

    /// <summary>Programs the test needs besides.</summary>
    public string[] Tools { get; }
}

/// <summary>The same, and the program was compiled before it was installed.</summary>
public sealed class CompiledFactAttribute : FactAttribute
{
    public CompiledFactAttribute() => Skip = Requirement.Mounting ?? Requirement.CompiledBeforehand;
}

/// <summary>The same, with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountTheoryAttribute : TheoryAttribute
{
    public MountTheoryAttribute() => Skip = Requirement.Mounting;
}

/// <summary>A test that also mounts with the kernel's ext4, the oracle.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OracleFactAttribute : FactAttribute
{
    public OracleFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = Requirement.Oracle ?? Requirement.Tool(tools);
    }

    /// <summary>Programs the test needs besides.</summary>
    public string[] Tools { get; }
}

/// <summary>The same, with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OracleTheoryAttribute : TheoryAttribute
{
    public OracleTheoryAttribute() => Skip = Requirement.Oracle;
}

/// <summary>A test of what is never asked twice. Older kernels cannot be told that names have changed, so they ask for each again after a second.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CachedNamesFactAttribute : FactAttribute
{
    public CachedNamesFactAttribute(params string[] tools)
    {
        Tools = tools;
        Skip = Requirement.Mounting ?? Requirement.Tool(tools) ?? (Environment.OSVersion.Version >= new Version(6, 16) ? null : "needs Linux 6.16, which caches names without limit");
    }

    /// <summary>Programs the test needs besides.</summary>
    public string[] Tools { get; }
}

/// <summary>A test with an overlayfs above our mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OverlayFactAttribute : FactAttribute
{
    public OverlayFactAttribute() => Skip = Requirement.Mounting ?? Requirement.Overlayfs;
}

/// <summary>A test of mounting without root, through fusermount3.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnprivilegedMountFactAttribute : FactAttribute
{
    public UnprivilegedMountFactAttribute() => Skip = Requirement.Mounting ?? Requirement.Tool("fusermount3", "setpriv") ?? Nobody.CannotMount;
}

/// <summary>A test with nfs-ganesha above our mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NfsFactAttribute : FactAttribute
{
    public NfsFactAttribute() => Skip = Requirement.Nfs;
}

/// <summary>The same, with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NfsTheoryAttribute : TheoryAttribute
{
    public NfsTheoryAttribute() => Skip = Requirement.Nfs;
}
