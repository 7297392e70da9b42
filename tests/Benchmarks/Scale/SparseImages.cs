using System.Globalization;
using TestSupport;

namespace Benchmarks.Scale;

/// <summary>
/// Empty filesystems of any size, in files that are nearly all holes: 0.2 GB on the disk for 16 TB. They go in the end, for whoever copies or
/// searches a tree may not know of holes.
/// </summary>
internal sealed class SparseImages : IDisposable
{
    private readonly string _folder = Path.Combine(Repository.Root, "artifacts", "benchmarks", "sparse");

    public SparseImages()
    {
        Dispose(); // what a run left that was killed
        Directory.CreateDirectory(_folder);
    }

    /// <summary>An image, made when first asked for.</summary>
    /// <param name="bytes">Its size.</param>
    /// <param name="inodes">How many inodes at least; 0 for what mke2fs finds right.</param>
    public string Get(long bytes, long inodes)
    {
        string image = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{bytes}-{inodes}.img"));
        if (File.Exists(image))
            return image;
        Console.Error.WriteLine($"making {image}, to be removed in the end");
        string[] wanted = inodes == 0 ? [] : ["-N", inodes.ToString(CultureInfo.InvariantCulture)];
        string blocks = (bytes / 4096).ToString(CultureInfo.InvariantCulture);
        Command.Run(120, null, ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-J", "size=4", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", .. wanted, image, blocks]).OrThrow();
        return image;
    }

    /// <summary>Why there can be no file of this size; null if there can.</summary>
    /// <param name="bytes">The size.</param>
    public string? WhyNot(long bytes)
    {
        string probe = Path.Combine(_folder, "probe");
        CommandResult result = Command.Run("truncate", "--size", bytes.ToString(CultureInfo.InvariantCulture), probe);
        File.Delete(probe);
        return result.ExitCode == 0 ? null : $"the filesystem of {_folder} has no files so large ({result.Errors.Trim()})";
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }
}
