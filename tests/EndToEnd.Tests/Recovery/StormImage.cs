using System.Globalization;
using System.Text;
using TestSupport;

namespace EndToEnd.Tests.Recovery;

/// <summary>An image to be read while workers die: a file, "big", whose every byte is known, and a directory, "many", of very many names.</summary>
internal static class StormImage
{
    public const int Mebibyte = 1 << 20, Names = 3000;

    /// <summary>What is in "big": 4 MiB of numbered lines.</summary>
    public static readonly byte[] Content = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Range(0, 4 * Mebibyte / 32).Select(line => string.Create(CultureInfo.InvariantCulture, $"line {line,26}\n"))));

    public static ImageCopy Make()
    {
        using var folder = new ScratchFolder();
        string content = Path.Combine(folder.Path, "content");
        File.WriteAllBytes(content, Content);
        ImageCopy image = Images.Copy("room");
        // One file by many names: there are fewer inodes than names.
        image.Debugfs([$"write {content} big", "mkdir many", .. Enumerable.Repeat("expand_dir many", Names * 48 / 4096), "cd many", .. Enumerable.Range(0, Names).Select(number => $"ln /big entry-with-a-rather-long-name-{number}")]);
        return image;
    }

    /// <summary>Throws unless these are the bytes of "big" there.</summary>
    public static void Check(int offset, int count, byte[] read, string what)
    {
        ReadOnlySpan<byte> expected = Content.AsSpan(offset, count);
        if (!expected.SequenceEqual(read))
            throw new InvalidDataException($"{what} has {read.Length} bytes and a wrong one at {expected.CommonPrefixLength(read)}");
    }
}
