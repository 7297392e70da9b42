namespace Ext4Reader.Tests.Building;

/// <summary>Does everything that can be done with an image, whatever state it is in.</summary>
internal static class Everything
{
    private const int MostRead = 4 << 20;

    /// <summary>Returns the number of inodes that could be read. Lets nothing pass but what the library promises to throw.</summary>
    public static int Do(string path)
    {
        int inodes = 0;
        Tolerate(() =>
        {
            using var image = Ext4Image.Open(path, new Ext4OpenOptions { NoRecovery = true });
            Tolerate(() => image.GetStatistics());
            for (uint number = 0; number <= Math.Min(image.Volume.InodeCount, 3000); number++)
                inodes += Visit(image, number) ? 1 : 0;
        });
        return inodes;
    }

    private static bool Visit(Ext4Image image, uint number)
    {
        Inode inode = default;
        bool exists = false;
        Tolerate(() => exists = image.TryGetInode(number, out inode));
        if (!exists)
            return false;
        Tolerate(() =>
        {
            foreach (string name in image.AttributeNames(inode))
                Tolerate(() => image.Attribute(inode, name));
        });
        if (inode.Type == FileType.Regular)
            ReadFile(image, inode);
        else if (inode.Type == FileType.SymbolicLink)
            Tolerate(() => image.ReadSymbolicLink(inode, new byte[4096]));
        else if (inode.Type == FileType.Directory)
            ReadDirectory(image, inode);
        return true;
    }

    private static void ReadFile(Ext4Image image, Inode file)
    {
        var buffer = new byte[1 << 20];
        Tolerate(() =>
        {
            for (long offset = 0; offset < MostRead;)
            {
                int length = image.Read(file, offset, buffer);
                if (length == 0)
                    break;
                offset += length;
            }
        });
        Tolerate(() =>
        {
            int pieces = 0;
            for (long offset = 0; pieces < 5000; pieces++)
            {
                long data = image.SeekData(file, offset);
                if (data < 0)
                    break;
                long hole = image.SeekHole(file, data);
                Assert.True(hole > data);
                offset = hole;
            }
        });
    }

    private static void ReadDirectory(Ext4Image image, Inode directory)
    {
        var names = new List<Listed>();
        Tolerate(() => names = image.List(directory, most: 5000));
        Assert.True(names.Zip(names.Skip(1), (left, right) => left.Cookie < right.Cookie).All(isAscending => isAscending));
        Tolerate(() =>
        {
            ulong after = 0;
            for (int pages = 0; pages < 1000; pages++)
            {
                List<Listed> page = image.List(directory, after, 20);
                if (page.Count == 0)
                    break;
                Assert.True(page[^1].Cookie > after);
                after = page[^1].Cookie;
            }
        });
        foreach (Listed entry in names)
            Tolerate(() => image.TryLookup(directory, System.Text.Encoding.Latin1.GetBytes(entry.Name), out _));
    }

    private static void Tolerate(Action action)
    {
        try
        {
            action();
        }
        catch (Ext4Exception problem)
        {
            Assert.NotEmpty(problem.Message);
        }
        catch (IOException problem)
        {
            Assert.NotEmpty(problem.Message);
        }
    }
}
