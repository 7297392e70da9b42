using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fuse4fs.Protocol;

// What the server answers, as include/uapi/linux/fuse.h lays it out (protocol 7.45; host byte order, kernel widths).
// The kernel refuses a reply whose size is not exactly the one it expects.

/// <summary>Stands in front of every reply and notification.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OutHeader
{
    public uint Length;
    /// <summary>0, a negative error number, or, with <see cref="Unique"/> 0, the positive code of a notification.</summary>
    public int Error;
    public ulong Unique;
}

[StructLayout(LayoutKind.Sequential)]
internal struct InitOut
{
    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
    public ushort MaxBackground;
    public ushort CongestionThreshold;
    public uint MaxWrite;
    public uint TimeGranularity;
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
    public ushort RequestTimeout;
    /// <summary>Of LOOKUP_HANDLE's second version: the size of the largest handle. Nothing elsewhere.</summary>
    public ushort MaxHandleSize;
    public Padding20 Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct Attr
{
    public ulong Ino;
    public ulong Size;
    /// <summary>Units of 512 bytes.</summary>
    public ulong Blocks;
    public ulong AccessSeconds;
    public ulong ModificationSeconds;
    public ulong ChangeSeconds;
    public uint AccessNanoseconds;
    public uint ModificationNanoseconds;
    public uint ChangeNanoseconds;
    public uint Mode;
    public uint LinkCount;
    public uint UserId;
    public uint GroupId;
    /// <summary>The kernel's old 32-bit encoding: minor bits 0-7 and 20-31, major bits 8-19.</summary>
    public uint Device;
    public uint BlockSize;
    public uint Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct EntryOut
{
    public ulong NodeId;
    public ulong Generation;
    public ulong EntryValid;
    public ulong AttrValid;
    public uint EntryValidNanoseconds;
    public uint AttrValidNanoseconds;
    public Attr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AttrOut
{
    public ulong AttrValid;
    public uint AttrValidNanoseconds;
    public uint Padding;
    public Attr Attr;
}

[StructLayout(LayoutKind.Sequential)]
internal struct StatxTime
{
    public long Seconds;
    public uint Nanoseconds;
    public int Reserved;
}

[StructLayout(LayoutKind.Sequential)]
internal struct Statx
{
    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint UserId;
    public uint GroupId;
    public ushort Mode;
    public ushort Padding;
    public ulong Ino;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatxTime AccessTime;
    public StatxTime BirthTime;
    public StatxTime ChangeTime;
    public StatxTime ModificationTime;
    public uint DeviceMajor;
    public uint DeviceMinor;
    public uint FilesystemMajor;
    public uint FilesystemMinor;
    public Padding112 Spare;
}

[StructLayout(LayoutKind.Sequential)]
internal struct StatxOut
{
    public ulong AttrValid;
    public uint AttrValidNanoseconds;
    public uint Flags;
    public Padding16 Spare;
    public Statx Stat;
}

[StructLayout(LayoutKind.Sequential)]
internal struct OpenOut
{
    public ulong FileHandle;
    public uint OpenFlags;
    public int BackingId;
}

[StructLayout(LayoutKind.Sequential)]
internal struct StatFsOut
{
    public ulong Blocks;
    public ulong FreeBlocks;
    public ulong AvailableBlocks;
    public ulong Files;
    public ulong FreeFiles;
    public uint BlockSize;
    public uint NameLength;
    public uint FragmentSize;
    public uint Padding;
    public Padding24 Spare;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GetXattrOut
{
    public uint Size;
    public uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LSeekOut
{
    public ulong Offset;
}

[StructLayout(LayoutKind.Sequential)]
internal struct IoctlOut
{
    public int Result;
    public uint Flags;
    public uint InVectors;
    public uint OutVectors;
}

/// <summary>One name of READDIR; the name follows, and zeros up to a multiple of 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Dirent
{
    public ulong Ino;
    public ulong Offset;
    public uint NameLength;
    /// <summary>DT_REG and its kin: the file type bits of a mode, shifted right by 12.</summary>
    public uint Type;
}

#pragma warning disable CA1823, IDE0044, IDE0051 // an inline array has one field that nobody names
[InlineArray(2)]
internal struct Padding16
{
    private ulong _first;
}

[InlineArray(10)]
internal struct Padding20
{
    private ushort _first;
}

[InlineArray(6)]
internal struct Padding24
{
    private uint _first;
}

[InlineArray(14)]
internal struct Padding112
{
    private ulong _first;
}
