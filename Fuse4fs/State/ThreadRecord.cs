using System.Runtime.InteropServices;

namespace Fuse4fs.State;

/// <summary>
/// What one reader thread of a worker leaves behind if it is killed: the request it had in hand, and its counts. Written by that thread
/// alone, read by the supervisor and by successors.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadRecord
{
    /// <summary>Bytes from one record to the next.</summary>
    public const int Size = 2048;

    /// <summary>Opcodes that are counted one by one; all others together as 0.</summary>
    public const int Opcodes = 64;

    /// <summary>Error numbers that are counted one by one; all others together as 0.</summary>
    public const int Errnos = 134;

    /// <summary>The <c>unique</c> of the request in hand, without its resend bit; 0 between requests.</summary>
    public ulong Unique;

    /// <summary>What it is about.</summary>
    public ulong NodeId;

    /// <summary>When it was taken, in milliseconds of the monotonic clock.</summary>
    public long Since;

    /// <summary>What it asks for.</summary>
    public uint Opcode;

    private readonly uint _padding;

    /// <summary>Requests answered.</summary>
    public ulong Answers;

    /// <summary>Requests by opcode.</summary>
    public fixed ulong ByOpcode[Opcodes];

    /// <summary>Refusals by error number.</summary>
    public fixed uint ByErrno[Errnos];

    /// <summary>Takes a request in hand: two stores that matter, in this order.</summary>
    public void Begin(ulong unique, ulong nodeId, uint opcode)
    {
        NodeId = nodeId;
        Opcode = opcode;
        Since = Environment.TickCount64;
        Volatile.Write(ref Unique, unique);
    }

    /// <summary>The request is answered, or needed no answer.</summary>
    public void End(uint opcode, int errno)
    {
        Volatile.Write(ref Unique, 0);
        Answers++;
        ByOpcode[opcode < Opcodes ? opcode : 0]++;
        if (errno != 0)
            ByErrno[errno < Errnos ? errno : 0]++;
    }
}

/// <summary>A request that was in hand when a worker crashed, and how often that has happened to it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Suspect
{
    /// <summary>How many are remembered.</summary>
    public const int Most = 64;

    /// <summary>Its <c>unique</c>, without the resend bit; 0: nobody is here.</summary>
    public ulong Unique;

    /// <summary>What it is about.</summary>
    public ulong NodeId;

    /// <summary>What it asks for.</summary>
    public uint Opcode;

    /// <summary>Workers that have crashed with it in hand.</summary>
    public uint Deaths;
}
