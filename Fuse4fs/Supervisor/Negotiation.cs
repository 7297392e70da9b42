using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
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

/// <summary>Which proposal for handles is to be spoken (<see cref="Dialect"/>).</summary>
internal enum LookupHandleMode
{
    /// <summary>None: what every released kernel speaks.</summary>
    Off,

    /// <summary>The second version's, or no mount.</summary>
    V2,

    /// <summary>The third version's, or no mount.</summary>
    V3,

    /// <summary>The finished form of the second version where the kernel offers it, otherwise none.</summary>
    Auto,
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

    /// <summary>The minor of which LOOKUP_HANDLE's second version is. Later kernels mean something else by its bit.</summary>
    public const uint HandleMinorV2 = 45;

    /// <summary>The minor of which the third version is: it has a bit in common with the second, and no other.</summary>
    public const uint HandleMinorV3 = 46;

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
    /// <param name="dialect">What <see cref="TryChoose"/> chose.</param>
    public static InitOut Answer(
        InitIn kernel, InitFlags kernelFlags, ReadDirPlusMode readDirPlus, bool posixAcl, ushort maxPages, out Negotiated settled, Dialect dialect = Dialect.Stock)
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
        if (!dialect.HasReadDirPlus())
            wanted &= ~(InitFlags.DoReadDirPlus | InitFlags.ReadDirPlusAuto);
        if (!dialect.HasExport())
            wanted &= ~InitFlags.ExportSupport;
        InitFlags flags = wanted & kernelFlags;
        // Unasked: kernels of the RFCs offer another bit by mistake. It is in the second word, which counts only with INIT_EXT.
        if (dialect != Dialect.Stock)
            flags |= InitFlags.LookupHandle | InitFlags.InitExt;
        settled = new Negotiated
        {
            Minor = Math.Min(kernel.Minor, dialect == Dialect.RfcV3 ? HandleMinorV3 : NewestMinor),
            Dialect = (uint)dialect,
            MaxHandleSize = dialect.IsV2() ? DialectRules.MaxHandleSize : dialect == Dialect.RfcV3 ? RfcV3.MaxHandleSize : 0u,
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
            MaxHandleSize = dialect.IsV2() ? DialectRules.MaxHandleSize : (ushort)0,
        };
    }

    /// <summary>
    /// Chooses how handles are spoken of. Null, or why the kernel cannot be spoken to as the user wishes. Kernels of the RFCs are known by a bit that no other offers
    /// and by their protocol's minor; one in which the second version is finished offers the capability itself.
    /// </summary>
    /// <param name="kernel">What it offers.</param>
    /// <param name="kernelFlags">Its flags, both words.</param>
    /// <param name="mode">As the user wishes.</param>
    /// <param name="dialect">The choice.</param>
    public static string? TryChoose(InitIn kernel, InitFlags kernelFlags, LookupHandleMode mode, out Dialect dialect)
    {
        bool isV2 = kernel.Major == Major && kernel.Minor == HandleMinorV2;
        bool isFinished = isV2 && (kernelFlags & InitFlags.LookupHandle) != 0;
        bool isOfRfc = (kernelFlags & InitFlags.FileOps) != 0;
        dialect = mode switch
        {
            LookupHandleMode.V2 or LookupHandleMode.Auto when isFinished => Dialect.RfcV2Finished,
            LookupHandleMode.V2 when isV2 && isOfRfc => Dialect.RfcV2,
            LookupHandleMode.V3 when kernel.Major == Major && kernel.Minor == HandleMinorV3 && isOfRfc => Dialect.RfcV3,
            _ => Dialect.Stock,
        };
        if (dialect != Dialect.Stock || mode is LookupHandleMode.Off or LookupHandleMode.Auto)
            return null;
        (string version, uint minor) = mode == LookupHandleMode.V2 ? ("second", HandleMinorV2) : ("third", HandleMinorV3);
        return $"this kernel (FUSE protocol {kernel.Major}.{kernel.Minor}) shows no sign of LOOKUP_HANDLE's {version} version: a kernel with it speaks {Major}.{minor} and offers bit 2"
            + (mode == LookupHandleMode.V2 ? " or bit 43" : "") + " of INIT; mount without --lookup-handle, or with --lookup-handle=auto";
    }

    /// <summary>
    /// Why a kernel cannot be served, or null when it can. A major above ours is no hindrance: the kernel then asks again in our terms.
    /// </summary>
    public static string? Objection(InitIn kernel) =>
        kernel.Major < Major || (kernel.Major == Major && kernel.Minor < OldestMinor)
            ? $"the kernel speaks FUSE protocol {kernel.Major}.{kernel.Minor}; {Major}.{OldestMinor} (Linux 5.4) or newer is needed"
            : null;
}
