using System.Diagnostics.CodeAnalysis;
using Ext4Reader.Attributes;
using Ext4Reader.Directories;
using Ext4Reader.Files;
using Ext4Reader.Journal;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;
using Ext4Reader.Verity;
using Microsoft.Win32.SafeHandles;

namespace Ext4Reader;

/// <summary>
/// A read-only view of an ext2, ext3 or ext4 image that nobody changes meanwhile. All members may be called from many
/// threads at once, allocate nothing in steady state and hold no lock across I/O.
/// </summary>
/// <remarks>
/// Members that read throw <see cref="CorruptImageException"/> where the image breaks the rules of the format, and
/// <see cref="IOException"/> where the file or device fails or ends too early. Such an exception concerns the one
/// inode only; others can still be read. Do not dispose of the image while other threads use it.
/// </remarks>
public sealed class Ext4Image : IDisposable
{
    private readonly ImageSource _source;
    private readonly ImageSource? _journal;
    private readonly InodeTable _inodes;
    private readonly FileReader _files;
    private readonly VerifiedFiles? _verified;
    private readonly InlineFiles _inline;
    private readonly SymbolicLinks _links;
    private readonly DirectoryReader _directories;
    private readonly ExtendedAttributes _attributes;
    private readonly Statistics _statistics;

    private Ext4Image(ImageSource source, ImageSource? journal, Recovery recovery, byte[] superblockBytes, Ext4OpenOptions options)
    {
        _source = source;
        _journal = journal;
        Superblock superblock = recovery.Superblock;
        Volume = new Ext4Volume(superblock, superblockBytes);
        var blocks = new BlockReader(source, superblock, options.CacheBytes, recovery.Overlay);
        var groups = new GroupTable(blocks);
        var zones = new SystemZones(blocks, groups);
        var map = new BlockMap(blocks, zones);
        _inodes = new InodeTable(blocks, groups, zones);
        _files = new FileReader(blocks, map);
        _verified = options.VerifyContent ? new VerifiedFiles(_files, map) : null;
        _inline = new InlineFiles(_inodes);
        _links = new SymbolicLinks(blocks, _files, _inline);
        _directories = new DirectoryReader(blocks, map, _inline);
        _attributes = new ExtendedAttributes(blocks, _inodes, new AttributeValues(superblock, _inodes, _files));
        _statistics = new Statistics(superblock, groups, _inodes, recovery.Freed);
    }

    /// <summary>What the superblock says.</summary>
    public Ext4Volume Volume { get; }

