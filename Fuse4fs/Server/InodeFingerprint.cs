using System.Buffers.Binary;
using System.Numerics;
using Ext4Reader;

namespace Fuse4fs.Server;

/// <summary>
/// 63 bits over the record of an inode, all of it but what changes without meaning anything: the access time, the deletion time and the
/// checksums (tune2fs rewrites those of all inodes). An even number, never 0: the lowest bit is a mark of the table that they are kept in.
/// </summary>
internal static class InodeFingerprint
{
    // Offsets in the record (kernel document ext4/inodes): i_atime, i_dtime, the checksum's halves, i_atime_extra.
    private static readonly (int Offset, int Length)[] Ignored = [(0x08, 4), (0x14, 4), (0x7c, 2), (0x82, 2), (0x8c, 4)];

    /// <summary>The fingerprint of an inode of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="number">The inode number.</param>
    public static ulong Of(Ext4Image image, uint number)
    {
        Span<byte> room = stackalloc byte[256];
        Span<byte> record = image.Volume.InodeSize <= room.Length ? room[..image.Volume.InodeSize] : new byte[image.Volume.InodeSize];
        image.CopyRecord(number, record);
        return Of(record);
    }

    /// <summary>The fingerprint of a record, which is changed in the making.</summary>
    public static ulong Of(Span<byte> record)
    {
        foreach ((int offset, int length) in Ignored)
            if (offset + length <= record.Length)
                record.Slice(offset, length).Clear();
        uint first = uint.MaxValue;
        ulong second = (ulong)record.Length;
        for (int at = 0; at < record.Length; at += sizeof(ulong))
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(record[at..]); // inode sizes are powers of two from 128 on
            first = BitOperations.Crc32C(first, word);
            second = unchecked((BitOperations.RotateLeft(second, 23) ^ word) * 0x9fb21c651e98df25UL); // modulo 2^64 is the function
        }
        ulong both = (second ^ ((ulong)first << 32 | first)) & ~1UL;
        return both != 0 ? both : 2;
    }
}
