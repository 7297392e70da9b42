namespace Fuse4fs.Protocol;

/// <summary>
/// Capabilities negotiated by INIT, bits 32 to 63 being the <c>flags2</c> word (include/uapi/linux/fuse.h, "INIT request/reply flags").
/// Only those that are looked at or asked for have names.
/// </summary>
[Flags]
internal enum InitFlags : ulong
{
    None = 0,
    AsyncRead = 1UL << 0,
    ExportSupport = 1UL << 4,
    BigWrites = 1UL << 5,
    HasIoctlDir = 1UL << 11,
    AutoInvalData = 1UL << 12,
    DoReadDirPlus = 1UL << 13,
    ReadDirPlusAuto = 1UL << 14,
    NoOpenSupport = 1UL << 17,
    ParallelDirOps = 1UL << 18,
    PosixAcl = 1UL << 20,
    AbortError = 1UL << 21,
    MaxPages = 1UL << 22,
    CacheSymlinks = 1UL << 23,
    NoOpenDirSupport = 1UL << 24,
    InitExt = 1UL << 30,
    HasExpireOnly = 1UL << 35,
    HasResend = 1UL << 39,

    /// <summary>FUSE_FILE_OPS: no kernel offers it but, by mistake, those with the LOOKUP_HANDLE patches of the RFCs.</summary>
    FileOps = 1UL << 2,

    /// <summary>FUSE_HAS_LOOKUP_HANDLE in those patches, with protocol 7.45. From 7.46 on the bit is FUSE_HAS_IO_URING_BUFPOOL.</summary>
    LookupHandle = 1UL << 43,
}
