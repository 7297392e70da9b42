using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol.Dialects;

/// <summary>
/// The wire format of LOOKUP_HANDLE as of "[RFC PATCH v2 0/6] fuse: LOOKUP_HANDLE operation" (12 December 2025).
/// </summary>
/// <remarks>
/// <code>
/// handle           | size u32 | type u32 | bytes …          (no alignment anywhere but in a listing)
/// request          | arguments as ever | [handle of the node in the header] | [extensions]
/// reply            | EntryOut 128 | handle | [OpenOut 16 of CREATE and TMPFILE]
/// READDIRPLUS      | EntryOut 128 | Dirent 24 | name, zeros to 8 | handle, zeros to 8 | EntryOut 128 | …     (the finished form only)
/// </code>
/// A size of 0 stands only behind an entry with nodeid 0. The type is always 0: what kind of handle it is belongs to its bytes.
/// </remarks>
internal static class RfcV2
{
    /// <summary>Bytes in front of a handle's own.</summary>
    public const int HandleHeaderSize = 8;

    private static readonly int EntrySize = Unsafe.SizeOf<EntryOut>();

    /// <summary>
    /// Takes the handle that a request may end with: that of the node in its header. Missing where the kernel has none.
    /// </summary>
    /// <param name="rest">What is behind the arguments, without extensions.</param>
    /// <param name="most">The size that was negotiated: handles are smaller.</param>
    /// <param name="handle">The handle's bytes; empty where there is none.</param>
    public static HandleProblem TryReadParent(ReadOnlySpan<byte> rest, int most, out ReadOnlySpan<byte> handle)
    {
        handle = default;
        if (rest.IsEmpty)
            return HandleProblem.None;
        if (rest.Length < HandleHeaderSize)
            return HandleProblem.Truncated;
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        ReadOnlySpan<byte> bytes = rest[HandleHeaderSize..];
        if (size == 0)
            return HandleProblem.Empty;
        if (size >= most)
            return HandleProblem.TooLarge;
        if (size > bytes.Length)
            return HandleProblem.Truncated;
        if (size < bytes.Length)
            return HandleProblem.Trailing;
        handle = bytes;
        return HandleProblem.None;
    }

    /// <summary>Skips the arguments of a request in front of the handle. False when they are not all there.</summary>
    public static bool TrySkipArguments(ref RequestReader request) => request.Header.Opcode switch
    {
        Opcode.LookupHandle => request.TryReadName(out _),
        Opcode.Create or Opcode.TmpFile or Opcode.MkNod => request.TrySkip(16) && request.TryReadName(out _),
        Opcode.MkDir or Opcode.Link => request.TrySkip(8) && request.TryReadName(out _),
        Opcode.SymLink => request.TryReadName(out _) && request.TryReadName(out _),
        _ => throw new InvalidOperationException("this request carries no handle"),
    };

    /// <summary>Whether requests of this kind carry a handle.</summary>
    public static bool CarriesHandle(Opcode opcode) => opcode is Opcode.LookupHandle or Opcode.Create or Opcode.TmpFile or Opcode.MkNod
        or Opcode.MkDir or Opcode.SymLink or Opcode.Link;

    /// <summary>The bytes of an entry's reply.</summary>
    /// <param name="handleSize">The bytes of its handle, 0 for that of a name that is not there.</param>
    public static int ReplySize(int handleSize) => EntrySize + HandleHeaderSize + handleSize;

    /// <summary>
    /// The place of the handle behind an entry, its size filled in: the reply to LOOKUP_HANDLE, MKNOD, MKDIR, SYMLINK and LINK.
    /// </summary>
    /// <param name="reply">Where the entry starts.</param>
    /// <param name="handleSize">The bytes of the handle; 0 where the entry has nodeid 0.</param>
    /// <param name="most">The size that was negotiated: handles are smaller.</param>
    /// <param name="place">Where its bytes go.</param>
    /// <returns>False when the handle is larger than was negotiated: it is never cut short.</returns>
    public static bool TryPlaceHandle(Span<byte> reply, int handleSize, int most, out Span<byte> place)
    {
        if (handleSize >= most)
        {
            place = default;
            return false;
        }
        place = Place(reply[EntrySize..], handleSize);
        return true;
    }

    /// <summary>Adds what CREATE and TMPFILE say of the opened file, right behind the last byte of the handle.</summary>
    /// <param name="reply">Where the entry starts.</param>
    /// <param name="handleSize">The bytes of the handle.</param>
    /// <param name="open">The opened file.</param>
    /// <returns>The bytes of the whole reply.</returns>
    public static int AddOpen(Span<byte> reply, int handleSize, in OpenOut open)
    {
        int end = ReplySize(handleSize);
        MemoryMarshal.Write(reply[end..], in open);
        return end + Unsafe.SizeOf<OpenOut>();
    }

    /// <summary>What a handle takes behind a name of READDIRPLUS.</summary>
    /// <param name="handleSize">The bytes of the handle, 0 for that of an entry with nodeid 0.</param>
    public static int ListedSize(int handleSize) => (HandleHeaderSize + handleSize + 7) & ~7;

    /// <summary>
    /// Goes on to the next name of a listing that was made with room for handles: the one place that knows how such a record is laid out.
    /// </summary>
    /// <param name="listing">What is left of it; the record is taken away.</param>
    /// <param name="handleSize">The bytes of a handle.</param>
    /// <param name="nodeId">The entry's; 0 has no handle.</param>
    /// <returns>Where the handle's bytes go, its size filled in; empty where there is none.</returns>
    public static Span<byte> NextListed(ref Span<byte> listing, int handleSize, out ulong nodeId)
    {
        nodeId = MemoryMarshal.Read<EntryOut>(listing).NodeId;
        Dirent name = MemoryMarshal.Read<Dirent>(listing[EntrySize..]);
        int start = (EntrySize + Unsafe.SizeOf<Dirent>() + (int)name.NameLength + 7) & ~7;
        int size = nodeId == 0 ? 0 : handleSize;
        Span<byte> place = Place(listing[start..], size);
        listing = listing[(start + ListedSize(size))..];
        return place;
    }

    private static Span<byte> Place(Span<byte> destination, int handleSize)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)handleSize);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], 0);
        return destination.Slice(HandleHeaderSize, handleSize);
    }
}
