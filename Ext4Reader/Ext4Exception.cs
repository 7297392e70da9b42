namespace Ext4Reader;

/// <summary>Base of everything this library throws about an image. I/O failures stay <see cref="IOException"/>.</summary>
public abstract class Ext4Exception : Exception
{
    private protected Ext4Exception(string message)
        : base(message)
    {
    }
}

/// <summary>The image, or one object in it, breaks the rules of the format. Other objects may well be fine.</summary>
public sealed class CorruptImageException : Ext4Exception
{
    internal CorruptImageException(Corruption kind, uint inodeNumber, string message)
        : base(inodeNumber == 0 ? message : $"inode {inodeNumber}: {message}")
    {
        Kind = kind;
        InodeNumber = inodeNumber;
    }

    /// <summary>What is broken.</summary>
    public Corruption Kind { get; }

    /// <summary>The inode that is broken or owns what is broken; 0 if none does.</summary>
    public uint InodeNumber { get; }

    /// <summary>Whether a stored checksum disagrees (Linux: EBADMSG) rather than the content (Linux: EUCLEAN).</summary>
    public bool IsChecksum => Kind is Corruption.SuperblockChecksum or Corruption.GroupDescriptorChecksum or Corruption.InodeChecksum
        or Corruption.MultipleMountChecksum
        or Corruption.ExtentBlockChecksum or Corruption.DirectoryBlockChecksum or Corruption.HashTreeChecksum
        or Corruption.ExtendedAttributeChecksum or Corruption.JournalSuperblockChecksum or Corruption.JournalChecksum or Corruption.FastCommitChecksum;
}

/// <summary>The image is sound as far as was looked, but uses something that cannot be read (yet).</summary>
public sealed class UnsupportedImageException : Ext4Exception
{
    private UnsupportedImageException(IReadOnlyList<string> features, string message)
        : base(message) => Features = features;

    /// <summary>The features in question, as e2fsprogs spells them.</summary>
    public IReadOnlyList<string> Features { get; }

    internal static UnsupportedImageException For(IReadOnlyList<string> features) =>
        new(features, $"the image uses features that are not supported: {string.Join(", ", features)}; {Remedy(features)}");

    private static string Remedy(IReadOnlyList<string> features)
    {
        if (features.Contains("journal_dev"))
            return "this is an external journal, not a filesystem: open the filesystem that it belongs to";
        if (features.Contains("dirdata"))
            return "Lustre made it: mount it with Lustre's ldiskfs";
        if (features.Contains("compression"))
            return "no Linux reads compressed files either: only the patched ext2 that made the image does";
        return "a newer version of this program may know them";
    }

    internal static UnsupportedImageException Encoding(int encoding) => new(["casefold"],
        $"names have the encoding {encoding}, and only 1, utf8-12.1, is known (casefold): a newer version of this program may know it");

    internal static UnsupportedImageException NeedsJournal(ReadOnlySpan<byte> uuid)
    {
        string text = Journal.ExternalJournal.Text(uuid);
        return new(["needs_recovery"], $"the image needs its external journal, UUID {text}, to be readable: find that (blkid -t UUID={text}) and give it with "
            + "-o journal=PATH, or use -o norecovery to see the image as it lies");
    }

    internal static UnsupportedImageException FastCommit(string why) =>
        new(["fast_commit"], $"the journal's fast commits cannot be replayed in memory ({why}): run e2fsck -E journal_only on the image, or use -o norecovery "
            + "to see the image as it lies");

    internal static UnsupportedImageException IsJournal(ReadOnlySpan<byte> uuid) =>
        new(["journal_dev"], $"this is an external journal (journal_dev), UUID {Journal.ExternalJournal.Text(uuid)}, not a filesystem: mount the filesystem "
            + "that it belongs to, with -o journal=PATH and this path");
}

/// <summary>Another host has the filesystem mounted, or checks it, and says so in it (feature mmp).</summary>
public sealed class ImageInUseException : Ext4Exception
{
    internal ImageInUseException(string nodeName, string deviceName, string message)
        : base(message)
    {
        NodeName = nodeName;
        DeviceName = deviceName;
    }

    /// <summary>The host's name.</summary>
    public string NodeName { get; }

    /// <summary>The name of the device on that host.</summary>
    public string DeviceName { get; }
}

/// <summary>The content is encrypted, and no key is known (Linux: ENOKEY). Nothing is broken.</summary>
public sealed class EncryptedContentException : Ext4Exception
{
    internal EncryptedContentException(uint inodeNumber)
        : base($"inode {inodeNumber}: encrypted, and no key is known") => InodeNumber = inodeNumber;

    /// <summary>The inode.</summary>
    public uint InodeNumber { get; }
}

/// <summary>Content does not match the Merkle tree it was sealed with (Linux: EIO).</summary>
public sealed class ContentChangedException : Ext4Exception
{
    internal ContentChangedException(uint inodeNumber, string what)
        : base($"inode {inodeNumber}: {what} does not match the Merkle tree that the file was sealed with (verity)") => InodeNumber = inodeNumber;

