using System.Diagnostics.CodeAnalysis;

namespace Ext4Reader;

/// <summary>The type of a file, numbered as in ext4's directory entries.</summary>
public enum FileType : byte
{
    /// <summary>Not recorded: directory entries of old filesystems have no type.</summary>
    Unknown = 0,

    /// <summary>A regular file.</summary>
    Regular = 1,

    /// <summary>A directory.</summary>
    Directory = 2,

    /// <summary>A character device.</summary>
    CharacterDevice = 3,

    /// <summary>A block device.</summary>
    BlockDevice = 4,

    /// <summary>A named pipe.</summary>
    Fifo = 5,

    /// <summary>A Unix socket.</summary>
    Socket = 6,

    /// <summary>A symbolic link.</summary>
    SymbolicLink = 7,
}

/// <summary>A point in time.</summary>
/// <param name="Seconds">Seconds since 1970, negative before.</param>
/// <param name="Nanoseconds">0 to 999,999,999; always 0 where the inode has no room for them.</param>
public readonly record struct Timestamp(long Seconds, uint Nanoseconds);

/// <summary>A file's attributes and the root of its block map: a value, parsed from the image and checked.</summary>
/// <remarks>
/// Fields, where properties would do as well: every process that opens an image has to compile what it calls, and there would be half a hundred accessors among it.
/// </remarks>
public readonly partial struct Inode
{
    private readonly OnDisk.RawInode.MapBytes _map;

    internal Inode(ReadOnlySpan<byte> map, uint number, uint checksumSeed)
    {
        map.CopyTo(_map);
        Number = number;
        ChecksumSeed = checksumSeed;
    }

    /// <summary>The inode number, from 1.</summary>
    public readonly uint Number;

    /// <summary>i_generation as it lies: changes whenever the number is given to another file; 0 in what mke2fs -d made.</summary>
    public readonly uint Generation;

    /// <summary>Type and permission bits as in st_mode.</summary>
    public readonly ushort Mode;

    /// <summary>The type, from <see cref="Mode"/>; never unknown.</summary>
    public readonly FileType Type;

    /// <summary>The owner's user id.</summary>
    public readonly uint UserId;

    /// <summary>The owning group's id.</summary>
    public readonly uint GroupId;

    /// <summary>Bytes; never negative.</summary>
    public long Size { get; internal init; }

    /// <summary>Number of names; 1 also for directories with too many subdirectories to count.</summary>
    public readonly uint LinkCount;

    /// <summary>Space used, in units of 512 bytes, as st_blocks.</summary>
    public readonly ulong Sectors;

    /// <summary>i_flags as they lie.</summary>
    public readonly uint Flags;

    /// <summary>The project id; 0 where there is none.</summary>
    public readonly uint ProjectId;

    /// <summary>Last access.</summary>
    public readonly Timestamp AccessTime;

    /// <summary>Last change of content or attributes.</summary>
    public readonly Timestamp ChangeTime;

    /// <summary>Last change of content.</summary>
    public readonly Timestamp ModificationTime;

    /// <summary>Creation; meaningful only if <see cref="HasBirthTime"/>.</summary>
    public readonly Timestamp BirthTime;

    /// <summary>Whether the inode has room for a birth time.</summary>
    public readonly bool HasBirthTime;

    /// <summary>i_crtime in the low and i_crtime_extra in the high half; 0 where the inode has neither.</summary>
    public readonly ulong RawBirthTime;

    /// <summary>Major number of a device; 0 for anything else.</summary>
    public readonly uint DeviceMajor;

    /// <summary>Minor number of a device; 0 for anything else.</summary>
    public readonly uint DeviceMinor;

    /// <summary>Whether content, names or target are encrypted. Keys are not known here: names and targets are shown in an encoded form.</summary>
    public bool IsEncrypted => (Flags & OnDisk.InodeRecord.EncryptedFlag) != 0;

    /// <summary>Whether the content was sealed with a Merkle tree (fs-verity).</summary>
    public bool HasVerity => (Flags & OnDisk.InodeRecord.VerityFlag) != 0;

    /// <summary>The size as it lies; that of an encrypted link is not the one to show.</summary>
    internal readonly long StoredSize;

    /// <summary>Whether names in this directory are compared without regard to case.</summary>
    internal bool IsCasefolded => (Flags & OnDisk.InodeRecord.CasefoldFlag) != 0;

    /// <summary>Whether the hashes of this directory's names take a key, so that each is stored with its name.</summary>
    internal bool HasStoredHashes => IsEncrypted && IsCasefolded;

    /// <summary>The block with further extended attributes; 0 if there is none.</summary>
    internal readonly ulong AttributeBlock;

    /// <summary>What the checksums of the blocks that belong to this inode start from.</summary>
    internal readonly uint ChecksumSeed;

    /// <summary>Whether a symbolic link's target lies in the map bytes.</summary>
    internal readonly bool IsFastSymbolicLink;

    /// <summary>Whether the content lies in the inode: in the map bytes, and from there on at <see cref="InlineOffset"/>.</summary>
    internal readonly bool HasInlineContent;

    /// <summary>Where in the inode's record the content goes on behind the map bytes.</summary>
    internal readonly int InlineOffset;

    /// <summary>Bytes at <see cref="InlineOffset"/>.</summary>
    internal readonly int InlineLength;

    /// <summary>Whether the content is the value of an extended attribute of other inodes.</summary>
    internal bool IsAttributeValue => (Flags & OnDisk.InodeRecord.AttributeValueFlag) != 0;

    /// <summary>Whether parts of the map of its blocks lie outside of the inode, so that they can change while the inode's bytes do not.</summary>
    public bool HasMapOutside => UsesExtents ? OnDisk.ExtentNode.DepthOf(Map) != 0 : !IsFastSymbolicLink && !HasInlineContent && Map[48..].ContainsAnyExcept((byte)0);

    internal bool UsesExtents => (Flags & OnDisk.InodeRecord.ExtentsFlag) != 0;

    internal bool HasIndex => (Flags & OnDisk.InodeRecord.IndexFlag) != 0;

    /// <summary>The 60 bytes of i_block: root of the extent tree, block pointers, or a short link's target.</summary>
    [UnscopedRef]
    internal ReadOnlySpan<byte> Map => _map;
}
