using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>All that the user asked for: one mount.</summary>
internal sealed record MountRequest
{
    /// <summary>The image's path as the user wrote it, for messages.</summary>
    public required string Image { get; init; }

    /// <summary>The mount point as the user wrote it.</summary>
    public required string MountPoint { get; init; }

    /// <summary>Stay in the foreground, log to stderr.</summary>
    public bool Foreground { get; init; }

    /// <summary>A file for the log, or null.</summary>
    public string? LogFile { get; init; }

    /// <summary>What concerns the worker.</summary>
    public ServeOptions Serve { get; init; } = new() { UserId = -1, GroupId = -1 };

    /// <summary>The path of the external journal, or null.</summary>
    public string? Journal { get; init; }

    /// <summary>Others than the mounting user may use the mount; null for the default: root's mounts yes, others no.</summary>
    public bool? AllowOther { get; init; }

    /// <summary>The kernel checks modes and owners.</summary>
    public bool DefaultPermissions { get; init; } = true;

    /// <summary>The kernel checks POSIX ACLs, too.</summary>
    public bool Acl { get; init; } = true;

    /// <summary>Set-user-id bits have no effect.</summary>
    public bool NoSetUserId { get; init; } = true;

    /// <summary>Device nodes cannot be opened.</summary>
    public bool NoDevices { get; init; } = true;

    /// <summary>Programs cannot be run.</summary>
    public bool NoExecute { get; init; }

    /// <summary>noatime. It makes no difference to a read-only mount, but shows.</summary>
    public bool NoAccessTime { get; init; }

    /// <summary>nodiratime. Likewise.</summary>
    public bool NoDirectoryAccessTime { get; init; }

    /// <summary>The source shown in the mount table; null for the image's absolute path.</summary>
    public string? SourceName { get; init; }

    /// <summary>What stands behind "fuse." in the mount table.</summary>
    public string Subtype { get; init; } = "fuse4fs";

    /// <summary>Attributes along with names.</summary>
    public ReadDirPlusMode ReadDirPlus { get; init; }

    /// <summary>Handles for kernels that know what they are.</summary>
    public LookupHandleMode LookupHandle { get; init; }

    /// <summary>What to do when a worker dies by itself.</summary>
    public OnCrash OnCrash { get; init; }

    /// <summary>Deaths without an answer between them after which to give up; 0: never.</summary>
    public int MaxRestarts { get; init; } = 10;

    /// <summary>Seconds that one request may take before its worker is replaced; 0: any.</summary>
    public int Watchdog { get; init; }

    /// <summary>Things the user should know, though they do not hinder the mount.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
