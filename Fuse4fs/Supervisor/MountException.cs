namespace Fuse4fs.Supervisor;

/// <summary>Exit codes of mount(8), which scripts and fstab rely on.</summary>
internal static class ExitCode
{
    /// <summary>All went well.</summary>
    public const int Success = 0;

    /// <summary>The command was called wrongly.</summary>
    public const int Usage = 1;

    /// <summary>The system lacks something: a device, memory, a process.</summary>
    public const int System = 2;

    /// <summary>The handle that was asked about is stale. Not a code of mount(8): scripts are to tell it from every failure to find out.</summary>
    public const int Stale = 3;

    /// <summary>This image cannot be mounted here.</summary>
    public const int MountFailure = 32;
}

/// <summary>Why a mount cannot be: one line for the user, and the exit code that goes with it.</summary>
internal sealed class MountException(int exitCode, string message) : Exception(message)
{
    /// <summary>One of <see cref="Supervisor.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
