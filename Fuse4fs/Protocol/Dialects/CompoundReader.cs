using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol.Dialects;

/// <summary>
/// Walks over the parts of a compound, as of its fifth series (10 February 2026). The sixth and the seventh (26 February and 4 June 2026) frame the same parts
/// otherwise: whoever speaks them replaces this type and <see cref="CompoundOut"/>, and nothing else.
/// </summary>
/// <remarks>
/// <code>
/// request  | InHeader 40, nodeid 0 | CompoundIn 24 | InHeader 40, arguments | InHeader 40, arguments | …      (nothing between them)
/// reply    | OutHeader 16 | CompoundOut 16 | OutHeader 16, reply | OutHeader 16, reply | …
/// </code>
/// The parts have unique 0. All were checked when the reader was made: reading them cannot fail.
/// </remarks>
internal ref struct CompoundReader
{
    /// <summary>Parts of a compound at the most.</summary>
    public const int MostParts = 16;

    /// <summary>The flags that have a meaning: SEPARABLE and ATOMIC. Requests that only read are both.</summary>
    public const uint KnownFlags = 3;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Parts in all.</summary>
    public int Count { get; private set; }

    /// <summary>What of <see cref="CompoundIn.Flags"/> is set.</summary>
    public uint Flags { get; private set; }

    /// <summary>The bytes that the kernel has for replies, without their headers.</summary>
    public uint Room { get; private set; }

    /// <summary>Checks a compound's frame.</summary>
    public static HandleProblem TryOpen(ref RequestReader request, out CompoundReader reader)
    {
        reader = default;
        if (!request.TryRead(out CompoundIn compound))
            return HandleProblem.Truncated;
        if (compound.Count is 0 or > MostParts)
            return HandleProblem.BadCompound;
        ReadOnlySpan<byte> rest = request.Rest;
        reader = new CompoundReader { _rest = rest, Count = (int)compound.Count, Flags = compound.Flags, Room = compound.ResultSize };
        for (uint part = 0; part < compound.Count; part++)
        {
            if (rest.Length < Unsafe.SizeOf<InHeader>())
                return HandleProblem.Truncated;
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            if (length < Unsafe.SizeOf<InHeader>() || length > rest.Length)
                return HandleProblem.BadCompound;
            rest = rest[(int)length..];
        }
        return rest.IsEmpty ? HandleProblem.None : HandleProblem.BadCompound;
    }

    /// <summary>The next part. False after the last one.</summary>
    public bool TryNext(out RequestReader part)
    {
        part = default;
        if (_rest.IsEmpty)
            return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
        bool isWhole = RequestReader.TryOpenPart(_rest[..length], out part);
        _rest = _rest[length..];
        return isWhole;
    }
}

/// <summary>fuse_compound_in of the fifth series.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CompoundIn
{
    public uint Count;
    public uint Flags;
    /// <summary>The sum of what the kernel has reserved for the parts' replies, without their headers.</summary>
    public uint ResultSize;
    public uint Padding;
    public ulong Reserved;
}

/// <summary>fuse_compound_out of the fifth series.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CompoundOut
{
    public uint Count;
    public uint Flags;
    public ulong Reserved;
}
