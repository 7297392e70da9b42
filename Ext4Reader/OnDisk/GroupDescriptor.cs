using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>Where a block group keeps its inode table, and how much of the group is free.</summary>
internal readonly record struct GroupDescriptor(
    ulong BlockBitmap, ulong InodeBitmap, ulong InodeTable, uint FreeClusters, uint FreeInodes, bool IsInodeTableUninitialized)
{
    private const ushort BlockUninitialized = 0x2;

    /// <summary>Bytes of a descriptor without the feature 64bit; with it, the superblock says.</summary>
    internal const int MinimumSize = 32;

    private const int SizeWithHighHalves = 64;
    private const int ChecksumOffset = 0x1e;
    private const ushort InodeUninitialized = 0x1;

    internal static GroupDescriptor Parse(ReadOnlySpan<byte> raw)
    {
        bool hasHighHalves = raw.Length >= SizeWithHighHalves;
        return new GroupDescriptor(
            BlockBitmap: ReadBlockBitmap(raw),
            InodeBitmap: ReadInodeBitmap(raw),
            InodeTable: hasHighHalves ? LittleEndian.U64(raw, 0x08, 0x28) : LittleEndian.U32(raw, 0x08),       // bg_inode_table
            FreeClusters: hasHighHalves ? LittleEndian.U32(raw, low: 0x0c, high: 0x2c) : LittleEndian.U16(raw, 0x0c), // bg_free_blocks_count
            FreeInodes: hasHighHalves ? LittleEndian.U32(raw, low: 0x0e, high: 0x2e) : LittleEndian.U16(raw, 0x0e), // bg_free_inodes_count
            IsInodeTableUninitialized: (LittleEndian.U16(raw, 0x12) & InodeUninitialized) != 0);               // bg_flags
    }

    /// <summary>The block with a bit for each block of the group.</summary>
    internal static ulong ReadBlockBitmap(ReadOnlySpan<byte> raw) =>
        raw.Length >= SizeWithHighHalves ? LittleEndian.U64(raw, 0x00, 0x20) : LittleEndian.U32(raw, 0x00);    // bg_block_bitmap

    /// <summary>The block with a bit for each inode of the group.</summary>
    internal static ulong ReadInodeBitmap(ReadOnlySpan<byte> raw) =>
        raw.Length >= SizeWithHighHalves ? LittleEndian.U64(raw, 0x04, 0x24) : LittleEndian.U32(raw, 0x04);    // bg_inode_bitmap

    /// <summary>Whether the bitmap of blocks was never written: nothing but metadata is in the group.</summary>
    internal static bool IsBlockBitmapUninitialized(ReadOnlySpan<byte> raw) => (LittleEndian.U16(raw, 0x12) & BlockUninitialized) != 0; // bg_flags

    /// <summary>Notes that the group has inodes in use.</summary>
    internal static void SetInodesInitialized(Span<byte> raw, uint group, Superblock superblock)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(raw[0x12..], (ushort)(LittleEndian.U16(raw, 0x12) & ~InodeUninitialized));
        BinaryPrimitives.WriteUInt16LittleEndian(raw[ChecksumOffset..], ComputeChecksum(raw, group, superblock));
    }

    /// <summary>The checksum stored in a descriptor.</summary>
    internal static ushort StoredChecksum(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, ChecksumOffset);    // bg_checksum

    /// <summary>What the checksum must be; meaningful only if the image has group checksums at all.</summary>
    internal static ushort ComputeChecksum(ReadOnlySpan<byte> raw, uint group, Superblock superblock)
    {
        ReadOnlySpan<byte> before = raw[..ChecksumOffset];
        ReadOnlySpan<byte> after = raw[(ChecksumOffset + sizeof(ushort))..];
        if (superblock.HasMetadataChecksums)
        {
            uint crc = Crc32c.Append(Crc32c.Append(superblock.ChecksumSeed, group), before);
            return (ushort)(Crc32c.Append(Crc32c.Append(crc, [0, 0]), after) & 0xffff);
        }

        ushort sum = Crc16.Append(ushort.MaxValue, superblock.Uuid);
        sum = Crc16.Append(sum, [(byte)(group & 0xff), (byte)(group >> 8 & 0xff), (byte)(group >> 16 & 0xff), (byte)(group >> 24)]);
        // The older sum leaves out the field itself, the newer one counts it as zero.
        return Crc16.Append(Crc16.Append(sum, before), after);
    }
}
