using System.Globalization;
using System.Text;
using Ext4Reader;

namespace Fuse4fs.Inspection;

/// <summary>
/// Looks for a name of an inode by walking the directories from the root: an inode does not know its names. Each directory is entered once,
/// so that an image whose directories form a circle is walked to an end, too; what cannot be read is passed over and counted.
/// </summary>
internal static class PathWalk
{
    /// <summary>The first path found, breadth first; null if there is none. See <see cref="Escape"/> for its form.</summary>
    /// <param name="image">The image.</param>
    /// <param name="wanted">The inode.</param>
    /// <param name="unreadable">Directories that could not be read to their end.</param>
    public static string? Find(Ext4Image image, in Inode wanted, out int unreadable)
    {
        unreadable = 0;
        Inode root = image.GetRoot();
        if (wanted.Number == root.Number)
            return "/";
        var entered = new HashSet<uint> { root.Number };
        var folders = new List<Folder> { new(root.Number, -1, []) };
        for (int at = 0; at < folders.Count; at++)
        {
            var visitor = new Visitor(wanted.Number, at, folders, entered);
            try
            {
                // An entry's type may be missing or a lie: only the inode tells.
                if (image.TryGetInode(folders[at].Number, out Inode folder) && folder.Type == FileType.Directory)
                    image.List(folder, 0, ref visitor);
            }
            catch (Exception e) when (e is Ext4Exception or IOException)
            {
                unreadable++;
            }
            if (visitor.Found is not null)
                return PathTo(folders, at) + "/" + Escape(visitor.Found);
        }
        return null;
    }

    /// <summary>
    /// A name that can be shown on a line and in JSON: a backslash, control characters and what is not UTF-8 are written as a backslash and three
    /// octal digits for each byte, as in /proc/mounts. An image has no say over the terminal.
    /// </summary>
    public static string Escape(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder(name.Length);
        while (!name.IsEmpty)
        {
            bool isValid = Rune.DecodeFromUtf8(name, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isValid && !Rune.IsControl(rune) && rune.Value != '\\' && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
                text.Append(rune);
            else
                foreach (byte one in name[..length])
                    text.Append('\\').Append((char)('0' + (one >> 6))).Append((char)('0' + ((one >> 3) & 7))).Append((char)('0' + (one & 7)));
            name = name[length..];
        }
        return text.ToString();
    }

    // A loop, for a broken image may nest as many directories as it has inodes.
    private static string PathTo(List<Folder> folders, int at)
    {
        var names = new List<string>();
        for (; folders[at].Parent >= 0; at = folders[at].Parent)
            names.Add("/" + Escape(folders[at].Name));
        names.Reverse();
        return string.Concat(names);
    }

    private readonly record struct Folder(uint Number, int Parent, byte[] Name);

    private struct Visitor(uint wanted, int parent, List<Folder> folders, HashSet<uint> entered) : IDirectoryVisitor
    {
        public byte[]? Found { get; private set; }

        public bool Visit(in ListedName entry)
        {
            if (entry.Name.SequenceEqual("."u8) || entry.Name.SequenceEqual(".."u8))
                return true;
            if (entry.InodeNumber == wanted)
                Found = entry.Name.ToArray();
            else if (entry.Type is FileType.Directory or FileType.Unknown && entered.Add(entry.InodeNumber))
                folders.Add(new Folder(entry.InodeNumber, parent, entry.Name.ToArray()));
            return Found is null;
        }
    }
}
