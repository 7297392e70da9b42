using Fuse4fs.Protocol;
using Handles;

namespace Fuse4fs.Server;

/// <summary>
/// The operations of a filesystem that is only read. Called by many threads at once. An expected refusal is the returned
/// <see cref="Errno"/>; what is wrong with the world underneath (a broken image, a disk that fails) is an exception, which the
/// dispatcher turns into one.
/// </summary>
/// <remarks>
/// Every operation answers <see cref="Errno.ESTALE"/> for a nodeid whose inode is free or has another generation by now.
/// Reply structures come zeroed; what is not set stays 0.
/// </remarks>
internal interface IFileSystem
{
    /// <summary>
    /// Finds a name in a directory. <c>.</c> and <c>..</c> come too, <c>.</c> for nodes of any type: so the kernel revives file handles that
    /// it no longer caches (fs/fuse/inode.c, fuse_get_dentry). A success adds one to the node's lookup count, which is nobody's concern here.
    /// A name that is not there is a success with nodeid 0: then the kernel caches the absence.
    /// </summary>
    Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, ref EntryOut entry);

    /// <summary>The attributes of a node.</summary>
    Errno GetAttributes(NodeId node, ref AttrOut attributes);

    /// <summary>The attributes of a node as statx(2) has them: with the birth time.</summary>
    Errno GetExtendedAttributes(NodeId node, ref StatxOut attributes);

    /// <summary>The target of a symbolic link, without a NUL.</summary>
    Errno ReadLink(NodeId node, Span<byte> target, out int length);

    /// <summary>
    /// Whether a file can be opened. <see cref="Errno.ENOSYS"/>, the default, says that every file can, and the kernel does not ask again, for
    /// the life of the connection.
    /// </summary>
    Errno Open(NodeId node) => Errno.ENOSYS;

    /// <summary>Bytes of a file; fewer than asked for only at its end.</summary>
    Errno Read(NodeId node, long offset, Span<byte> destination, out int count);

    /// <summary>
    /// Names of a directory, those after <paramref name="cookie"/> (0: from the start), until <paramref name="names"/> is full.
    /// None at all: the end.
    /// </summary>
    /// <param name="node">The directory.</param>
    /// <param name="cookie">The offset of the last name that the reader has.</param>
    /// <param name="plus">Whether each name comes with what LOOKUP would answer.</param>
    /// <param name="names">Where they go.</param>
    Errno ReadDirectory(NodeId node, ulong cookie, bool plus, ref DirectoryWriter names);

    /// <summary>Sizes of the whole filesystem.</summary>
    Errno GetStatistics(ref StatFsOut statistics);

    /// <summary>The value of an extended attribute. <paramref name="length"/> is its size even where it does not fit and is not copied.</summary>
    Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, Span<byte> destination, out int length);

    /// <summary>The names of all extended attributes, a NUL behind each.</summary>
    /// <param name="node">The node.</param>
    /// <param name="withTrusted">Whether the caller may see <c>trusted.*</c> (xattr(7): only with CAP_SYS_ADMIN).</param>
    /// <param name="destination">Where they go, if they all fit.</param>
    /// <param name="length">The bytes of them all.</param>
    Errno ListXattrs(NodeId node, bool withTrusted, Span<byte> destination, out int length);

    /// <summary>Whether the node is there and <paramref name="mask"/> (access(2)) asks for nothing that a read-only filesystem refuses.</summary>
    Errno Access(NodeId node, uint mask);

    /// <summary>lseek(2) with SEEK_DATA (3) or SEEK_HOLE (4).</summary>
    Errno Seek(NodeId node, long offset, uint whence, out long result);

    /// <summary>An ioctl(2) that only reads. <paramref name="length"/>: bytes put into <paramref name="output"/>.</summary>
    Errno Ioctl(NodeId node, uint command, Span<byte> output, out int length);
}
