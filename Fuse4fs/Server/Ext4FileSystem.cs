using Ext4Reader;
using Fuse4fs.Protocol;
using Fuse4fs.State;
using Handles;

namespace Fuse4fs.Server;

/// <summary>
/// The operations over an ext4 image. Each begins by resolving the nodeid, which is the file handle: nobody is served the bytes or
/// attributes of another (inode number, generation) than the request names.
/// </summary>
internal sealed class Ext4FileSystem(Ext4Image image, SessionState state) : IFileSystem
{
    private const uint RootInode = 2;
    private const uint SeekData = 3;
    private const uint WriteAccess = 2;

    private readonly uint _crashInode = state.Options.CrashInode;
    private readonly bool _mayBeEncrypted = image.Volume.Features.Contains("encrypt");
    private readonly bool _minixDf = state.Options.MinixDf;
    private readonly AttributeMapper _attributes = new(state.Options, state.Negotiated, (uint)image.Volume.BlockSize);

    /// <inheritdoc/>
    public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, ref EntryOut entry)
    {
        if (!TryResolve(parent, out Inode directory))
            return Errno.ESTALE;
        if (name.SequenceEqual("."u8))
            return Fill(ref entry, directory, default);
        if (directory.Type != FileType.Directory)
            return Errno.ENOTDIR;
        if (!image.TryLookup(directory, name, out uint number))
        {
            if (parent.IsRoot && state.PrimingToken is not 0 and ulong token && PrimingFile.TryFill(token, name, ref entry))
                return Errno.Ok;
            if (!image.IsPossibleName(directory, name))
                return Errno.EINVAL;
            _attributes.FillAbsent(ref entry);
            return Errno.Ok;
        }
        Span<byte> record = InodeFingerprint.Room(image.Volume, stackalloc byte[InodeFingerprint.UsualRecord]);
        return Fill(ref entry, image.GetNamedInode(number, directory, record), record);
    }

    /// <inheritdoc/>
    public Errno GetAttributes(NodeId node, ref AttrOut attributes)
    {
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        _attributes.Fill(ref attributes, inode);
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno GetExtendedAttributes(NodeId node, ref StatxOut attributes)
    {
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        _attributes.Fill(ref attributes, inode);
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno ReadLink(NodeId node, Span<byte> target, out int length)
    {
        length = 0;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        if (inode.Type != FileType.SymbolicLink)
            return Errno.EINVAL;
        length = image.ReadSymbolicLink(inode, target);
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno Open(NodeId node)
    {
        // Only where files may be encrypted is the kernel to ask for each: it, too, refuses to open those without their key.
        if (!_mayBeEncrypted)
            return Errno.ENOSYS;
        if (PrimingFile.Is(node))
            return Errno.Ok;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        return inode.IsEncrypted ? Errno.ENOKEY : Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno Read(NodeId node, long offset, Span<byte> destination, out int count)
    {
        count = 0;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        if (inode.Type == FileType.Directory)
            return Errno.EISDIR;
        if (inode.Type != FileType.Regular)
            return Errno.EINVAL;
        if (inode.Number == _crashInode)
            Environment.FailFast("planted: this inode crashes whoever reads it");
        count = image.Read(inode, offset, destination);
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno ReadDirectory(NodeId node, ulong cookie, bool plus, ref DirectoryWriter names)
    {
        if (!TryResolve(node, out Inode directory))
            return Errno.ESTALE;
        if (directory.Type != FileType.Directory)
            return Errno.ENOTDIR;
        var listing = new Listing(this, names, plus);
        try
        {
            image.List(directory, cookie, ref listing);
        }
        finally
        {
            names = listing.Names; // what came before a broken part counts
        }
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno GetStatistics(ref StatFsOut statistics)
    {
        Ext4Statistics sizes = image.GetStatistics();
        statistics.Blocks = _minixDf ? sizes.Blocks + sizes.OverheadBlocks : sizes.Blocks;
        statistics.FreeBlocks = sizes.FreeBlocks;
        statistics.AvailableBlocks = sizes.AvailableBlocks;
        statistics.Files = sizes.Files;
        statistics.FreeFiles = sizes.FreeFiles;
        statistics.BlockSize = (uint)image.Volume.BlockSize;
        statistics.FragmentSize = (uint)image.Volume.BlockSize;
        statistics.NameLength = Limits.LongestName;
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, Span<byte> destination, out int length)
    {
        length = 0;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        return image.TryGetExtendedAttribute(inode, name, destination, out length) ? Errno.Ok : Errno.ENODATA;
    }

    /// <inheritdoc/>
    public Errno ListXattrs(NodeId node, bool withTrusted, Span<byte> destination, out int length)
    {
        length = 0;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        length = image.ListExtendedAttributes(inode, destination);
        if (!withTrusted && length != 0)
            length = XattrNames.WithoutTrusted(image, inode, destination, length);
        return Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno Access(NodeId node, uint mask)
    {
        if (!TryResolve(node, out _))
            return Errno.ESTALE;
        return (mask & WriteAccess) != 0 ? Errno.EROFS : Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno Seek(NodeId node, long offset, uint whence, out long result)
    {
        result = -1;
        if (!TryResolve(node, out Inode inode))
            return Errno.ESTALE;
        if (inode.Type != FileType.Regular)
            return Errno.EINVAL;
        result = whence == SeekData ? image.SeekData(inode, offset) : image.SeekHole(inode, offset);
        return result < 0 ? Errno.ENXIO : Errno.Ok;
    }

    /// <inheritdoc/>
    public Errno Ioctl(NodeId node, uint command, Span<byte> output, out int length)
    {
        length = 0;
        return TryResolve(node, out Inode inode) ? InodeIoctl.Answer(image.Volume, inode, command, output, out length) : Errno.ESTALE;
    }

    // The record is for the fingerprint, changed in the making; empty if it has still to be read.
    private Errno Fill(ref EntryOut entry, in Inode inode, Span<byte> record)
    {
        FileHandle handle = HandleOf(inode);
        if (inode.Number == RootInode)
        {
            _attributes.Fill(ref entry, inode, NodeId.Root.Value, 0);
        }
        else
        {
            // Before the reply: a worker killed right after it leaves a successor that knows what the kernel knows.
            if (state.Known.Add(handle, out KnownInodes.Slot slot))
                slot.Fingerprint = record.IsEmpty ? InodeFingerprint.Of(image, inode.Number) : InodeFingerprint.Of(record);
            _attributes.Fill(ref entry, inode, NodeId.From(handle).Value, handle.Generation);
        }
        return Errno.Ok;
    }

    private static FileHandle HandleOf(in Inode inode) => FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime);

    // The root is its number, whatever its generation; everything else must still be the inode that the nodeid was made for.
    private bool TryResolve(NodeId node, out Inode inode)
    {
        if (node.IsRoot)
        {
            inode = image.GetRoot();
            return true;
        }
        FileHandle handle = node.Handle;
        return image.TryGetInode(handle.Inode, out inode) && handle.Inode != RootInode && HandleOf(inode) == handle;
    }

    // Packs the names that the image lists into a reply.
    private ref struct Listing(Ext4FileSystem files, DirectoryWriter names, bool plus) : IDirectoryVisitor
    {
        private DirectoryWriter _names = names;

        public readonly DirectoryWriter Names => _names;

        public bool Visit(in ListedName listed)
        {
            if (!_names.HasRoomFor(listed.Name.Length))
                return false;
            EntryOut entry = default;
            if (plus && !IsDot(listed.Name))
                files.FillOrLeave(ref entry, listed.InodeNumber);
            _names.Add(entry, listed.InodeNumber, listed.Cookie, DirentType(listed.Type), listed.Name);
            return true;
        }

        private static bool IsDot(ReadOnlySpan<byte> name) => name is [(byte)'.'] or [(byte)'.', (byte)'.'];

        // The file type bits of a mode, shifted right by 12 (readdir(3), d_type), of each type: unknown, regular, directory, devices, pipe, socket, link.
        private static uint DirentType(FileType type) => ((ReadOnlySpan<byte>)[0, 8, 4, 2, 6, 1, 12, 10])[(int)type];
    }

    // An inode that is broken or gone must not cost the directory its listing: nodeid 0 tells the kernel to ask with LOOKUP, which has the error.
    private void FillOrLeave(ref EntryOut entry, uint number)
    {
        try
        {
            Span<byte> record = InodeFingerprint.Room(image.Volume, stackalloc byte[InodeFingerprint.UsualRecord]);
            if (image.TryGetInode(number, record, out Inode inode))
                _ = Fill(ref entry, inode, record);
        }
        catch (Exception e) when (e is Ext4Exception or IOException)
        {
            entry = default;
        }
    }
}
