using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

// The messages of the kernel, as include/uapi/linux/fuse.h lays them out (protocol 7.45; host byte order, kernel widths).
// Names are the kernel's without the prefix: fuse_getattr_in is GetAttrIn.

/// <summary>Stands in front of every request.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InHeader
{
    /// <summary>Bytes of the whole message, this header included.</summary>
    public uint Length;
    public Opcode Opcode;
    /// <summary>Names the request; a reply echoes it, bit 63 (resent) included.</summary>
    public ulong Unique;
    public ulong NodeId;
    public uint UserId;
    public uint GroupId;
    public uint ProcessId;
    /// <summary>Extensions behind the arguments, in units of 8 bytes.</summary>
    public ushort TotalExtLength;
    public ushort Padding;
}

/// <summary>INIT as every kernel sends it; before protocol 7.36 the message ends after <see cref="Flags"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InitIn
{
    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ForgetIn
{
    public ulong LookupCount;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GetAttrIn
{
    public uint GetAttrFlags;
    public uint Padding;
    public ulong OpenId;
}

[StructLayout(LayoutKind.Sequential)]
internal struct StatxIn
{
    public uint GetAttrFlags;
    public uint Reserved;
    public ulong OpenId;
    public uint StatxFlags;
    public uint StatxMask;
}

/// <summary>READ, READDIR and READDIRPLUS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ReadIn
{
    public ulong OpenId;
    /// <summary>Byte offset in the file, or the cookie after which a listing goes on.</summary>
    public ulong Offset;
    public uint Size;
    public uint ReadFlags;
    public ulong LockOwner;
    public uint Flags;
    public uint Padding;
}

/// <summary>GETXATTR and LISTXATTR: the room that the caller has, 0 to ask for the size.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GetXattrIn
{
    public uint Size;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AccessIn
{
    public uint Mask;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LSeekIn
{
    public ulong OpenId;
    public ulong Offset;
    public uint Whence;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct IoctlIn
{
    public ulong OpenId;
    public uint Flags;
    public uint Command;
    public ulong Argument;
    public uint InSize;
    public uint OutSize;
}
