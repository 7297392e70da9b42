using System.Security.Cryptography;
using System.Text;

namespace TestSupport;

/// <summary>The sample images of images/, built when first asked for.</summary>
public static class Images
{
    private static readonly Lock Building = new();
    private static readonly string Recipes = Path.Combine(Repository.Root, "images", "recipes");
    private static readonly string Corrupt = Path.Combine(Repository.Root, "images", "corrupt");

    /// <summary>Every recipe's name.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Recipes, "*.sh").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>The recipes of images that are broken on purpose.</summary>
    public static IEnumerable<string> CorruptNames =>
        Directory.EnumerateFiles(Corrupt, "*.sh").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    /// <summary>What a broken image must answer, as its recipe says: lines "# expect ERROR PATH", or "# expect refused".</summary>
    public static IReadOnlyList<string[]> Expectations(string corruptName) =>
        [.. File.ReadLines(FileOf(corruptName)).Where(line => line.StartsWith("# expect ", StringComparison.Ordinal)).Select(line => line["# expect ".Length..].Split(' '))];

    /// <summary>The built image: shared and kept from run to run, so only to be read.</summary>
    public static string Get(string name)
    {
        // The key holds everything the bytes depend on, so a changed recipe is another image and nothing is ever stale.
        string folder = Path.Combine(Repository.Root, "artifacts", "images", Key(name));
        string image = Path.Combine(folder, name + ".img");
        lock (Building)
        {
            if (!File.Exists(image))
                Command.Run(Path.Combine(Repository.Root, "images", "build.sh"), folder, name).OrThrow();
        }
        return image;
    }

    /// <summary>A copy to break or write to, in a folder that goes with it.</summary>
    public static ImageCopy Copy(string name) => new(Get(name));

    /// <summary>A copy of an image that is not one of the samples.</summary>
    public static ImageCopy CopyOf(string image) => new(image);

    private static string Key(string name)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string folder = Path.Combine(Repository.Root, "images");
        foreach (string file in (string[])[Path.Combine(folder, "build.sh"), Path.Combine(folder, "lib.sh"), FileOf(name)])
            hash.AppendData(File.ReadAllBytes(file));
        hash.AppendData(Encoding.UTF8.GetBytes(ToolVersion.Value));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static string FileOf(string name)
    {
        string recipe = Path.Combine(Recipes, name + ".sh");
        return File.Exists(recipe) ? recipe : Path.Combine(Corrupt, name + ".sh");
    }

    private static readonly Lazy<string> ToolVersion = new(() => Command.Run("mke2fs", "-V").Errors);
}

/// <summary>A private copy of an image.</summary>
public sealed class ImageCopy : IDisposable
{
    private readonly ScratchFolder _folder = new();

    internal ImageCopy(string source)
    {
        ImagePath = Path.Combine(_folder.Path, Path.GetFileName(source));
        Command.Run("cp", "--sparse=always", source, ImagePath).OrThrow();
    }

    public string ImagePath { get; }

    /// <summary>Lets debugfs change the image: one command a line.</summary>
    public void Debugfs(params string[] commands)
    {
        string script = Path.Combine(_folder.Path, "script");
        File.WriteAllLines(script, commands, Encoding.Latin1);
        CommandResult result = Command.Run("debugfs", "-w", "-f", script, ImagePath).OrThrow();
        // debugfs ends with 0 whatever happens; only its words tell.
        if (result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Any(line => !line.StartsWith("debugfs 1.", StringComparison.Ordinal)))
            throw new InvalidOperationException(result.ToString());
    }

    public void Dispose() => _folder.Dispose();
}

/// <summary>A folder of our own below the temporary one; everybody may pass through it, for tests that run as somebody else.</summary>
public sealed class ScratchFolder : IDisposable
{
    public ScratchFolder()
    {
        Path = Directory.CreateTempSubdirectory("fuse4fs-test-").FullName;
        File.SetUnixFileMode(Path, (UnixFileMode)0x1ED); // 0755
    }

    public string Path { get; }

    /// <summary>A new empty folder inside.</summary>
    public string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public void Dispose()
    {
        // Never below a mount: what is mounted here is somebody's image, and a leaked mount shall be seen, not emptied.
        if (MountTable.Read().Any(mount => mount.MountPoint.StartsWith(Path + "/", StringComparison.Ordinal)))
#pragma warning disable CA1065 // a test that leaks a mount must fail, and this is where it is noticed
            throw new InvalidOperationException($"something is still mounted below {Path}");
#pragma warning restore CA1065
        Directory.Delete(Path, recursive: true);
    }
}
