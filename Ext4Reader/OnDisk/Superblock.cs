using System.Collections.ObjectModel;
using System.Numerics;

namespace Ext4Reader.OnDisk;

/// <summary>
/// The superblock: geometry, features and identity. An instance is consistent in itself: no count is zero, no size is
/// absurd and no sum of its members overflows, so nobody else has to ask.
/// </summary>
internal sealed class Superblock
{
    /// <summary>Where the superblock starts, in bytes from the start of the filesystem, whatever the block size.</summary>
    internal const int Offset = 1024;

    /// <summary>Bytes of the superblock.</summary>
    internal const int Size = 1024;

    /// <summary>The root directory's inode number.</summary>
    internal const uint RootInode = 2;

    internal const ushort Magic = 0xef53;

    private const int MagicOffset = 0x38;
    private const int ChecksumOffset = 0x3fc;
    private const uint FirstInodeOfRevision0 = 11;
    private const byte ChecksumTypeCrc32c = 1;
    private const ushort ErrorState = 0x2;

    // utf8-12.1, the only one there is.
    private const ushort EncodingUtf8 = 1;

    // Clusters of a gibibyte: what Linux takes.
    private const uint MaximumLogClusterSize = 20;

    // Fields: accessors would be methods, some 65 of them, for the runtime to compile at every start of a worker. Parse alone makes instances and writes to them.
    internal required Features Features;
    internal required uint InodeCount;
    internal required ulong BlockCount;
    internal required ulong ReservedBlockCount;

    /// <summary>Where the first group starts.</summary>
    internal required uint FirstDataBlock;

    internal required int BlockSizeBits;

    /// <summary>Blocks are allocated in clusters of 2 to the power of this many; 0 without bigalloc.</summary>
    internal required int ClusterBits;

    /// <summary>Blocks that were in no use when the superblock was last written, which can be long ago; the group descriptors know better.</summary>
    internal required ulong FreeBlockCount;

    /// <summary>The same of inodes.</summary>
    internal required uint FreeInodeCount;

    internal required uint BlocksPerGroup;
    internal required uint InodesPerGroup;
    internal required int InodeSize;

    /// <summary>Smaller numbers are reserved, the root's excepted.</summary>
    internal required uint FirstInode;

    internal required int DescriptorSize;

    /// <summary>Blocks kept free behind each copy of the group descriptors, for a filesystem that grows.</summary>
    internal required uint ReservedDescriptorBlocks;

    /// <summary>With meta_bg: blocks of descriptors from this one on lie in the groups they describe.</summary>
    internal required uint FirstMetaBlockGroup;

    /// <summary>With flex_bg: groups keep their tables together, in groups of 2 to the power of this many; otherwise 0.</summary>
    internal required int FlexGroupBits;

    internal required uint JournalInode;

    /// <summary>The UUID of the journal that this filesystem uses, if that is not in an inode.</summary>
    internal required byte[] JournalUuid;

    /// <summary>Head of the list of orphans; 0 for none.</summary>
    internal required uint LastOrphan;

    /// <summary>Whether Linux found the filesystem broken and e2fsck was not run since.</summary>
    internal required bool HasErrors;

    internal required uint OrphanFileInode;
    internal required (uint User, uint Group, uint Project) QuotaInodes;
    internal required (uint First, uint Second) BackupGroups;

    /// <summary>With mmp: the block in which whoever uses the filesystem says so.</summary>
    internal required ulong MultipleMountBlock;

    /// <summary>Clusters of metadata that whoever made the filesystem counted; 0 if nobody did.</summary>
    internal required uint OverheadClusters;

    /// <summary>What every metadata checksum of this filesystem starts from.</summary>
    internal required uint ChecksumSeed;

    /// <summary>Hash of directories whose index does not name one.</summary>
    internal required NameHashVersion DefaultHash;

    /// <summary>Whether bytes of names are hashed as unsigned: the signedness of char on the machine that made the image.</summary>
    internal required bool HashesUnsigned;

    /// <summary>With casefold: whether names must be valid UTF-8.</summary>
    internal required bool HasStrictEncoding;

    internal required (uint A, uint B, uint C, uint D) HashSeed;
    internal required byte[] Uuid;
    internal required byte[] Label;

