using Ext4Reader;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Machinery;

/// <summary>What the README shows, works.</summary>
public class ReadmeTests
{
    [MountFact]
    public void The_library_example_reads_a_file() => Example(Images.Get("ext4"));

    [Fact]
    public void The_library_example_is_the_one_in_the_README()
    {
        string source = File.ReadAllText(Path.Combine(Repository.Root, "tests", "EndToEnd.Tests", "Machinery", "ReadmeTests.cs"));
        string[] example = [.. Between(source, "    {  // README\n", "    }  // README\n").Split('\n').Select(line => line.Length > 8 ? line[8..] : "")];
        Assert.Equal(Between(File.ReadAllText(Path.Combine(Repository.Root, "README.md")), "```csharp\n", "```\n").Split('\n'), example);
    }

    private static void Example(string path)
    {  // README
        using Ext4Image image = Ext4Image.Open(path);
        if (!image.TryLookup(image.GetRoot(), "hello.txt"u8, out uint number) || !image.TryGetInode(number, out Inode file))
            throw new FileNotFoundException("no hello.txt in the image", path);
        byte[] contents = new byte[file.Size];
        int length = image.Read(file, offset: 0, contents);
        Console.WriteLine($"inode {file.Number}, generation {file.Generation}: {length} bytes");
    }  // README

    private static string Between(string text, string start, string end)
    {
        int from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }
}
