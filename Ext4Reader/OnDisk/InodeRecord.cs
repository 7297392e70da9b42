using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>The inode as it lies in an inode table.</summary>
internal static class InodeRecord
{
    /// <summary>Bytes every inode has; what the superblock grants beyond holds extra fields, then extended attributes.</summary>
    internal const int MinimumSize = 128;

    /// <summary>Bytes of i_block.</summary>
    internal const int MapSize = 60;

    /// <summary>Where they are.</summary>
    internal const int MapOffset = 0x28;

    internal const uint IndexFlag = 0x1000;
    internal const uint ExtentsFlag = 0x80000;
    internal const uint VerityFlag = 0x100000;
    internal const uint AttributeValueFlag = 0x200000;
    internal const uint InlineDataFlag = 0x10000000;

    private const uint ImmutableFlag = 0x10;
    private const uint AppendFlag = 0x20;
    internal const uint EncryptedFlag = 0x800;
    internal const uint CasefoldFlag = 0x40000000;

    /// <summary>All flags that <see cref="CheckFlags"/> has something to say about. Most inodes have none of them.</summary>
    internal const uint TellingFlags = ImmutableFlag | AppendFlag | EncryptedFlag | IndexFlag | VerityFlag | AttributeValueFlag | InlineDataFlag | CasefoldFlag;

    private const uint HugeFileFlag = 0x40000;
    private const uint MaximumNanoseconds = 999_999_999;

    // Bytes of all extra fields there are today.
    internal const int UsualExtraSize = 32;

    private const int ChecksumLow = 0x7c;
    private const int ChecksumHigh = 0x82;

    /// <summary>Whether the record was never used, or was wiped: it then need not have a checksum.</summary>
    internal static bool IsBlank(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, 0x00) == 0 && LinkCount(raw) == 0; // i_mode

    internal static ushort LinkCount(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, 0x1a);                         // i_links_count

    internal static uint Generation(ReadOnlySpan<byte> raw) => LittleEndian.U32(raw, 0x64);                          // i_generation

    internal static bool UsesExtents(ReadOnlySpan<byte> raw) => (LittleEndian.U32(raw, 0x20) & ExtentsFlag) != 0;    // i_flags

    internal static void SetLinkCount(Span<byte> raw, ushort count) => BinaryPrimitives.WriteUInt16LittleEndian(raw[0x1a..], count); // i_links_count

    internal static void SetSize(Span<byte> raw, ulong size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(raw[0x04..], (uint)(size & uint.MaxValue));                         // i_size_lo
        BinaryPrimitives.WriteUInt32LittleEndian(raw[0x6c..], (uint)(size >> 32));                                   // i_size_high
    }

    /// <summary>Takes over all of another record but the map.</summary>
    internal static void Overwrite(Span<byte> raw, ReadOnlySpan<byte> record)
    {
        const int BehindMap = MapOffset + MapSize;
        record[..MapOffset].CopyTo(raw);
        record[BehindMap..].CopyTo(raw[BehindMap..]);
    }

    /// <summary>Gives an inode the change time of another one, as time of its content, too, if that is later.</summary>
    internal static bool TryCopyChangeTime(ReadOnlySpan<byte> from, Span<byte> to, uint number)
    {
        Timestamp newer = ChangeTime(from, number);
        Timestamp older = ChangeTime(to, number);
        if ((newer.Seconds, newer.Nanoseconds).CompareTo((older.Seconds, older.Nanoseconds)) <= 0)
            return false;
        from.Slice(0x0c, sizeof(uint)).CopyTo(to[0x0c..]);                                                           // i_ctime
        from.Slice(0x0c, sizeof(uint)).CopyTo(to[0x10..]);                                                           // i_mtime
        if (to.Length > MinimumSize && Fits(0x88, sizeof(uint), ExtraSize(to, number)) && Fits(0x84, sizeof(uint), ExtraSize(from, number)))
        {
            from.Slice(0x84, sizeof(uint)).CopyTo(to[0x84..]);                                                       // i_ctime_extra
            from.Slice(0x84, sizeof(uint)).CopyTo(to[0x88..]);                                                       // i_mtime_extra
        }

        return true;
    }

    /// <summary>The next inode on the list of orphans, if this one is on it.</summary>
    internal static uint NextOrphan(ReadOnlySpan<byte> raw) => LittleEndian.U32(raw, 0x14);                          // i_dtime

