using System.Numerics;
using System.Runtime.InteropServices;
using Ext4Reader;

namespace Fuse4fs.Server;

/// <summary>
/// 63 bits over the record of an inode, all of it but what changes without meaning anything: the access time, the deletion time and the
/// checksums (tune2fs rewrites those of all inodes). An even number, never 0: the lowest bit is a mark of the table that they are kept in.
/// </summary>
internal static class InodeFingerprint
{
    /// <summary>The bytes of a usual record; there are longer ones.</summary>
    public const int UsualRecord = 256;

    // Words of the record (kernel document ext4/inodes) and what of them is left out: i_atime, i_dtime, the checksum's halves, i_atime_extra.
    private const int WordsWithoutExtra = 16;
    private const ulong LowHalf = uint.MaxValue;
    private const ulong HighHalf = LowHalf << 32;

    [ThreadStatic]
    private static byte[]? _long;

    /// <summary>Room for one record of an image.</summary>
    /// <param name="volume">The image's.</param>
    /// <param name="usual">As much as a usual one takes.</param>
    public static Span<byte> Room(Ext4Volume volume, Span<byte> usual)
    {
        int size = volume.InodeSize;
        if (size <= usual.Length)
            return usual[..size];
        return _long?.Length == size ? _long : _long = new byte[size];
    }

    /// <summary>The fingerprint of an inode of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="number">The number of an inode that is there.</param>
    public static ulong Of(Ext4Image image, uint number)
    {
        Span<byte> record = Room(image.Volume, stackalloc byte[UsualRecord]);
        return image.TryGetInode(number, record, out _) ? Of(record) : 0;
    }

    /// <summary>The fingerprint of a record, which is changed in the making.</summary>
    /// <param name="record">128 bytes, or a power of two above.</param>
    public static ulong Of(Span<byte> record)
    {
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(record);
        words[0x08 / 8] &= HighHalf;
        words[0x10 / 8] &= LowHalf;
        words[0x78 / 8] &= 0xffff_0000_ffff_ffff;
        if (words.Length > WordsWithoutExtra)
        {
            words[0x80 / 8] &= 0xffff_ffff_0000_ffff;
            words[0x88 / 8] &= LowHalf;
        }

        uint first = uint.MaxValue;
        ulong second = (ulong)record.Length;
        foreach (ulong word in words)
        {
            first = BitOperations.Crc32C(first, word);
            second = unchecked((BitOperations.RotateLeft(second, 23) ^ word) * 0x9fb21c651e98df25UL); // modulo 2^64 is the function
        }
        ulong both = (second ^ ((ulong)first << 32 | first)) & ~1UL;
        return both != 0 ? both : 2;
    }
}
