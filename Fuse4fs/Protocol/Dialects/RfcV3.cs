using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol.Dialects;

/// <summary>
/// The wire format of LOOKUP_HANDLE as of "[RFC PATCH v3 0/8] fuse: LOOKUP_HANDLE operation" (25 February 2026): a lookup is a compound of two requests
/// (<see cref="CompoundReader"/>), an entry comes without attributes, and the handle of a node is an extension of the request.
/// </summary>
/// <remarks>
/// <code>
/// handle           | size u16 | bytes …
/// extension        | size u32 | type u32 = 33 | handle, zeros to 8        size: all of it
/// LOOKUP_HANDLE    | name, NUL | [extensions]                             total_extlen of the header stays 0
/// MKOBJ_HANDLE     | create_in 16 | name, NUL | [extensions]
/// reply to both    | Entry2Out 40 | handle in 130 bytes                   the kernel takes all 130, whatever comes
/// </code>
/// </remarks>
internal static class RfcV3
{
    /// <summary>A compound. (The second version has LOOKUP_HANDLE by this number.)</summary>
    public const Opcode Compound = (Opcode)54;

    /// <summary>LOOKUP, answered with a handle and without attributes. Only in compounds.</summary>
    public const Opcode LookupHandle = (Opcode)55;

    /// <summary>CREATE without the opening, answered likewise. Only in compounds.</summary>
    public const Opcode MakeObjectHandle = (Opcode)56;

    /// <summary>The largest handle (MAX_HANDLE_SZ): nothing is negotiated.</summary>
    public const int MaxHandleSize = 128;

    /// <summary>Bytes of the reply to <see cref="LookupHandle"/> and <see cref="MakeObjectHandle"/>.</summary>
    public const int EntrySize = 40 + HandleHeaderSize + MaxHandleSize;

    private const int HandleHeaderSize = 2;
    private const int ExtensionHeaderSize = 8;
    private const uint HandleExtension = 33; // FUSE_EXT_HANDLE
    private const int CreateInSize = 16;

    /// <summary>Takes a name, after what stands in front of it. False when it is not all there.</summary>
    public static bool TryReadName(ref RequestReader part, out ReadOnlySpan<byte> name)
    {
        name = default;
        return (part.Header.Opcode != MakeObjectHandle || part.TrySkip(CreateInSize)) && part.TryReadName(out name);
    }

    /// <summary>Looks for the handle of the node in a request's header among its extensions. Those of other types are passed over.</summary>
    /// <param name="extensions">All that is behind the arguments.</param>
    /// <param name="handle">The handle's bytes; empty where there is none.</param>
    public static HandleProblem TryReadParent(ReadOnlySpan<byte> extensions, out ReadOnlySpan<byte> handle)
    {
        handle = default;
        while (!extensions.IsEmpty)
        {
            if (extensions.Length < ExtensionHeaderSize)
                return HandleProblem.Truncated;
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(extensions);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(extensions[4..]);
            if (size < ExtensionHeaderSize || size % 8 != 0)
                return HandleProblem.BadExtension;
            if (size > extensions.Length)
                return HandleProblem.Truncated;
            if (type == HandleExtension)
            {
                HandleProblem problem = handle.IsEmpty ? TryReadHandle(extensions[ExtensionHeaderSize..(int)size], out handle) : HandleProblem.Repeated;
                if (problem != HandleProblem.None)
                    return problem;
            }
            extensions = extensions[(int)size..];
        }
        return HandleProblem.None;
    }

    /// <summary>Writes an entry, and the size of its handle, zeros behind it.</summary>
    /// <param name="reply">Room for <see cref="EntrySize"/> bytes.</param>
    /// <param name="entry">The entry. The kernel takes both timeouts from that of the name.</param>
    /// <param name="handleSize">The bytes of the handle, 1 to <see cref="MaxHandleSize"/>.</param>
    /// <param name="place">Where they go.</param>
    /// <returns>False when the handle is too large: it is never cut short.</returns>
    public static bool TryWriteEntry(Span<byte> reply, in EntryOut entry, int handleSize, out Span<byte> place)
    {
        place = default;
        if (handleSize is < 1 or > MaxHandleSize)
            return false;
        reply[..EntrySize].Clear();
        var head = new Entry2Out
        {
            NodeId = entry.NodeId,
            Generation = entry.Generation,
            EntryValid = entry.EntryValid,
            EntryValidNanoseconds = entry.EntryValidNanoseconds,
        };
        MemoryMarshal.Write(reply, in head);
        Span<byte> handle = reply[Unsafe.SizeOf<Entry2Out>()..];
        BinaryPrimitives.WriteUInt16LittleEndian(handle, (ushort)handleSize);
        place = handle.Slice(HandleHeaderSize, handleSize);
        return true;
    }

    private static HandleProblem TryReadHandle(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> handle)
    {
        handle = default;
        if (body.Length < HandleHeaderSize)
            return HandleProblem.Truncated;
        int size = BinaryPrimitives.ReadUInt16LittleEndian(body);
        if (size == 0)
            return HandleProblem.Empty;
        if (size > MaxHandleSize)
            return HandleProblem.TooLarge;
        if (size > body.Length - HandleHeaderSize)
            return HandleProblem.Truncated;
        handle = body.Slice(HandleHeaderSize, size);
        return HandleProblem.None;
    }
}

/// <summary>fuse_entry2_out: what of an entry is not an attribute.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Entry2Out
{
    public ulong NodeId;
    public ulong Generation;
    public ulong EntryValid;
    public uint EntryValidNanoseconds;
    public uint Flags;
    public ulong Spare;
}