    /// <summary>Space used, in units of 512 bytes.</summary>
    internal static ulong Sectors(in RawInode fields, Superblock superblock)
    {
        if (!superblock.Features.Has(ReadOnlyFeatures.HugeFile))
            return fields.BlocksLow;
        ulong sectors = fields.BlocksLow | (ulong)fields.BlocksHigh << 32;
        return (fields.Flags & HugeFileFlag) != 0 ? sectors << (superblock.BlockSizeBits - 9) : sectors;
    }

    /// <summary>The block with further extended attributes; 0 for none.</summary>
    internal static ulong AttributeBlock(in RawInode fields, Superblock superblock) => superblock.Features.Has(IncompatibleFeatures.SixtyFourBit)
        ? fields.AttributeBlockLow | (ulong)fields.AttributeBlockHigh << 32
        : fields.AttributeBlockLow;

    /// <summary>Changes the space used, in the record's own unit.</summary>
    internal static void SetSectors(Span<byte> raw, ulong sectors, Superblock superblock)
    {
        if (superblock.Features.Has(ReadOnlyFeatures.HugeFile))
        {
            if ((LittleEndian.U32(raw, 0x20) & HugeFileFlag) != 0)
                sectors >>= superblock.BlockSizeBits - 9;
            BinaryPrimitives.WriteUInt16LittleEndian(raw[0x74..], (ushort)(sectors >> 32 & 0xffff));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(raw[0x1c..], (uint)(sectors & uint.MaxValue));
    }

    /// <summary>Bytes of extra fields behind the first 128.</summary>
    /// <exception cref="CorruptImageException">More than the inode has room for, or not a multiple of 4.</exception>
    internal static int ExtraSize(ReadOnlySpan<byte> raw, uint number)
    {
        if (raw.Length == MinimumSize)
            return 0;
        int extra = LittleEndian.U16(raw, 0x80);                                                                     // i_extra_isize
        if (extra > raw.Length - MinimumSize || (extra & 3) != 0)
            throw BadExtraSize(number, extra, raw.Length);
        return extra;
    }

    private static CorruptImageException BadExtraSize(uint number, int extra, int size) =>
        new(Corruption.InodeExtraSize, number, $"{extra} bytes of extra fields in an inode of {size} bytes");

    /// <summary>Compares the checksum over the whole record, if the image has such checksums.</summary>
    internal static void CheckChecksum(ReadOnlySpan<byte> raw, uint number, uint seed, int extraSize)
    {
        uint crc = ComputeChecksum(raw, seed, extraSize);
        uint stored = LittleEndian.U16(raw, ChecksumLow);                                                            // i_checksum_lo
        if (HasChecksumHigh(raw, extraSize))
            stored |= (uint)LittleEndian.U16(raw, ChecksumHigh) << 16;                                               // i_checksum_hi
        if (stored != crc)
            throw BadChecksum(number, stored, crc);
    }

    private static CorruptImageException BadChecksum(uint number, uint stored, uint computed) =>
        new(Corruption.InodeChecksum, number, $"checksum {stored:x8} stored, {computed:x8} computed");

    /// <summary>Makes the checksum right.</summary>
    internal static void SetChecksum(Span<byte> raw, uint seed, int extraSize)
    {
        uint crc = ComputeChecksum(raw, seed, extraSize);
        BinaryPrimitives.WriteUInt16LittleEndian(raw[ChecksumLow..], (ushort)(crc & 0xffff));
        if (HasChecksumHigh(raw, extraSize))
            BinaryPrimitives.WriteUInt16LittleEndian(raw[ChecksumHigh..], (ushort)(crc >> 16));
    }

    private static bool HasChecksumHigh(ReadOnlySpan<byte> raw, int extraSize) =>
        raw.Length > MinimumSize && Fits(ChecksumHigh, sizeof(ushort), extraSize);

    /// <summary>Over the whole record, the checksum itself counting as zero; 16 bits where there is no room for more.</summary>
    private static uint ComputeChecksum(ReadOnlySpan<byte> raw, uint seed, int extraSize)
    {
        uint crc = Crc32c.Append(seed, raw[..ChecksumLow]);
        crc = Crc32c.Append(Crc32c.Append(crc, [0, 0]), raw[(ChecksumLow + 2)..MinimumSize]);
        if (raw.Length == MinimumSize)
            return crc & 0xffff;
        crc = Crc32c.Append(crc, raw[MinimumSize..ChecksumHigh]);
        return HasChecksumHigh(raw, extraSize)
            ? Crc32c.Append(Crc32c.Append(crc, [0, 0]), raw[(ChecksumHigh + 2)..])
            : Crc32c.Append(crc, raw[ChecksumHigh..]) & 0xffff;
    }

    /// <summary>Whether a field is part of the extra fields this inode was written with.</summary>
    internal static bool Fits(int offset, int size, int extraSize) => offset + size <= MinimumSize + extraSize;

    /// <summary>A time and, where there is room for it, its extension.</summary>
    internal static Timestamp Time(uint seconds, uint extra, bool hasExtra)
    {
        long signed = unchecked((int)seconds);
        // Two bits of epoch carry the signed seconds on to the year 2446; the other thirty can hold more than a second has.
        return hasExtra ? new Timestamp(signed + ((long)(extra & 3) << 32), Math.Min(extra >> 2, MaximumNanoseconds)) : new Timestamp(signed, 0);
    }

    private static Timestamp ChangeTime(ReadOnlySpan<byte> raw, uint number) =>
        Time(RawInode.Of(raw).ChangeTime, RawInodeExtra.Of(raw).ChangeTimeExtra, Fits(0x84, sizeof(uint), ExtraSize(raw, number)));

    /// <summary>The old encoding (8 bits each) if it is used, else the new one (12 and 20 bits, minor torn apart).</summary>
    internal static (uint Major, uint Minor) Device(ReadOnlySpan<byte> map)
    {
        uint old = LittleEndian.U32(map, 0);
        if (old != 0)
            return (old >> 8 & 0xff, old & 0xff);
        uint device = LittleEndian.U32(map, 4);
        return (device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
    }

    /// <summary>The type in a mode.</summary>
    internal static FileType TypeOf(ushort mode, uint number) => (mode >> 12) switch
    {
        0x1 => FileType.Fifo,
        0x2 => FileType.CharacterDevice,
        0x4 => FileType.Directory,
        0x6 => FileType.BlockDevice,
        0x8 => FileType.Regular,
        0xa => FileType.SymbolicLink,
        0xc => FileType.Socket,
        _ => throw new CorruptImageException(Corruption.InodeMode, number, $"mode {Convert.ToString(mode, 8)} (octal)"),
    };

    /// <summary>Checks that the flags contradict neither each other nor type and features.</summary>
    internal static void CheckFlags(uint flags, FileType type, uint number, Superblock superblock)
    {
        if ((flags & VerityFlag) != 0 && (type != FileType.Regular || !superblock.Features.Has(ReadOnlyFeatures.Verity)))
            throw new CorruptImageException(Corruption.InodeFlags, number, "sealed, but no file or in a filesystem without the feature verity");
        if ((flags & EncryptedFlag) != 0 && !superblock.Features.Has(IncompatibleFeatures.Encryption))
            throw new CorruptImageException(Corruption.InodeFlags, number, "encrypted in a filesystem without the feature encrypt");
        if ((flags & CasefoldFlag) != 0 && (type != FileType.Directory || !superblock.Features.Has(IncompatibleFeatures.Casefold)))
            throw new CorruptImageException(Corruption.InodeFlags, number, "casefolded, but no directory or in a filesystem without the feature casefold");
        if (type == FileType.SymbolicLink && (flags & (ImmutableFlag | AppendFlag)) != 0)
            throw new CorruptImageException(Corruption.InodeFlags, number, $"flags {flags:x} on a symbolic link");
        if ((flags & AttributeValueFlag) != 0 && (!superblock.Features.Has(IncompatibleFeatures.AttributeInodes) || type != FileType.Regular))
            throw new CorruptImageException(Corruption.InodeFlags, number, $"flags {flags:x}: an attribute's value that cannot be one");
        if ((flags & InlineDataFlag) != 0 && (!superblock.Features.Has(IncompatibleFeatures.InlineData) || (flags & ExtentsFlag) != 0))
            throw new CorruptImageException(Corruption.InodeFlags, number, $"flags {flags:x}: content in the inode contradicts the other flags or the filesystem's features");
        // Without the feature an index would count as free space, and its checksums as wrong ones.
        if ((flags & IndexFlag) != 0 && superblock.HasMetadataChecksums && !superblock.Features.Has(CompatibleFeatures.DirectoryIndex))
            throw new CorruptImageException(Corruption.InodeFlags, number, "an index in a filesystem without the feature dir_index");
    }
}
