using Ext4Reader.OnDisk;

namespace Ext4Reader;

public readonly partial struct Inode
{
    /// <summary>Parses and checks everything but the block map.</summary>
    /// <param name="raw">The record.</param>
    /// <param name="number">The inode number.</param>
    /// <param name="seed">What checksums start from.</param>
    /// <param name="extraSize">Bytes of extra fields.</param>
    /// <param name="superblock">The superblock.</param>
    /// <exception cref="CorruptImageException">A field contradicts others, or the filesystem.</exception>
    internal Inode(ReadOnlySpan<byte> raw, uint number, uint seed, int extraSize, Superblock superblock)
    {
        Features features = superblock.Features;
        ushort mode = LittleEndian.U16(raw, 0x00); // i_mode
        FileType type = InodeRecord.TypeOf(mode, number);
        uint flags = LittleEndian.U32(raw, 0x20); // i_flags
        InodeRecord.CheckFlags(flags, type, number, superblock);
        ulong size = type == FileType.Regular || features.Has(IncompatibleFeatures.LargeDirectory)
            ? LittleEndian.U64(raw, 0x04, 0x6c) // i_size_lo, i_size_high
            : LittleEndian.U32(raw, 0x04);
        if (size > long.MaxValue)
            throw new CorruptImageException(Corruption.InodeSize, number, $"a size of {size} bytes");
        ulong attributeBlock = InodeRecord.AttributeBlock(raw, superblock);
        if (attributeBlock != 0 && !superblock.IsDataBlock(attributeBlock))
        {
            throw new CorruptImageException(Corruption.BlockPointer, number,
                $"extended attributes in block {attributeBlock} of {superblock.BlockCount}");
        }

        ulong sectors = InodeRecord.Sectors(raw, superblock);

        bool isInline = (flags & InodeRecord.InlineDataFlag) != 0 && type is (FileType.Regular or FileType.Directory or FileType.SymbolicLink);
        (int inlineOffset, int inlineLength) = isInline ? InlineContent.Find(raw, number, extraSize, superblock) : default;
        // An inline file has no blocks for its content; Linux counts what it would take, so that nobody mistakes it for a hole.
        if (isInline && type == FileType.Regular)
            sectors += (size + 511) >> 9;
        ReadOnlySpan<byte> map = raw.Slice(InodeRecord.MapOffset, InodeRecord.MapSize); // i_block
        (uint major, uint minor) = type is FileType.CharacterDevice or FileType.BlockDevice ? InodeRecord.Device(map) : default;
        uint project = features.Has(ReadOnlyFeatures.Project) && InodeRecord.Fits(0x9c, sizeof(uint), extraSize) ? LittleEndian.U32(raw, 0x9c) : 0; // i_projid
        // An inode that tune2fs enlarged says it has no extra fields; Linux uses the room, which tune2fs cleared.
        if (extraSize == 0 && raw.Length > InodeRecord.MinimumSize)
            extraSize = InodeRecord.UsualExtraSize;
        bool hasBirth = InodeRecord.Fits(0x90, sizeof(uint), extraSize);
        ulong attributeSectors = attributeBlock != 0 ? 1UL << (superblock.BlockSizeBits + superblock.ClusterBits - 9) : 0;
        map.CopyTo(_map);
        Number = number;
        Generation = InodeRecord.Generation(raw);
        Mode = mode;
        Type = type;
        UserId = LittleEndian.U32(raw, low: 0x02, high: 0x78); // i_uid, l_i_uid_high
        GroupId = LittleEndian.U32(raw, low: 0x18, high: 0x7a); // i_gid, l_i_gid_high
        Size = (long)size;
        StoredSize = (long)size;
        LinkCount = InodeRecord.LinkCount(raw);
        Sectors = sectors;
        Flags = flags;
        ProjectId = project;
        AccessTime = InodeRecord.Time(raw, 0x08, 0x8c, extraSize); // i_atime, i_atime_extra
        ChangeTime = InodeRecord.Time(raw, 0x0c, 0x84, extraSize); // i_ctime, i_ctime_extra
        ModificationTime = InodeRecord.Time(raw, 0x10, 0x88, extraSize); // i_mtime, i_mtime_extra
        BirthTime = hasBirth ? InodeRecord.Time(raw, 0x90, 0x94, extraSize) : default; // i_crtime, i_crtime_extra
        HasBirthTime = hasBirth;
        RawBirthTime = !hasBirth ? 0 : InodeRecord.Fits(0x94, sizeof(uint), extraSize) ? LittleEndian.U64(raw, 0x90, 0x94) : LittleEndian.U32(raw, 0x90);
        DeviceMajor = major;
        DeviceMinor = minor;
        AttributeBlock = attributeBlock;
        ChecksumSeed = seed;
        HasInlineContent = isInline;
        InlineOffset = inlineOffset;
        InlineLength = inlineLength;
        // Where values may lie in inodes, sectors tell nothing: the link's are counted with its attributes'.
        IsFastSymbolicLink = type == FileType.SymbolicLink && (features.Has(IncompatibleFeatures.AttributeInodes)
            ? size < InodeRecord.MapSize
            : !isInline && sectors == attributeSectors);
    }
}
