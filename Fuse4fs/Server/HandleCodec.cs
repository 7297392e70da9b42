using Handles;

namespace Fuse4fs.Server;

/// <summary>
/// The bytes by which the kernel knows our files where it speaks LOOKUP_HANDLE: those of <see cref="FileHandleEncoding"/>. One codec for all dialects. The handle
/// says no more than the nodeid does, but in a form that says which filesystem it is of, so that it can be told as stale anywhere.
/// </summary>
/// <param name="volumeTag">The filesystem's (<see cref="FileHandleEncoding.VolumeTag"/>).</param>
internal sealed class HandleCodec(uint volumeTag)
{
    /// <summary>Bytes of a handle.</summary>
    public static int Size => FileHandleEncoding.Size;

    /// <summary>The codec for a filesystem.</summary>
    /// <param name="uuid">The 16 bytes that the superblock has.</param>
    public static HandleCodec For(ReadOnlySpan<byte> uuid) => new(FileHandleEncoding.VolumeTag(uuid));

    /// <summary>Writes the handle of a node, the root's too.</summary>
    public void Encode(NodeId node, Span<byte> destination) =>
        FileHandleEncoding.Encode(node.IsRoot ? FileHandle.Root : node.Handle, volumeTag, destination);

    /// <summary>
    /// The node that a handle means. False when it is stale: of another filesystem, form or version. Whether the inode is still that one, who reads the
    /// image can tell; every operation begins with that.
    /// </summary>
    public bool TryResolve(ReadOnlySpan<byte> bytes, out NodeId node)
    {
        bool known = FileHandleEncoding.TryDecode(bytes, volumeTag, out FileHandle handle);
        node = handle.Inode == FileHandle.Root.Inode ? NodeId.Root : NodeId.From(handle);
        return known;
    }
}
