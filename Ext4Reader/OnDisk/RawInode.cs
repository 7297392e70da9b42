using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ext4Reader.OnDisk;

/// <summary>
/// The 128 bytes that every inode has, field by field, with the names of the kernel document ext4/inodes but for the prefix. Inodes are what is read most, so they are
/// looked at where they lie; that takes a machine that counts as ext4 does, little-endian.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct RawInode
{
    internal readonly ushort Mode;
    internal readonly ushort UserIdLow;
    internal readonly uint SizeLow;
    internal readonly uint AccessTime;
    internal readonly uint ChangeTime;
    internal readonly uint ModificationTime;
    internal readonly uint DeletionTime;
    internal readonly ushort GroupIdLow;
    internal readonly ushort LinkCount;
    internal readonly uint BlocksLow;
    internal readonly uint Flags;
    internal readonly uint Version;
    internal readonly MapBytes Map;
    internal readonly uint Generation;
    internal readonly uint AttributeBlockLow;
    internal readonly uint SizeHigh;
    internal readonly uint FragmentAddress;
    internal readonly ushort BlocksHigh;
    internal readonly ushort AttributeBlockHigh;
    internal readonly ushort UserIdHigh;
    internal readonly ushort GroupIdHigh;
    internal readonly ushort ChecksumLow;
    internal readonly ushort Reserved;

    /// <summary>The fields of a record.</summary>
    /// <param name="raw">The record, at least 128 bytes.</param>
    internal static ref readonly RawInode Of(ReadOnlySpan<byte> raw) => ref MemoryMarshal.AsRef<RawInode>(raw);

    /// <summary>The 60 bytes of i_block.</summary>
    [InlineArray(InodeRecord.MapSize)]
    internal struct MapBytes
    {
        private byte _first;
    }
}

/// <summary>The fields behind the first 128 bytes. How many of them an inode has, it says itself (i_extra_isize).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly struct RawInodeExtra
{
    internal readonly ushort Size;
    internal readonly ushort ChecksumHigh;
    internal readonly uint ChangeTimeExtra;
    internal readonly uint ModificationTimeExtra;
    internal readonly uint AccessTimeExtra;
    internal readonly uint BirthTime;
    internal readonly uint BirthTimeExtra;
    internal readonly uint VersionHigh;
    internal readonly uint ProjectId;

    /// <summary>The fields of a record; all 0 where it has room for none.</summary>
    /// <param name="raw">The record: 128 bytes, or a power of two above.</param>
    internal static RawInodeExtra Of(ReadOnlySpan<byte> raw) =>
        raw.Length > InodeRecord.MinimumSize ? MemoryMarshal.AsRef<RawInodeExtra>(raw[InodeRecord.MinimumSize..]) : default;
}
