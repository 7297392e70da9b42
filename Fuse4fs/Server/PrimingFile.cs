using System.Text;
using Fuse4fs.Protocol;
using Fuse4fs.State;
using Handles;

namespace Fuse4fs.Server;

/// <summary>
/// An empty file that no image has, for the first moments of a mount: whoever opens and closes it has the kernel ask OPEN and FLUSH once, and learn
/// that it need not. Otherwise the first process to exit with an open file, after the server has died, would hang in FLUSH, beyond the
/// reach of SIGKILL. Its name holds a number that only the mounting command knows; it is in no listing and not cached.
/// </summary>
internal static class PrimingFile
{
    // Inode 1 (bad blocks) is never served, so its number is free with any generation but the root's nodeid, 0.
    private const ulong Node = 1UL << 32 | 1;

    // Readable for all but the group: with no rights for the group, the kernel asks for no ACL either.
    private const uint Mode = 0x8000 | 0x104; // regular file, 0404

    /// <summary>Whether a node is the file.</summary>
    public static bool Is(NodeId node) => node.Value == Node;

    /// <summary>Answers a LOOKUP in the root if it is for the file.</summary>
    public static bool TryFill(ulong token, ReadOnlySpan<byte> name, ref EntryOut entry)
    {
        if (!name.SequenceEqual(Encoding.UTF8.GetBytes(SessionState.PrimingName(token))))
            return false;
        entry.NodeId = Node;
        entry.Attr.Ino = Node;
        entry.Attr.Mode = Mode;
        entry.Attr.LinkCount = 1;
        entry.Attr.BlockSize = 4096;
        entry.AttrValid = 1; // long enough for open(2); the name itself is asked for again each time
        return true;
    }
}
