namespace Fuse4fs.Protocol.Dialects;

/// <summary>
/// The forms of the protocol in which a server tells the kernel its own handles of files. Chosen once, at INIT; all but the first are proposals that no
/// released kernel speaks. They differ in how a LOOKUP is framed and in what stands behind an entry, in nothing else. (The numbers are in the state.)
/// </summary>
internal enum Dialect : uint
{
    /// <summary>What released kernels speak: the nodeid is all that names a file.</summary>
    Stock = 0,

    /// <summary>
    /// "[RFC PATCH v2 0/6] fuse: LOOKUP_HANDLE operation" (12 December 2025) to the letter: see <see cref="RfcV2"/>. With what does not work there left off:
    /// no READDIRPLUS, no NFS export, never the root in a reply.
    /// </summary>
    RfcV2 = 1,

    /// <summary>
    /// The same framing, from a kernel in which it is finished (tests/kernel): that one offers the capability, READDIRPLUS carries handles, export works, and
    /// one notification after a restart has the kernel ask for each file before it is used again.
    /// </summary>
    RfcV2Finished = 2,

    /// <summary>
    /// "[RFC PATCH v3 0/8] fuse: LOOKUP_HANDLE operation" (25 February 2026), on compounds of the fifth series (10 February 2026): see <see cref="RfcV3"/>.
    /// No READDIRPLUS: there, an entry without a handle makes the inode bad.
    /// </summary>
    RfcV3 = 3,
}

/// <summary>What is possible in which dialect.</summary>
internal static class DialectRules
{
    /// <summary>
    /// What is told to the kernel as the size of the largest handle (max_handle_sz of INIT). One more than the 16 that ours have would do: of the RFC's kernel
    /// the size must be less than this.
    /// </summary>
    public const ushort MaxHandleSize = 32;

    /// <summary>Whether requests and replies carry handles in the framing of v2.</summary>
    public static bool IsV2(this Dialect dialect) => dialect is Dialect.RfcV2 or Dialect.RfcV2Finished;

    /// <summary>Whether the kernel reads directories together with what LOOKUP would answer.</summary>
    public static bool HasReadDirPlus(this Dialect dialect) => dialect is Dialect.Stock or Dialect.RfcV2Finished;

    /// <summary>Whether the kernel can be asked for files that it has forgotten, as for NFS.</summary>
    public static bool HasExport(this Dialect dialect) => dialect is not Dialect.RfcV2;

    /// <summary>Whether entries may name the root: the RFC's kernel follows a handle of the root's that it does not have.</summary>
    public static bool MayNameRoot(this Dialect dialect) => dialect is not Dialect.RfcV2;

    /// <summary>Whether RESTARTED takes the place of invalidations.</summary>
    public static bool HasRestarted(this Dialect dialect) => dialect is Dialect.RfcV2Finished;
}
