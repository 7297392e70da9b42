using System.Buffers.Binary;
using System.Numerics;

namespace Handles;

/// <summary>What is wrong with bytes that should be a handle.</summary>
public enum FileHandleDefect
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>They are of another length, version or kind.</summary>
    Form,

    /// <summary>They are of another filesystem.</summary>
    Filesystem,
}

/// <summary>
/// The portable bytes of a <see cref="FileHandle"/>: 16, little-endian on every machine, with a version and a tag of the filesystem,
/// so that bytes of another filesystem or of a format we do not know are recognised as stale and never guessed at.
/// </summary>
/// <remarks>
/// <code>
/// @0 +1 version = 1    @1 +1 kind = 1 (inode and generation)    @2 +2 zero
/// @4 +4 tag: CRC-32C of the filesystem's UUID    @8 +4 inode number    @12 +4 generation
/// </code>
/// </remarks>
public static class FileHandleEncoding
{
    /// <summary>Bytes of an encoded handle.</summary>
    public const int Size = 16;

    private const byte Version = 1;
    private const byte Kind = 1;

    /// <summary>The tag of a filesystem: CRC-32C of its 16 UUID bytes as the superblock has them.</summary>
    public static uint VolumeTag(ReadOnlySpan<byte> uuid)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(uuid.Length, 16);
        uint crc = BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(uuid));
        return ~BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(uuid[8..]));
    }

    /// <summary>Writes <paramref name="handle"/> into the first <see cref="Size"/> bytes of <paramref name="destination"/>.</summary>
    public static void Encode(FileHandle handle, uint volumeTag, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, Size);
        destination[0] = Version;
        destination[1] = Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], volumeTag);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], handle.Inode);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], handle.Generation);
    }

    /// <summary>
    /// Reads a handle of the filesystem with <paramref name="volumeTag"/>. False when the bytes are of another length, version, kind or
    /// filesystem: then the handle is stale.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, uint volumeTag, out FileHandle handle)
    {
        if (Decode(bytes, volumeTag, out handle) == FileHandleDefect.None)
            return true;
        handle = default;
        return false;
    }

    /// <summary>Reads a handle and says what is wrong with it, if anything is.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="volumeTag">The tag of the filesystem that it should be of.</param>
    /// <param name="handle">The handle; that of another filesystem, too, but for showing only.</param>
    public static FileHandleDefect Decode(ReadOnlySpan<byte> bytes, uint volumeTag, out FileHandle handle)
    {
        handle = default;
        if (bytes.Length != Size || bytes[0] != Version || bytes[1] != Kind || BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) != 0)
            return FileHandleDefect.Form;
        uint inode = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (inode == 0)
            return FileHandleDefect.Form;
        handle = new FileHandle(inode, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == volumeTag ? FileHandleDefect.None : FileHandleDefect.Filesystem;
    }
}
