using Ext4Reader.OnDisk;

namespace Ext4Reader;

/// <summary>What the superblock says about the filesystem as a whole.</summary>
public sealed class Ext4Volume
{
    internal Ext4Volume(Superblock superblock, byte[] superblockBytes)
    {
        Uuid = superblock.Uuid;
        Label = superblock.Label;
        BlockSize = superblock.BlockSize;
        InodeSize = superblock.InodeSize;
        InodeCount = superblock.InodeCount;
        BlockCount = superblock.BlockCount;
        FirstInode = superblock.FirstInode;
        HasDirectoryIndex = superblock.Features.Has(CompatibleFeatures.DirectoryIndex);
        HasBirthTimes = superblock.InodeSize > InodeRecord.MinimumSize;
        HasFileTypes = superblock.Features.Has(IncompatibleFeatures.FileType);
        NeedsRecovery = superblock.Features.Has(IncompatibleFeatures.NeedsRecovery);
        Features = superblock.Features.Names();
        SuperblockBytes = superblockBytes;
    }

    /// <summary>The filesystem's UUID: 16 bytes in the order in which it is written.</summary>
    public byte[] Uuid { get; }

    /// <summary>The volume name: up to 16 bytes, without NUL.</summary>
    public byte[] Label { get; }

    /// <summary>Bytes of a block: a power of two from 1024 to 65536.</summary>
    public int BlockSize { get; }

    /// <summary>Bytes of an inode: a power of two from 128 to the block size.</summary>
    public int InodeSize { get; }

    /// <summary>Number of inodes, used or not; numbers go from 1 to this.</summary>
    public uint InodeCount { get; }

    /// <summary>Number of blocks.</summary>
    public ulong BlockCount { get; }

    /// <summary>The first inode number that is not reserved; the root (2) is the only other that can be had.</summary>
    public uint FirstInode { get; }

    /// <summary>Whether listings go by hash (feature dir_index) rather than by position.</summary>
    public bool HasDirectoryIndex { get; }

    /// <summary>Whether inodes are large enough for birth times. A single inode may still have none.</summary>
    public bool HasBirthTimes { get; }

    /// <summary>Whether directory entries record types.</summary>
    public bool HasFileTypes { get; }

    /// <summary>Whether the journal holds changes that are not yet at their place.</summary>
    public bool NeedsRecovery { get; }

    /// <summary>All features that are set, as e2fsprogs spells them.</summary>
    public IReadOnlyList<string> Features { get; }

    /// <summary>The superblock's 1024 bytes as they were read.</summary>
    public byte[] SuperblockBytes { get; }
}

/// <summary>Sizes of the filesystem and what is left of them, as statfs shows them.</summary>
/// <param name="Blocks">Blocks that files can use: without <paramref name="OverheadBlocks"/>.</param>
/// <param name="FreeBlocks">Blocks in no use.</param>
/// <param name="AvailableBlocks">Blocks that ordinary users could use.</param>
/// <param name="Files">Inodes, used or not.</param>
/// <param name="FreeFiles">Inodes in no use.</param>
/// <param name="OverheadBlocks">Blocks of metadata whose number never changes.</param>
public readonly record struct Ext4Statistics(
    ulong Blocks, ulong FreeBlocks, ulong AvailableBlocks, ulong Files, ulong FreeFiles, ulong OverheadBlocks);
