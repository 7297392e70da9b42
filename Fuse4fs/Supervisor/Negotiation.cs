using Fuse4fs.Protocol;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>When the kernel gets attributes along with names.</summary>
internal enum ReadDirPlusMode
{
    /// <summary>With each listing: one message in place of one for each name that find or ls -l looks at.</summary>
    Always,

    /// <summary>As the kernel guesses. It reads whole directories before it guesses, so find gains next to nothing.</summary>
    Auto,

    /// <summary>Never.</summary>
    No,
}

/// <summary>
/// The answer to INIT, which comes once in the life of a connection. It depends on the user's options and the kernel, not on the image:
/// so the process that never reads the image can give it, and every worker starts as a successor does.
/// </summary>
internal static class Negotiation
{
    /// <summary>The oldest protocol minor served: Linux 5.4.</summary>
    public const uint OldestMinor = 31;

    /// <summary>The newest protocol minor this server knows: Linux 6.18.</summary>
    public const uint NewestMinor = 45;

    /// <summary>The protocol major served.</summary>
    public const uint Major = 7;

    private const uint MaxWrite = 4096; // nobody writes; it only sets the size of the buffer for requests
    private const ushort MaxBackground = 1024; // readahead of one file must not keep the requests of others from the server
    private const uint MaxReadahead = 1 << 20; // the kernel takes the smaller of this and its own

    /// <summary>Answers the kernel's INIT.</summary>
    /// <param name="kernel">What it offers. Its minor must be at least <see cref="OldestMinor"/>.</param>
    /// <param name="kernelFlags">Its flags, both words.</param>
    /// <param name="readDirPlus">As the user wishes.</param>
    /// <param name="posixAcl">Whether the kernel checks ACLs, too.</param>
    /// <param name="maxPages">Pages of the largest request the kernel makes (fs.fuse.max_pages_limit).</param>
    /// <param name="settled">What workers need to know.</param>
    public static InitOut Answer(InitIn kernel, InitFlags kernelFlags, ReadDirPlusMode readDirPlus, bool posixAcl, ushort maxPages, out Negotiated settled)
    {
        InitFlags wanted = InitFlags.AsyncRead | InitFlags.ExportSupport | InitFlags.BigWrites | InitFlags.AutoInvalData | InitFlags.ParallelDirOps
            | InitFlags.AbortError | InitFlags.MaxPages | InitFlags.CacheSymlinks | InitFlags.NoOpenSupport | InitFlags.NoOpenDirSupport
            | InitFlags.HasIoctlDir | InitFlags.InitExt | InitFlags.HasExpireOnly | InitFlags.HasResend;
        if (readDirPlus != ReadDirPlusMode.No)
            wanted |= InitFlags.DoReadDirPlus;
        if (readDirPlus == ReadDirPlusMode.Auto)
            wanted |= InitFlags.ReadDirPlusAuto;
        if (posixAcl)
            wanted |= InitFlags.PosixAcl;
        InitFlags flags = wanted & kernelFlags;
        settled = new Negotiated
        {
            Minor = Math.Min(kernel.Minor, NewestMinor),
            Flags = (ulong)flags,
            MaxWrite = MaxWrite,
            MaxPages = (flags & InitFlags.MaxPages) != 0 ? maxPages : 32u, // 128 KiB was all there was before
        };
        return new InitOut
        {
            Major = Major,
            Minor = settled.Minor,
            MaxReadahead = Math.Min(kernel.MaxReadahead, MaxReadahead),
            Flags = (uint)((ulong)flags & uint.MaxValue),
            Flags2 = (uint)((ulong)flags >> 32),
            MaxBackground = MaxBackground,
            CongestionThreshold = MaxBackground / 4 * 3,
            MaxWrite = MaxWrite,
            TimeGranularity = 1,
            MaxPages = maxPages,
        };
    }

    /// <summary>
    /// Why a kernel cannot be served, or null when it can. A major above ours is no hindrance: the kernel then asks again in our terms.
    /// </summary>
    public static string? Objection(InitIn kernel) =>
        kernel.Major < Major || (kernel.Major == Major && kernel.Minor < OldestMinor)
            ? $"the kernel speaks FUSE protocol {kernel.Major}.{kernel.Minor}; {Major}.{OldestMinor} (Linux 5.4) or newer is needed"
            : null;
}
