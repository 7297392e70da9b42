using System.Text;

namespace Ext4Reader.Tests.Building;

/// <summary>A tree of files to put into images.</summary>
/// <param name="Key">Changes whenever the tree does.</param>
/// <param name="Write">Writes it into an empty directory.</param>
internal sealed record SourceTree(string Key, Action<string> Write)
{
    public static readonly int[] Sizes = [0, 1, 59, 1023, 1024, 1025, 4096, 65537, 300000];

    public static readonly int[] LinkLengths = [1, 58, 59, 60, 61, 255, 1000];

    /// <summary>Some of everything that mke2fs can copy without privileges.</summary>
    public static readonly SourceTree Standard = new("standard 2", WriteStandard);

    /// <summary>One directory with many names.</summary>
    public static SourceTree ManyNames(int count) => new($"many 1 {count}", root => WriteMany(root, count));

    public static string ManyName(int index) => $"entry-{index:d5}-{new string('n', index % 40)}";

    /// <summary>Bytes that tell which file they are from and where in it.</summary>
    public static byte[] Pattern(string name, long offset, int length)
    {
        var bytes = new byte[length];
        for (int index = 0; index < length; index++)
        {
            long line = (offset + index) / 32;
            byte[] text = Encoding.ASCII.GetBytes($"{name,14} {line:x15}\n\n");
            int within = (int)((offset + index) % 32);
            int take = Math.Min(32 - within, length - index);
            text.AsSpan(within, take).CopyTo(bytes.AsSpan(index));
            index += take - 1;
        }

        return bytes;
    }

    private static void WriteStandard(string root)
    {
        Directory.CreateDirectory(Path.Combine(root, "sizes"));
        foreach (int size in Sizes)
            File.WriteAllBytes(Path.Combine(root, "sizes", $"{size}"), Pattern($"{size}", 0, size));
        Directory.CreateDirectory(Path.Combine(root, "sparse"));
        WriteAt(root, "hole-first", 200_001, (100_000, 5000));
        WriteAt(root, "hole-last", 200_001, (0, 5000));
        WriteAt(root, "all-hole", 123_456);
        WriteAt(root, "pieces", 64 * 131072, [.. Enumerable.Range(0, 32).Select(index => (index * 2L * 131072, 100))]);
        Directory.CreateDirectory(Path.Combine(root, "links"));
        foreach (int length in LinkLengths)
            File.CreateSymbolicLink(Path.Combine(root, "links", $"{length}"), new string('t', length));
        Directory.CreateDirectory(Path.Combine(root, "names"));
        foreach (string name in new[] { new string('a', 255), "é日本", "new\nline", " ", "...", "-rf" })
            File.WriteAllText(Path.Combine(root, "names", name), name);
        Directory.CreateDirectory(Path.Combine(root, "deep", "er", "still"));
        File.WriteAllText(Path.Combine(root, "deep", "er", "still", "bottom"), "here");
        Directory.CreateDirectory(Path.Combine(root, "attributes"));
        File.WriteAllText(Path.Combine(root, "attributes", "file"), "x");
    }

    private static void WriteAt(string root, string name, long length, params (long Offset, int Length)[] pieces)
    {
        using FileStream file = File.Create(Path.Combine(root, "sparse", name));
        file.SetLength(length);
        foreach ((long offset, int pieceLength) in pieces)
        {
            file.Position = offset;
            file.Write(Pattern(name, offset, pieceLength));
        }
    }

    private static void WriteMany(string root, int count)
    {
        string directory = Path.Combine(root, "many");
        Directory.CreateDirectory(directory);
        for (int index = 0; index < count; index++)
            File.WriteAllBytes(Path.Combine(directory, ManyName(index)), []);
    }
}
