using System.Text;

namespace Ext4Reader.Tests.Building;

/// <summary>Names as tests like them: Latin-1 strings, one character a byte.</summary>
internal sealed record Listed(string Name, uint InodeNumber, FileType Type, ulong Cookie);

internal struct Collector(List<Listed> entries, int most = int.MaxValue) : IDirectoryVisitor
{
    public bool Visit(in ListedName entry)
    {
        if (entries.Count >= most)
            return false;
        entries.Add(new Listed(Encoding.Latin1.GetString(entry.Name), entry.InodeNumber, entry.Type, entry.Cookie));
        return true;
    }
}

/// <summary>Shorthands for what tests do with images.</summary>
internal static class ImageExtensions
{
    public static Inode Inode(this Ext4Image image, uint number) =>
        image.TryGetInode(number, out Inode inode) ? inode : throw new InvalidOperationException($"no inode {number}");

    public static Inode Find(this Ext4Image image, string path)
    {
        Inode inode = image.Inode(2);
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!image.TryLookup(inode, Encoding.UTF8.GetBytes(name), out uint number))
                throw new FileNotFoundException($"{name} of {path}");
            inode = image.Inode(number);
        }

        return inode;
    }

    public static List<Listed> List(this Ext4Image image, in Inode directory, ulong after = 0, int most = int.MaxValue)
    {
        var entries = new List<Listed>();
        var collector = new Collector(entries, most);
        image.List(directory, after, ref collector);
        return entries;
    }

    public static byte[] Content(this Ext4Image image, string path)
    {
        Inode file = image.Find(path);
        var bytes = new byte[file.Size];
        Assert.Equal(bytes.Length, image.Read(file, 0, bytes));
        return bytes;
    }

    public static string[] AttributeNames(this Ext4Image image, in Inode inode)
    {
        var names = new byte[image.ListExtendedAttributes(inode, [])];
        image.ListExtendedAttributes(inode, names);
        return Encoding.Latin1.GetString(names).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    public static byte[]? Attribute(this Ext4Image image, in Inode inode, string name)
    {
        byte[] nameBytes = Encoding.Latin1.GetBytes(name);
        if (!image.TryGetExtendedAttribute(inode, nameBytes, [], out int length))
            return null;
        var value = new byte[length];
        Assert.True(image.TryGetExtendedAttribute(inode, nameBytes, value, out _));
        return value;
    }
}