    /// <summary>The file's inode.</summary>
    public uint InodeNumber { get; }
}

/// <summary>There is no ext2, ext3 or ext4 superblock where one should be.</summary>
public sealed class NotAnExt4ImageException : Ext4Exception
{
    internal NotAnExt4ImageException(string message)
        : base(message)
    {
    }
}

/// <summary>What can be broken. A checksum that disagrees has a kind of its own, so that both can be told apart.</summary>
public enum Corruption
{
    /// <summary>Nothing: never used in an exception.</summary>
    None = 0,

    /// <summary>The superblock's checksum is wrong.</summary>
    SuperblockChecksum,

    /// <summary>The superblock describes a layout that cannot be.</summary>
    SuperblockGeometry,

    /// <summary>The image is shorter than its block count says.</summary>
    ImageTooShort,

    /// <summary>The block by which hosts tell each other that they use the filesystem (mmp) is none.</summary>
    MultipleMountBlock,

    /// <summary>The checksum of that block is wrong.</summary>
    MultipleMountChecksum,

    /// <summary>The root directory is missing, deleted, empty or not a directory.</summary>
    RootDirectory,

    /// <summary>A group descriptor's checksum is wrong.</summary>
    GroupDescriptorChecksum,

    /// <summary>A group descriptor puts an inode table outside of the image.</summary>
    InodeTablePlace,

    /// <summary>An inode's checksum is wrong.</summary>
    InodeChecksum,

    /// <summary>An inode claims extra fields that do not fit into it.</summary>
    InodeExtraSize,

    /// <summary>An inode's mode names no known type.</summary>
    InodeMode,

    /// <summary>An inode has flags that its type or the filesystem's features do not allow.</summary>
    InodeFlags,

    /// <summary>A size is negative, or larger than a block map can describe.</summary>
    InodeSize,

    /// <summary>A block pointer leads outside of the image, or to what belongs to the filesystem itself: tables, bitmaps, journal.</summary>
    BlockPointer,

    /// <summary>A block map has more parts than the image has blocks, so it must be going round in circles.</summary>
    BlockMapLoop,

    /// <summary>The header of an extent tree node is broken: magic, count or capacity.</summary>
    ExtentHeader,

    /// <summary>An extent tree node is not exactly one level below its parent.</summary>
    ExtentDepth,

    /// <summary>Entries of an extent tree node overlap, are out of order, are empty or run over the end.</summary>
    ExtentOrder,

    /// <summary>The checksum of an extent tree block is wrong.</summary>
    ExtentBlockChecksum,

    /// <summary>Content that should lie in the inode is not there.</summary>
    InlineData,

    /// <summary>What describes a file's Merkle tree (fs-verity) is missing or cannot be.</summary>
    VerityDescriptor,

    /// <summary>A directory's size is zero, no multiple of the block size, or more than the image can hold.</summary>
    DirectorySize,

    /// <summary>A block of a directory is missing.</summary>
    DirectoryHole,

    /// <summary>A directory entry's length does not fit its name or its block.</summary>
    DirectoryEntryLength,

    /// <summary>A directory entry's name is empty, contains '/' or NUL, or is "." or ".." where it must not be.</summary>
    DirectoryEntryName,

    /// <summary>A directory entry names an inode that does not exist, is reserved or is the directory itself.</summary>
    DirectoryEntryInode,

    /// <summary>An encrypted name or target is too short or too long to be one, or its hash is missing.</summary>
    EncryptedName,

    /// <summary>The checksum of a directory block is wrong.</summary>
    DirectoryBlockChecksum,

    /// <summary>The checksum of a directory index block is wrong.</summary>
    HashTreeChecksum,

    /// <summary>More names share one hash than a listing can number.</summary>
    DirectoryHashCollisions,

    /// <summary>A symbolic link's target has an impossible length.</summary>
    SymbolicLinkTarget,

    /// <summary>Extended attributes do not fit their area.</summary>
    ExtendedAttributes,

    /// <summary>The checksum of an extended attribute block is wrong.</summary>
    ExtendedAttributeChecksum,

    /// <summary>An inode is not what an extended attribute says of it: its value, of that length and with those hashes.</summary>
    ExtendedAttributeInode,

    /// <summary>An access control list cannot be parsed.</summary>
    AccessControlList,

    /// <summary>The journal's inode is not in use, is no regular file, or lacks blocks.</summary>
    JournalInode,

    /// <summary>The journal's superblock is none, or describes a log that cannot be.</summary>
    JournalSuperblock,

    /// <summary>The checksum of the journal's superblock is wrong.</summary>
    JournalSuperblockChecksum,

    /// <summary>A transaction in the journal changes or revokes what cannot be.</summary>
    JournalTransaction,

    /// <summary>A checksum in a transaction of the journal is wrong.</summary>
    JournalChecksum,

    /// <summary>What was given as external journal is none, is too short, or belongs to another filesystem.</summary>
    ExternalJournal,

    /// <summary>A fast commit in the journal cannot be applied.</summary>
    FastCommit,

    /// <summary>The checksum of the first fast commit in the journal is wrong.</summary>
    FastCommitChecksum,
}
