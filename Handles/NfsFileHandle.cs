using System.Buffers.Binary;

namespace Handles;

/// <summary>
/// The file handles that NFS servers give to their clients: what the server needs to find the export, and in it the kernel's handle of the file, which is all that is
/// read here. What a server is told to call a filesystem (fsid) says nothing certain of which filesystem it is.
/// </summary>
/// <remarks>
/// <code>
/// knfsd:   @0 +1 version = 1    @1 +1 0    @2 +1 kind of fsid    @3 +1 type    @4 fsid    then f_handle; none of type 0, the root of the export
/// Ganesha: @0 +1 version = 0x43 @1 +1 flags    @2 +2 export    @4 +1 length of what follows
///          @5 +1 kind of fsid, and in the two upper bits the width of the type    @6 fsid    then type, f_handle
/// </code>
/// Ganesha's is that of its VFS module. Numbers in the byte order of the server; here, of little-endian ones.
/// </remarks>
public static class NfsFileHandle
{
    private const byte Knfsd = 1;
    private const byte Ganesha = 0x43;

    // Bytes of fsid by its kind: enum nfsd_fsid (fs/nfsd/nfsfh.h) and Ganesha's enum fsid_type.
    private static readonly byte[] KnfsdFsidSizes = [8, 4, 12, 8, 8, 8, 16, 24];
    private static readonly byte[] GaneshaFsidSizes = [0, 8, 8, 16, 8, 8];

    /// <summary>Finds the kernel's handle. The bytes may come from anywhere.</summary>
    /// <param name="bytes">The NFS handle, as a network trace has it.</param>
    /// <param name="handle">
    /// The kernel's handle, of type <see cref="KernelHandleType.Unknown"/> if it is of no known form. The root of an export is taken for that of a mount of ours.
    /// </param>
    /// <returns>False if the bytes are of no server that is known here.</returns>
    public static bool TryUnwrap(ReadOnlySpan<byte> bytes, out KernelFileHandle handle)
    {
        handle = default;
        return bytes.Length >= 6 && bytes[0] switch
        {
            Knfsd => bytes[1] == 0 && TryUnwrapKnfsd(bytes[2], bytes[3], bytes[4..], out handle),
            Ganesha => TryUnwrapGanesha(bytes[4], bytes[5], bytes[5..], out handle),
            _ => false,
        };
    }

    private static bool TryUnwrapKnfsd(byte kind, byte type, ReadOnlySpan<byte> rest, out KernelFileHandle handle)
    {
        handle = default;
        if (kind >= KnfsdFsidSizes.Length || rest.Length < KnfsdFsidSizes[kind])
            return false;
        ReadOnlySpan<byte> body = rest[KnfsdFsidSizes[kind]..];
        if (type == 0 && body.IsEmpty)
            handle = KernelFileHandle.OfFuse(FileHandle.Root);
        else
            _ = KernelFileHandle.Decode(type, body, out handle);
        return true;
    }

    private static bool TryUnwrapGanesha(byte length, byte first, ReadOnlySpan<byte> rest, out KernelFileHandle handle)
    {
        handle = default;
        int kind = first & 0x1f, width = (first >> 6) switch { 1 => 1, 2 => 2, 3 => 4, _ => 0 };
        if (rest.Length < length || kind >= GaneshaFsidSizes.Length || width == 0)
            return false;
        int at = 1 + GaneshaFsidSizes[kind];
        if (length < at + width)
            return false;
        ReadOnlySpan<byte> type = rest[at..];
        uint word = width switch { 1 => type[0], 2 => BinaryPrimitives.ReadUInt16LittleEndian(type), _ => BinaryPrimitives.ReadUInt32LittleEndian(type) };
        _ = KernelFileHandle.Decode(word, rest[(at + width)..length], out handle);
        return true;
    }
}