    internal int BlockSize => 1 << BlockSizeBits;
    internal bool HasMetadataChecksums => Features.Has(ReadOnlyFeatures.MetadataChecksums);
    internal bool HasGroupChecksums => Features.Has(ReadOnlyFeatures.MetadataChecksums | ReadOnlyFeatures.GroupChecksums);
    internal uint GroupCount => (uint)((BlockCount - FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup);
    internal int DescriptorsPerBlock => BlockSize / DescriptorSize;
    internal uint DescriptorBlocks => (uint)(((ulong)GroupCount + (uint)DescriptorsPerBlock - 1) / (uint)DescriptorsPerBlock);
    /// <summary>The block that holds this superblock.</summary>
    internal uint SuperblockBlock => BlockSizeBits == 10 ? 1u : 0u;

    internal int InodesPerBlock => BlockSize / InodeSize;
    internal uint InodeTableBlocks => (InodesPerGroup + (uint)InodesPerBlock - 1) / (uint)InodesPerBlock;

    /// <summary>Whether metadata or file data may lie in this block at all.</summary>
    internal bool IsDataBlock(ulong block) => block > SuperblockBlock && block < BlockCount;

    /// <summary>Whether all blocks of a run may hold metadata or file data.</summary>
    internal bool IsDataRun(ulong block, ulong length) => IsDataBlock(block) && length <= BlockCount - block;

    /// <summary>Whether a directory may name this inode.</summary>
    internal bool IsNameableInode(uint number) => number == RootInode || (number >= FirstInode && number <= InodeCount);

    /// <summary>Whether this inode belongs to the filesystem itself, so that nobody may open it.</summary>
    internal bool IsInternalInode(uint number) => !IsNameableInode(number) || number == JournalInode
        || (number == OrphanFileInode && Features.Has(CompatibleFeatures.OrphanFile))
        || (Features.Has(ReadOnlyFeatures.Quota) && (number == QuotaInodes.User || number == QuotaInodes.Group || number == QuotaInodes.Project));

    /// <summary>Whether these are the bytes of a superblock at all.</summary>
    internal static bool HasMagic(ReadOnlySpan<byte> raw) => LittleEndian.U16(raw, MagicOffset) == Magic;

    /// <summary>Whether these are the bytes of an external journal's superblock.</summary>
    internal static bool IsJournalDevice(ReadOnlySpan<byte> raw) =>
        ((IncompatibleFeatures)LittleEndian.U32(raw, 0x60) & IncompatibleFeatures.JournalDevice) != 0;

    /// <summary>Parses the superblock of an external journal: it has nothing else of a filesystem.</summary>
    /// <exception cref="CorruptImageException">The checksum is wrong.</exception>
    internal static (byte[] Uuid, ulong BlockCount) ParseJournalDevice(ReadOnlySpan<byte> raw)
    {
        CheckChecksum(raw, new Features(0, 0, (ReadOnlyFeatures)LittleEndian.U32(raw, 0x64)));
        bool is64Bit = ((IncompatibleFeatures)LittleEndian.U32(raw, 0x60) & IncompatibleFeatures.SixtyFourBit) != 0;
        return (raw.Slice(0x68, 16).ToArray(), is64Bit ? LittleEndian.U64(raw, 0x04, 0x150) : LittleEndian.U32(raw, 0x04));
    }

    /// <summary>Parses and checks the 1024 bytes of a superblock.</summary>
    /// <exception cref="CorruptImageException">The checksum is wrong, or the geometry cannot be.</exception>
    /// <exception cref="UnsupportedImageException">The image uses features that are not read yet.</exception>
    internal static Superblock Parse(ReadOnlySpan<byte> raw)
    {
        bool isDynamic = LittleEndian.U32(raw, 0x4c) >= 1;                                  // s_rev_level
        var features = new Features(
            (CompatibleFeatures)LittleEndian.U32(raw, 0x5c),                                // s_feature_compat
            (IncompatibleFeatures)LittleEndian.U32(raw, 0x60),                              // s_feature_incompat
            (ReadOnlyFeatures)LittleEndian.U32(raw, 0x64));                                 // s_feature_ro_compat
        CheckChecksum(raw, features);
        if (IsJournalDevice(raw))
            throw UnsupportedImageException.IsJournal(raw.Slice(0x68, 16));
        ReadOnlyCollection<string> unreadable = features.UnreadableNames();
        if (unreadable.Count > 0)
            throw UnsupportedImageException.For(unreadable);

        ushort encoding = LittleEndian.U16(raw, 0x27c);                                     // s_encoding
        if (features.Has(IncompatibleFeatures.Casefold) && encoding != EncodingUtf8)
            throw UnsupportedImageException.Encoding(encoding);
        uint logBlockSize = LittleEndian.U32(raw, 0x18);                                    // s_log_block_size
        if (logBlockSize > 6)
            throw Absurd($"block size 2^{(ulong)logBlockSize + 10}");
        bool hasClusters = features.Has(ReadOnlyFeatures.BigAllocation);
        uint logClusterSize = LittleEndian.U32(raw, 0x1c);                                  // s_log_cluster_size
        if (hasClusters ? logClusterSize < logBlockSize || logClusterSize > MaximumLogClusterSize : logClusterSize != logBlockSize)
            throw Absurd($"clusters of 2^{(ulong)logClusterSize + 10} bytes {(hasClusters ? "" : "without the feature bigalloc ")}and blocks of 2^{logBlockSize + 10}");
        bool is64Bit = features.Has(IncompatibleFeatures.SixtyFourBit);
        byte[] uuid = raw.Slice(0x68, 16).ToArray();                                        // s_uuid
        uint flags = LittleEndian.U32(raw, 0x160);                                          // s_flags
        var superblock = new Superblock
        {
            Features = features,
            InodeCount = LittleEndian.U32(raw, 0x00),                                       // s_inodes_count
            BlockCount = is64Bit ? LittleEndian.U64(raw, 0x04, 0x150) : LittleEndian.U32(raw, 0x04), // s_blocks_count
            ReservedBlockCount = is64Bit ? LittleEndian.U64(raw, 0x08, 0x154) : LittleEndian.U32(raw, 0x08), // s_r_blocks_count
            FreeBlockCount = is64Bit ? LittleEndian.U64(raw, 0x0c, 0x158) : LittleEndian.U32(raw, 0x0c), // s_free_blocks_count
            FreeInodeCount = LittleEndian.U32(raw, 0x10),                                   // s_free_inodes_count
            FirstDataBlock = LittleEndian.U32(raw, 0x14),                                   // s_first_data_block
            BlockSizeBits = (int)logBlockSize + 10,
            ClusterBits = (int)(logClusterSize - logBlockSize),
            BlocksPerGroup = LittleEndian.U32(raw, 0x20),                                   // s_blocks_per_group
            InodesPerGroup = LittleEndian.U32(raw, 0x28),                                   // s_inodes_per_group
            FirstInode = isDynamic ? LittleEndian.U32(raw, 0x54) : FirstInodeOfRevision0,   // s_first_ino
            InodeSize = isDynamic ? LittleEndian.U16(raw, 0x58) : InodeRecord.MinimumSize,  // s_inode_size
            DescriptorSize = is64Bit ? LittleEndian.U16(raw, 0xfe) : GroupDescriptor.MinimumSize, // s_desc_size
            ReservedDescriptorBlocks = LittleEndian.U16(raw, 0xce),                         // s_reserved_gdt_blocks
            FirstMetaBlockGroup = features.Has(IncompatibleFeatures.MetaBlockGroups) ? LittleEndian.U32(raw, 0x104) : uint.MaxValue, // s_first_meta_bg
            FlexGroupBits = features.Has(IncompatibleFeatures.FlexibleGroups) ? raw[0x174] : 0, // s_log_groups_per_flex
            JournalInode = features.Has(CompatibleFeatures.HasJournal) ? LittleEndian.U32(raw, 0xe0) : 0, // s_journal_inum
            JournalUuid = raw.Slice(0xd0, 16).ToArray(),                                    // s_journal_uuid
            LastOrphan = LittleEndian.U32(raw, 0xe8),                                       // s_last_orphan
            HasErrors = (LittleEndian.U16(raw, 0x3a) & ErrorState) != 0,                    // s_state
            OrphanFileInode = LittleEndian.U32(raw, 0x280),                                 // s_orphan_file_inum
            QuotaInodes = (LittleEndian.U32(raw, 0x240), LittleEndian.U32(raw, 0x244), LittleEndian.U32(raw, 0x26c)), // s_usr_quota_inum, s_grp_…, s_prj_…
            BackupGroups = (LittleEndian.U32(raw, 0x24c), LittleEndian.U32(raw, 0x250)),    // s_backup_bgs
            MultipleMountBlock = LittleEndian.U64(raw, 0x168, 0x16c),                       // s_mmp_block
            OverheadClusters = LittleEndian.U32(raw, 0x248),                                // s_overhead_clusters
            ChecksumSeed = features.Has(IncompatibleFeatures.ChecksumSeed)
                ? LittleEndian.U32(raw, 0x270)                                              // s_checksum_seed
                : Crc32c.Append(Crc32c.Start, uuid),
            // An unknown default hash hurts nobody: it only orders listings of directories without an index.
            DefaultHash = raw[0xfc] <= (byte)NameHashVersion.Tea ? (NameHashVersion)raw[0xfc] : NameHashVersion.HalfMd4, // s_def_hash_version
            HasStrictEncoding = (LittleEndian.U16(raw, 0x27e) & 1) != 0,                    // s_encoding_flags
            HashesUnsigned = (flags & 2) != 0,
            HashSeed = (LittleEndian.U32(raw, 0xec), LittleEndian.U32(raw, 0xf0), LittleEndian.U32(raw, 0xf4), LittleEndian.U32(raw, 0xf8)), // s_hash_seed
            Uuid = uuid,
            Label = TrimAtNul(raw.Slice(0x78, 16)),                                         // s_volume_name
        };
        superblock.CheckGeometry(clustersPerGroup: LittleEndian.U32(raw, 0x24));            // s_clusters_per_group
        return superblock;
    }

    /// <summary>Whether a group holds a copy of the superblock and the group descriptors.</summary>
    internal bool HasBackup(uint group)
    {
        if (group == 0)
            return true;
        if (Features.Has(CompatibleFeatures.SparseSuperblocks2))
            return group == BackupGroups.First || group == BackupGroups.Second;
        if (group == 1 || !Features.Has(ReadOnlyFeatures.SparseSuperblocks))
            return true;
        return (group & 1) != 0 && (IsPower(group, 3) || IsPower(group, 5) || IsPower(group, 7));
    }

    /// <summary>
    /// Where a block of group descriptors is. They all follow the superblock; with meta_bg the later ones lie in the first of the groups they
    /// describe instead, behind that group's copy of the superblock if it has one.
    /// </summary>
    /// <param name="index">Below the number of blocks of descriptors.</param>
    internal ulong DescriptorBlock(uint index)
    {
        if (index < FirstMetaBlockGroup)
            return SuperblockBlock + 1UL + index;
        uint group = index * (uint)DescriptorsPerBlock;
        ulong first = FirstDataBlock + (ulong)group * BlocksPerGroup;
        return (group == 0 ? SuperblockBlock - FirstDataBlock : 0) + first + (HasBackup(group) ? 1u : 0);
    }

    /// <summary>Blocks at the start of a group that hold copies of the superblock and of group descriptors, or are kept for them.</summary>
    internal uint BackupBlocks(uint group)
    {
        uint metaGroup = group / (uint)DescriptorsPerBlock;
        bool hasBackup = HasBackup(group);
        uint blocks = hasBackup ? 1 + ReservedDescriptorBlocks : 0;
        if (metaGroup < FirstMetaBlockGroup)
            return blocks + (hasBackup ? Math.Min(DescriptorBlocks, FirstMetaBlockGroup) : 0);
        // One copy each in the first, the second and the last group of those that a block of descriptors describes.
        uint index = group % (uint)DescriptorsPerBlock;
        return blocks + (index <= 1 || index == (uint)DescriptorsPerBlock - 1 ? 1u : 0);
    }

    /// <summary>What every checksum of an inode and of the blocks it owns starts from.</summary>
    internal uint InodeSeed(uint number, uint generation) => Crc32c.Append(Crc32c.Append(ChecksumSeed, number), generation);

    private static bool IsPower(uint number, uint root)
    {
        while (number > 1 && number % root == 0)
            number /= root;
        return number == 1;
    }

    private static byte[] TrimAtNul(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        return (end < 0 ? text : text[..end]).ToArray();
    }

    private static void CheckChecksum(ReadOnlySpan<byte> raw, Features features)
    {
        if (!features.Has(ReadOnlyFeatures.MetadataChecksums))
            return;
        if (raw[0x175] != ChecksumTypeCrc32c)                                               // s_checksum_type
            throw Absurd($"checksum type {raw[0x175]}");
        uint stored = LittleEndian.U32(raw, ChecksumOffset);                                // s_checksum
        uint computed = Crc32c.Append(Crc32c.Start, raw[..ChecksumOffset]);
        if (stored != computed)
        {
            throw new CorruptImageException(Corruption.SuperblockChecksum, 0,
                $"superblock: checksum {stored:x8} stored, {computed:x8} computed");
        }
    }

    private static CorruptImageException Absurd(string what) =>
        new(Corruption.SuperblockGeometry, 0, $"superblock: {what} cannot be");

    private void CheckGeometry(uint clustersPerGroup)
    {
        if (InodeSize < InodeRecord.MinimumSize || InodeSize > BlockSize || !BitOperations.IsPow2(InodeSize))
            throw Absurd($"inode size {InodeSize}");
        if (FirstInode < FirstInodeOfRevision0)
            throw Absurd($"first inode {FirstInode}");
        bool is64Bit = Features.Has(IncompatibleFeatures.SixtyFourBit);
        if (is64Bit && (DescriptorSize is < 64 or > 1024 || !BitOperations.IsPow2(DescriptorSize)))
            throw Absurd($"group descriptor size {DescriptorSize}");
        uint bitsPerBlock = (uint)BlockSize * 8;
        if (ClusterBits > 0 && (clustersPerGroup > bitsPerBlock || (ulong)clustersPerGroup << ClusterBits != BlocksPerGroup))
            throw Absurd($"{clustersPerGroup} clusters of {1L << ClusterBits} blocks in groups of {BlocksPerGroup} blocks");
        if (BlocksPerGroup == 0 || BlocksPerGroup >> ClusterBits > bitsPerBlock)
            throw Absurd($"{BlocksPerGroup} blocks per group");
        if (InodesPerGroup < (uint)InodesPerBlock || InodesPerGroup > bitsPerBlock)
            throw Absurd($"{InodesPerGroup} inodes per group");
        if (ReservedDescriptorBlocks > (uint)BlockSize / 4)
            throw Absurd($"{ReservedDescriptorBlocks} reserved descriptor blocks");
        // With bigalloc groups start at block 0, even where blocks of 1 KiB put the superblock into block 1.
        if (FirstDataBlock != SuperblockBlock && !(FirstDataBlock == 0 && ClusterBits > 0))
            throw Absurd($"first data block {FirstDataBlock} with blocks of {BlockSize} bytes");
        if (BlockCount <= SuperblockBlock || BlockCount > (ulong)long.MaxValue >> BlockSizeBits)
            throw Absurd($"{BlockCount} blocks");
        ulong groups = (BlockCount - FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup;
        if (groups > uint.MaxValue || groups * InodesPerGroup != InodeCount)
            throw Absurd($"{InodeCount} inodes in {groups} groups of {InodesPerGroup}");
        if (Features.Has(IncompatibleFeatures.MetaBlockGroups) && FirstMetaBlockGroup > DescriptorBlocks)
            throw Absurd($"a first meta block group of {FirstMetaBlockGroup} with {DescriptorBlocks} blocks of group descriptors");
        // The descriptors follow the superblock inside the first group, which also has bitmaps and inodes.
        uint leading = Math.Min(DescriptorBlocks, FirstMetaBlockGroup);
        if (leading >= BlocksPerGroup || SuperblockBlock + (ulong)leading >= BlockCount)
            throw Absurd($"{leading} blocks of group descriptors in groups of {BlocksPerGroup} blocks");
    }
}
