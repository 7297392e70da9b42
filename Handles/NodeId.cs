namespace Handles;

/// <summary>
/// A file handle in the 64 bits by which the FUSE kernel names a node: <c>generation &lt;&lt; 32 | inode number</c>. So each request
/// carries the whole handle, and a server needs no table of nodes that could be lost. The root is always 1 (kernel document
/// filesystems/fuse: FUSE_ROOT_ID), whatever its inode number and generation.
/// </summary>
/// <param name="Value">The number on the wire.</param>
public readonly record struct NodeId(ulong Value)
{
    /// <summary>The root of every mount.</summary>
    public static readonly NodeId Root = new(1);

    /// <summary>Whether this is the root, which has no handle in it.</summary>
    public bool IsRoot => Value == 1;

    /// <summary>The handle that this nodeid carries. Meaningless for the root.</summary>
    public FileHandle Handle => new((uint)(Value & uint.MaxValue), (uint)(Value >> 32));

    /// <summary>The nodeid of an inode that is not the root. Inode number 1 is never served, so no clash with the root arises.</summary>
    public static NodeId From(FileHandle handle) => new((ulong)handle.Generation << 32 | handle.Inode);

    /// <inheritdoc/>
    public override string ToString() => IsRoot ? "root" : Handle.ToString();
}
