using System.Globalization;
using TestSupport;

namespace Benchmarks.Compare;

/// <summary>
/// The two images that everybody is measured on: made once, kept in artifacts/, as others are. Names, contents, modification times and the mkfs parameters are
/// fixed; change times, and on some filesystems the order of inodes, come from the folder that the files are collected in.
/// </summary>
internal static class BenchmarkImages
{
    /// <summary>Names in /flat of the tree image.</summary>
    public const int FlatNames = 50_000;

    /// <summary>Files in /xattr of the tree image, with two attributes each.</summary>
    public const int FilesWithAttributes = 1_000;

    /// <summary>Bytes of /seq of the files image: contiguous.</summary>
    public const int SequentialBytes = 512 << 20;

    private const int Fragments = 4096;
    private const int FragmentBytes = 32 * 1024;
    private const int FilesInSource = 20_000;
    private const int FilesInFolder = 20;
    private const string Version = "2"; // to be raised with every change below: the images are kept

    private static readonly string Folder = Path.Combine(Repository.Root, "artifacts", "benchmarks", "images-" + Version);

    /// <summary>/seq, 512 MiB contiguous, and /frag, 128 MiB in some 4,000 extents.</summary>
    public static string Files => Get("files", image => Collect(image, MakeFiles));

    /// <summary>/flat, 50,000 small files; /src, 20,000 in 1,000 nested folders; /xattr, 1,000 with attributes.</summary>
    public static string Tree => Get("tree", image => Collect(image, MakeTree));

    /// <summary>The name of a file in /flat.</summary>
    public static string FlatName(int number) => string.Create(CultureInfo.InvariantCulture, $"entry-{number:d6}");

    /// <summary>The name of a file in /xattr.</summary>
    public static string AttributeName(int number) => string.Create(CultureInfo.InvariantCulture, $"attr-{number:d5}");

    /// <summary>An image that is made once and kept.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="make">Makes it, at a path.</param>
    public static string Get(string name, Action<string> make)
    {
        string image = Path.Combine(Folder, name + ".img");
        if (File.Exists(image))
            return image;
        Console.Error.WriteLine($"making {image}, to be kept");
        Directory.CreateDirectory(Folder);
        File.Delete(image + ".part");
        make(image + ".part");
        // What is not on the disk yet cannot be dropped from memory.
        using (FileStream file = File.OpenWrite(image + ".part"))
            file.Flush(flushToDisk: true);
        File.Move(image + ".part", image);
        return image;
    }

    private static void Collect(string image, Action<string, string> make)
    {
        // Of memory if there is enough: it also lists names in an order that depends on nothing but their creation.
        bool hasMemory = Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").AvailableFreeSpace > 2L << 30;
        string stage = Directory.CreateDirectory(Path.Combine(hasMemory ? "/dev/shm" : Path.GetTempPath(), $"fuse4fs-benchmark-{Environment.ProcessId}")).FullName;
        try
        {
            make(stage, image);
            // mke2fs leaves directories without an index; e2fsck makes them, and ends with 1 when it has.
            if (Run("e2fsck", "-fyD", image).ExitCode > 1)
                throw new InvalidOperationException($"e2fsck could not finish {image}");
        }
        finally
        {
            Directory.Delete(stage, recursive: true);
        }
    }

    private static void MakeFiles(string stage, string image)
    {
        WriteRandom(Path.Combine(stage, "seq"), SequentialBytes, seed: 1);
        // Small files that stay between larger ones that go: into the gaps goes /frag, for there is next to no other room.
        var removals = new List<string>();
        byte[] content = new byte[FragmentBytes];
        content.AsSpan().Fill(1); // of zeros, mke2fs would make holes
        for (int i = 0; i < Fragments; i++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(stage, "fill", $"{i / 256:d2}")).FullName;
            File.WriteAllBytes(Path.Combine(folder, $"{i:d5}-stays"), content.AsSpan(0, 4096));
            File.WriteAllBytes(Path.Combine(folder, $"{i:d5}-goes"), content);
            removals.Add($"rm /fill/{i / 256:d2}/{i:d5}-goes");
        }
        MakeFilesystem(stage, image, "696M", number: 1, "-m", "0", "-J", "size=16");
        Debugfs(stage, image, removals);
        WriteRandom(Path.Combine(stage, "frag"), Fragments * FragmentBytes, seed: 2);
        Debugfs(stage, image, [$"write {stage}/frag frag"]);
        if (Run("debugfs", "-R", "dump_extents /frag", image).OrThrow().Output.Count(letter => letter == '\n') < Fragments / 2)
            throw new InvalidOperationException($"/frag in {image} is not in pieces");
    }

    private static void MakeTree(string stage, string image)
    {
        byte[] pool = new byte[1 << 20];
        new Random(3).NextBytes(pool);
        string flat = Directory.CreateDirectory(Path.Combine(stage, "flat")).FullName;
        for (int i = 0; i < FlatNames; i++)
            File.WriteAllBytes(Path.Combine(flat, FlatName(i)), Slice(pool, i, i * 7919 % 8192));
        for (int i = 0; i < FilesInSource; i++)
        {
            int folder = i / FilesInFolder;
            string parent = Directory.CreateDirectory(Path.Combine(stage, "src", $"part-{folder / 100}", $"module-{folder / 10 % 10}", $"unit-{folder % 10}")).FullName;
            File.WriteAllBytes(Path.Combine(parent, $"source-{i:d5}.c"), Slice(pool, i, (int)(i * 104729L % 16384)));
        }
        var attributes = new List<string>();
        string xattr = Directory.CreateDirectory(Path.Combine(stage, "xattr")).FullName;
        for (int i = 0; i < FilesWithAttributes; i++)
        {
            File.WriteAllBytes(Path.Combine(xattr, AttributeName(i)), Slice(pool, i, 100));
            attributes.Add($"ea_set /xattr/{AttributeName(i)} user.number {i}");
            attributes.Add($"ea_set /xattr/{AttributeName(i)} user.text text-of-{new string('x', 20 + (i % 60))}");
        }
        MakeFilesystem(stage, image, "1G", number: 2, "-N", "100000");
        Debugfs(stage, image, attributes);
    }

    private static ReadOnlySpan<byte> Slice(byte[] pool, int number, int length) => pool.AsSpan((int)(number * 4241L % (pool.Length - 16384)), length);

    private static void WriteRandom(string path, int length, int seed)
    {
        var random = new Random(seed);
        byte[] part = new byte[1 << 20];
        using FileStream file = File.Create(path);
        for (int done = 0; done < length; done += part.Length)
        {
            random.NextBytes(part);
            file.Write(part);
        }
    }

    private static void MakeFilesystem(string stage, string image, string size, int number, params string[] options)
    {
        var time = DateTime.UnixEpoch.AddSeconds(1_700_000_000);
        foreach (string file in Directory.EnumerateFileSystemEntries(stage, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, time);
        string identity = $"6a8d2f10-0000-4000-8000-{number:d12}";
        Run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-U", identity, "-E", $"hash_seed={identity}", .. options, "-d", stage, image, size]).OrThrow();
    }

    private static void Debugfs(string stage, string image, IEnumerable<string> commands)
    {
        string script = Path.Combine(stage, "script");
        File.WriteAllLines(script, commands);
        Run("debugfs", "-w", "-f", script, image).OrThrow();
    }

    private static CommandResult Run(params string[] command) =>
        Command.Run(600, new Dictionary<string, string?> { ["E2FSPROGS_FAKE_TIME"] = "1700000000" }, command);
}
