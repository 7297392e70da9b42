using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Fuse4fs.Device;
using Fuse4fs.State;

namespace Fuse4fs.Session;

/// <summary>
/// Takes from a worker, before it reads the first byte of an image, all that it does not need: privileges, its user, the filesystem and most system
/// calls. What an image can do to it then is a crash, and that costs a restart.
/// </summary>
internal static class Sandbox
{
    private const int NoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS
    private const uint Nobody = 65534;

    // What is loaded only when it is first needed cannot be loaded any more once the filesystem is gone.
    private static readonly string[] NeededLater =
    [
        "Ext4Reader", "Handles", "Microsoft.Extensions.Logging.Abstractions", "System.Collections", "System.Collections.Concurrent", "System.Linq", "System.Memory",
        "System.Runtime.InteropServices", "System.Threading", "System.Threading.Thread", "System.Diagnostics.StackTrace", "System.Text.Encoding.Extensions",
        "System.Security.Cryptography", "System.ComponentModel", "System.Runtime.Extensions", "System.Console", "System.Numerics.Vectors", "System.Runtime.Intrinsics",
        "System.ObjectModel", "System.Diagnostics.DiagnosticSource",
    ];

    /// <summary>Loads what a worker needs later, and could not load any more.</summary>
    public static void Prepare()
    {
        // A native program has all of it in itself.
        foreach (string assembly in RuntimeFeature.IsDynamicCodeSupported ? NeededLater : [])
        {
            try
            {
                _ = Assembly.Load(assembly);
            }
            catch (IOException)
            {
                // Not part of this build: then nothing will ask for it.
            }
        }
        LoadDigests();
    }

    /// <summary>Enters the sandbox, for good. What could not be had is named in <paramref name="lacks"/>.</summary>
    /// <param name="emptyFolder">A folder with nothing in it, which becomes the root; null where the supervisor has none.</param>
    /// <param name="threads">Threads that will answer requests: each has buffers.</param>
    /// <param name="lacks">The parts that this kernel or user cannot have.</param>
    public static SandboxParts Enter(Descriptor? emptyFolder, int threads, out string lacks)
    {
        SandboxParts parts = SandboxParts.None;
        var missing = new List<string>();
        Note(SandboxParts.MemoryLimit, ResourceLimit.TrySetData(MemoryLimit(threads)), "memory limit");
        Note(SandboxParts.NoNewPrivileges, Libc.ProcessControl(NoNewPrivileges, 1, 0, 0, 0) == 0, "no new privileges");
        if (Libc.GetEffectiveUserId() == 0)
        {
            Note(SandboxParts.EmptyRoot, emptyFolder is not null && EmptyFolder.TryEnter(emptyFolder), "empty root");
            // Groups first: without root there is no right to give them up.
            Note(SandboxParts.Unprivileged, Libc.SetGroups(0, 0) == 0 && Libc.SetGroupIds(Nobody, Nobody, Nobody) == 0 && Libc.SetUserIds(Nobody, Nobody, Nobody) == 0, "unprivileged user");
        }
        Note(SandboxParts.SyscallFilter, SyscallFilter.TrySet(out string problem), $"system call filter ({problem})");
        lacks = string.Join(", ", missing);
        return parts;

        void Note(SandboxParts part, bool had, string name)
        {
            if (had)
                parts |= part;
            else
                missing.Add(name);
        }
    }

    // Names in encrypted directories and sealed files need digests, which a native library makes; it is found in the filesystem when first used.
    private static void LoadDigests()
    {
        try
        {
            _ = SHA256.HashData([]);
        }
        catch (TypeInitializationException)
        {
            // Not installed. What needs it fails by itself, and the log says how.
        }
    }

    /// <summary>
    /// Bytes of memory of its own that a worker may have: over it, it dies, and the machine does not notice. The runtime, idle, has 64 MiB, its heap may
    /// have 176; the rest is air. Unlike a cgroup it needs no rights, and leaves alone what systemd or a container has set up.
    /// </summary>
    public static ulong MemoryLimit(int threads) => (512UL << 20) + ((ulong)threads * (6 << 20));
}
