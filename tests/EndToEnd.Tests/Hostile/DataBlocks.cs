using System.Globalization;
using TestSupport;

namespace EndToEnd.Tests.Hostile;

/// <summary>Where debugfs finds the data of files, and what it reads there.</summary>
internal static class DataBlocks
{
    /// <summary>The image block of a file's block.</summary>
    public static long Find(string image, string file, int block) =>
        long.Parse(Command.Run("debugfs", "-R", $"bmap /{file} {block}", image).OrThrow().Output, CultureInfo.InvariantCulture);

    /// <summary>A file's bytes.</summary>
    public static byte[] Content(string image, string file)
    {
        using ScratchFolder folder = new();
        string copy = Path.Combine(folder.Path, "content");
        Command.Run("debugfs", "-R", $"dump /{file} {copy}", image).OrThrow();
        return File.ReadAllBytes(copy);
    }
}