    /// <summary>Opens a regular file or block device, read-only.</summary>
    /// <param name="path">The file or device.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="NotAnExt4ImageException">There is no superblock.</exception>
    /// <exception cref="UnsupportedImageException">The image uses features that cannot be read yet.</exception>
    /// <exception cref="ImageInUseException">Another host uses the filesystem.</exception>
    /// <exception cref="CorruptImageException">Superblock or root directory are broken, or the image is too short.</exception>
    /// <exception cref="IOException">The file or device cannot be opened or read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static Ext4Image Open(string path, Ext4OpenOptions? options = null) =>
        Open(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess), options);

    /// <summary>Opens a file or block device that is already open for reading, and takes ownership of the handle, come what may.</summary>
    /// <inheritdoc cref="Open(string, Ext4OpenOptions?)"/>
    /// <param name="file">The handle.</param>
    /// <param name="options">How; null for the defaults.</param>
    public static Ext4Image Open(SafeFileHandle file, Ext4OpenOptions? options = null)
    {
        options ??= new Ext4OpenOptions();
        var source = new ImageSource(file, Math.Max(0, options.Offset), Math.Max(0, options.Length));
        ImageSource? journal = options.Journal is null ? null : new ImageSource(options.Journal, 0, 0);
        try
        {
            ArgumentOutOfRangeException.ThrowIfNegative(options.Offset, nameof(options));
            ArgumentOutOfRangeException.ThrowIfNegative(options.Length, nameof(options));
            return Open(source, journal, options);
        }
        catch
        {
            source.Dispose();
            journal?.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file or device, and the external journal.</summary>
    public void Dispose()
    {
        _source.Dispose();
        _journal?.Dispose();
    }

    /// <summary>The filesystem's size and what is left of it. The first call reads all group descriptors.</summary>
    public Ext4Statistics GetStatistics() => _statistics.Get();

    /// <summary>Reads an inode by its number.</summary>
    /// <param name="number">The inode number.</param>
    /// <param name="inode">The inode.</param>
    /// <returns>False if there is none: out of range, reserved (the root, 2, is not), free or deleted.</returns>
    public bool TryGetInode(uint number, out Inode inode) => TryGetInode(number, default, out inode);

    /// <inheritdoc cref="TryGetInode(uint, out Inode)"/>
    /// <param name="number">The inode number.</param>
    /// <param name="record">
    /// Gets the record as it lies in the inode table: to compare it with a later one, not to read it. Empty, or <see cref="Ext4Volume.InodeSize"/> bytes; left as it
    /// was if there is no such inode.
    /// </param>
    /// <param name="inode">The inode.</param>
    public bool TryGetInode(uint number, Span<byte> record, out Inode inode)
    {
        if (!_inodes.TryRead(number, record, out inode))
            return false;
        // The size of a link is the length of its target, as it is shown.
        if (inode.IsEncrypted && inode.Type == FileType.SymbolicLink)
            inode = inode with { Size = _links.ShownLength(inode) };
        return true;
    }

    /// <summary>
    /// Reads all inodes that <see cref="TryGetInode(uint, out Inode)"/> would find, in the order of their numbers. What cannot be read, or is broken, is left out. Takes time: up to four
    /// billion records are looked at, though those of groups that were never used are passed over.
    /// </summary>
    public IEnumerable<Inode> InodesInUse() => _inodes.InUse();

    /// <summary>The root directory.</summary>
    /// <exception cref="CorruptImageException">It is gone: it was there when the image was opened.</exception>
    public Inode GetRoot() => TryGetInode(Superblock.RootInode, out Inode root) && root.Type == FileType.Directory
        ? root
        : throw new CorruptImageException(Corruption.RootDirectory, Superblock.RootInode, "the root directory is missing or deleted");

    /// <summary>Reads the inode that a name in a directory points to.</summary>
    /// <param name="number">What <see cref="TryLookup"/> answered.</param>
    /// <param name="directory">Where the name is.</param>
    /// <exception cref="CorruptImageException">The inode is free or deleted: a name must not point to such a one.</exception>
    public Inode GetNamedInode(uint number, in Inode directory) => GetNamedInode(number, directory, default);

    /// <inheritdoc cref="GetNamedInode(uint, in Inode)"/>
    /// <param name="number">What <see cref="TryLookup"/> answered.</param>
    /// <param name="directory">Where the name is.</param>
    /// <param name="record">As in <see cref="TryGetInode(uint, Span{byte}, out Inode)"/>.</param>
    public Inode GetNamedInode(uint number, in Inode directory, Span<byte> record) => TryGetInode(number, record, out Inode inode)
        ? inode
        : throw new CorruptImageException(Corruption.DirectoryEntryInode, directory.Number, $"a name points to inode {number}, which is not in use");

    /// <summary>Looks up a name, "." and ".." included.</summary>
    /// <param name="directory">A directory.</param>
    /// <param name="name">The name's bytes; a name nothing can have is not found.</param>
    /// <param name="inodeNumber">The inode's number: one that <see cref="TryGetInode(uint, out Inode)"/> may find, but it was not read.</param>
    /// <returns>False if there is no such name.</returns>
    /// <exception cref="ArgumentException">The inode is no directory.</exception>
    public bool TryLookup(in Inode directory, ReadOnlySpan<byte> name, out uint inodeNumber)
    {
        CheckType(directory, FileType.Directory, nameof(directory));
        return _directories.TryLookup(directory, name, out inodeNumber);
    }

    /// <summary>
    /// Whether a directory may have such a name at all. Where names must be valid in the filesystem's encoding (casefold, strict), Linux tells
    /// those that are not (EINVAL) from those that are not there (ENOENT).
    /// </summary>
    /// <param name="directory">A directory.</param>
    /// <param name="name">The name's bytes: one that <see cref="TryLookup"/> did not find.</param>
    /// <exception cref="ArgumentException">The inode is no directory.</exception>
    public bool IsPossibleName(in Inode directory, ReadOnlySpan<byte> name)
    {
        CheckType(directory, FileType.Directory, nameof(directory));
        return _directories.IsPossible(directory, name);
    }

    /// <summary>Shows a directory's entries behind a cookie, "." and ".." first, until the visitor has had enough.</summary>
    /// <param name="directory">A directory.</param>
    /// <param name="afterCookie">0 for the start, or the cookie of the last entry already taken.</param>
    /// <param name="visitor">Who gets the entries. It may call any member of this class.</param>
    /// <exception cref="ArgumentException">The inode is no directory.</exception>
    [SuppressMessage("Design", "CA1045:Do not pass types by reference", Justification = "The visitor collects state and may be a ref struct.")]
    public void List<TVisitor>(in Inode directory, ulong afterCookie, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        CheckType(directory, FileType.Directory, nameof(directory));
        _directories.List(directory, afterCookie, ref visitor);
    }

    /// <summary>Reads a regular file. Holes and reserved but unwritten parts are zeros.</summary>
    /// <param name="file">A regular file.</param>
    /// <param name="offset">The byte to start at, not negative.</param>
    /// <param name="destination">What to fill.</param>
    /// <exception cref="ContentChangedException">The content was to be verified, and was changed.</exception>
    /// <returns>The number of bytes: less than asked for only at the end of the file.</returns>
    /// <exception cref="ArgumentException">The inode is no regular file.</exception>
    /// <exception cref="EncryptedContentException">The file is encrypted.</exception>
    public int Read(in Inode file, long offset, Span<byte> destination)
    {
        CheckType(file, FileType.Regular, nameof(file));
        CheckKey(file);
        if (file.HasVerity && _verified is not null)
            return _verified.Read(file, offset, destination);
        return file.HasInlineContent ? _inline.Read(file, offset, destination) : _files.Read(file, offset, destination);
    }

    /// <summary>Reads a symbolic link's target.</summary>
    /// <param name="link">A symbolic link.</param>
    /// <param name="destination">Room for the target: 4095 bytes always suffice.</param>
    /// <returns>The target's length.</returns>
    /// <exception cref="ArgumentException">The inode is no symbolic link, or the destination is too small.</exception>
    public int ReadSymbolicLink(in Inode link, Span<byte> destination)
    {
        CheckType(link, FileType.SymbolicLink, nameof(link));
        return _links.Read(link, destination);
    }

    /// <summary>The first byte at or behind an offset that is not in a hole; unwritten parts are holes.</summary>
    /// <returns>The offset; -1 if there is none, or the offset lies outside of the file.</returns>
    /// <exception cref="ArgumentException">The inode is no regular file.</exception>
    /// <exception cref="EncryptedContentException">The file is encrypted.</exception>
    public long SeekData(in Inode file, long offset)
    {
        CheckType(file, FileType.Regular, nameof(file));
        CheckKey(file);
        return file.HasInlineContent ? InlineFiles.SeekData(file, offset) : _files.SeekData(file, offset);
    }

    /// <summary>The first byte at or behind an offset that is in a hole; the end of the file counts as one.</summary>
    /// <returns>The offset; -1 if the offset lies outside of the file.</returns>
    /// <exception cref="ArgumentException">The inode is no regular file.</exception>
    /// <exception cref="EncryptedContentException">The file is encrypted.</exception>
    public long SeekHole(in Inode file, long offset)
    {
        CheckType(file, FileType.Regular, nameof(file));
        CheckKey(file);
        return file.HasInlineContent ? InlineFiles.SeekHole(file, offset) : _files.SeekHole(file, offset);
    }

    /// <summary>Reads an extended attribute. Access control lists come as posix_acl_xattr version 2.</summary>
    /// <param name="inode">Any inode.</param>
    /// <param name="name">The full name, such as "user.x".</param>
    /// <param name="destination">Gets the value if it fits; otherwise it is left alone.</param>
    /// <param name="length">The value's length, whether it fits or not.</param>
    /// <returns>False if there is no such attribute.</returns>
    public bool TryGetExtendedAttribute(in Inode inode, ReadOnlySpan<byte> name, Span<byte> destination, out int length) =>
        _attributes.TryGet(inode, name, destination, out length);

    /// <summary>Lists the full names of an inode's extended attributes, each followed by NUL.</summary>
    /// <param name="inode">Any inode.</param>
    /// <param name="destination">Gets the names if all of them fit; otherwise it is left alone.</param>
    /// <returns>The length of all names, whether they fit or not.</returns>
    public int ListExtendedAttributes(in Inode inode, Span<byte> destination) => _attributes.List(inode, destination);

    private static Ext4Image Open(ImageSource source, ImageSource? journal, Ext4OpenOptions options)
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("inodes are looked at as they lie, which takes a little-endian machine");
        var bytes = new byte[Superblock.Size];
        int got = source.ReadUpTo(Superblock.Offset, bytes);
        if (got < bytes.Length || !Superblock.HasMagic(bytes))
            throw Foreign.Describe(source, got);
        Superblock superblock = Superblock.Parse(bytes);
        CheckLength(source, superblock, options);
        if (superblock.Features.Has(IncompatibleFeatures.MultipleMountProtection) && !options.NoRecovery)
            MultipleMountProtection.Check(source, superblock);
        Recovery recovery = options.NoRecovery ? Recovery.None(superblock) : Recovery.Run(source, superblock, journal);
        if (recovery.Superblock.BlockCount != superblock.BlockCount)
            CheckLength(source, recovery.Superblock, options);
        var image = new Ext4Image(source, journal, recovery, bytes, options);
        if (!image.TryGetInode(Superblock.RootInode, out Inode root) || root.Type != FileType.Directory || root.Size == 0 || root.Sectors == 0)
            throw new CorruptImageException(Corruption.RootDirectory, Superblock.RootInode, "the root directory is missing, deleted or empty");
        return image;
    }

    private static void CheckLength(ImageSource source, Superblock superblock, Ext4OpenOptions options)
    {
        long claimed = (long)superblock.BlockCount << superblock.BlockSizeBits;
        long actual = source.Length();
        if (actual < claimed)
        {
            throw new CorruptImageException(Corruption.ImageTooShort, 0,
                $"the superblock says {superblock.BlockCount} blocks, which are {claimed} bytes, but the {(actual == options.Length ? "partition" : "image")} has {actual}");
        }
    }

    private static void CheckKey(in Inode file)
    {
        if (file.IsEncrypted)
            throw new EncryptedContentException(file.Number);
    }

    private static void CheckType(in Inode inode, FileType type, string name)
    {
        if (inode.Type != type)
            throw new ArgumentException($"inode {inode.Number} is a {inode.Type}, not a {type}", name);
    }
}
