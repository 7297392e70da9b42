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
        ref readonly RawInode fields = ref RawInode.Of(raw);
        RawInodeExtra extra = RawInodeExtra.Of(raw);
        Features features = superblock.Features;
        FileType type = InodeRecord.TypeOf(fields.Mode, number);
        uint flags = fields.Flags;
        if ((flags & InodeRecord.TellingFlags) != 0)
            InodeRecord.CheckFlags(flags, type, number, superblock);
        ulong size = fields.SizeLow;
        if (type == FileType.Regular || features.Has(IncompatibleFeatures.LargeDirectory))
            size |= (ulong)fields.SizeHigh << 32;
        if (size > long.MaxValue)
            throw BadSize(number, size);
        ulong attributeBlock = InodeRecord.AttributeBlock(fields, superblock);
        if (attributeBlock != 0 && !superblock.IsDataBlock(attributeBlock))
            throw BadAttributeBlock(number, attributeBlock, superblock);
        ulong sectors = InodeRecord.Sectors(fields, superblock);

        if ((flags & InodeRecord.InlineDataFlag) != 0 && type is (FileType.Regular or FileType.Directory or FileType.SymbolicLink))
        {
            HasInlineContent = true;
            (InlineOffset, InlineLength) = InlineContent.Find(raw, number, extraSize, superblock);
            // An inline file has no blocks for its content; Linux counts what it would take, so that nobody mistakes it for a hole.
            if (type == FileType.Regular)
                sectors += (size + 511) >> 9;
        }

        _map = fields.Map;
        if (type is FileType.CharacterDevice or FileType.BlockDevice)
            (DeviceMajor, DeviceMinor) = InodeRecord.Device(Map);
        // An inode that tune2fs enlarged says it has no extra fields; Linux uses the room, which tune2fs cleared. Not for the project.
        if (features.Has(ReadOnlyFeatures.Project) && InodeRecord.Fits(0x9c, sizeof(uint), extraSize))
            ProjectId = extra.ProjectId;
        if (extraSize == 0 && raw.Length > InodeRecord.MinimumSize)
            extraSize = InodeRecord.UsualExtraSize;
        Number = number;
        Generation = fields.Generation;
        Mode = fields.Mode;
        Type = type;
        UserId = fields.UserIdLow | (uint)fields.UserIdHigh << 16;
        GroupId = fields.GroupIdLow | (uint)fields.GroupIdHigh << 16;
        Size = (long)size;
        StoredSize = (long)size;
        LinkCount = fields.LinkCount;
        Sectors = sectors;
        Flags = flags;
        AccessTime = InodeRecord.Time(fields.AccessTime, extra.AccessTimeExtra, InodeRecord.Fits(0x8c, sizeof(uint), extraSize));
        ChangeTime = InodeRecord.Time(fields.ChangeTime, extra.ChangeTimeExtra, InodeRecord.Fits(0x84, sizeof(uint), extraSize));
        ModificationTime = InodeRecord.Time(fields.ModificationTime, extra.ModificationTimeExtra, InodeRecord.Fits(0x88, sizeof(uint), extraSize));
        if (InodeRecord.Fits(0x90, sizeof(uint), extraSize))
        {
            bool hasBirthExtra = InodeRecord.Fits(0x94, sizeof(uint), extraSize);
            HasBirthTime = true;
            BirthTime = InodeRecord.Time(extra.BirthTime, extra.BirthTimeExtra, hasBirthExtra);
            RawBirthTime = extra.BirthTime | (hasBirthExtra ? (ulong)extra.BirthTimeExtra << 32 : 0);
        }

        AttributeBlock = attributeBlock;
        ChecksumSeed = seed;
        if (type == FileType.SymbolicLink)
        {
            // Where values may lie in inodes, sectors tell nothing: the link's are counted with its attributes'.
            ulong attributeSectors = attributeBlock != 0 ? 1UL << (superblock.BlockSizeBits + superblock.ClusterBits - 9) : 0;
            IsFastSymbolicLink = features.Has(IncompatibleFeatures.AttributeInodes) ? size < InodeRecord.MapSize : !HasInlineContent && sectors == attributeSectors;
        }
    }

    // Apart, as everywhere in what is called for each inode: words for an error take longer to compile than all of the rest.
    private static CorruptImageException BadSize(uint number, ulong size) => new(Corruption.InodeSize, number, $"a size of {size} bytes");

    private static CorruptImageException BadAttributeBlock(uint number, ulong block, Superblock superblock) =>
        new(Corruption.BlockPointer, number, $"extended attributes in block {block} of {superblock.BlockCount}");
}
