using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Hostile;

/// <summary>Large directories without an index, listed by many at once: each needs a table of its names, and all tables together must be bounded.</summary>
public partial class LargeDirectoryTests
{
    private const int Directories = 8;
    private const int Names = 1_200_000;
    private const int BlockSize = 4096;
    private const int InodeSize = 256;
    private const int MostMebibytes = 256;

    [MountFact("mke2fs", "debugfs")]
    public void Many_listed_at_once_take_no_more_memory_than_there_may_be()
    {
        using ScratchFolder folder = new();
        string image = Build(folder);
        using LiveMount mount = LiveMount.Foregrounded(image, "readdirplus=no,threads=8");
        int[] counts = new int[Directories];
        Thread[] threads = [.. Enumerable.Range(0, Directories).Select(index => new Thread(() => counts[index] = Count($"{mount.MountPoint}/d{index}")))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        Assert.All(counts, count => Assert.Equal(Names + 2, count));
        Assert.InRange(Memory.PeakOf(mount), 1, MostMebibytes);
        Assert.All(mount.Processes, process => Assert.True(FuseServer.IsAlive(process)));
    }

    private static int Count(string path) =>
        int.Parse(Command.Run(120, null, "sh", "-c", "ls -f \"$0\" | wc -l", path).OrThrow().Output, CultureInfo.InvariantCulture);

    // Files of directory blocks, all the same ones, that are then called directories.
    private static string Build(ScratchFolder folder)
    {
        string tree = folder.Folder("tree");
        for (int index = 0; index < Directories; index++)
            File.WriteAllBytes($"{tree}/d{index}", index == 0 ? Blocks() : []);
        string image = $"{folder.Path}/image";
        Command.Run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-O", "^metadata_csum,^has_journal", "-d", tree, image, "64M").OrThrow();
        byte[] bytes = File.ReadAllBytes(image);
        Span<byte> first = bytes.AsSpan(InodeOf(image, "/d0"), 128);
        BinaryPrimitives.WriteUInt16LittleEndian(first, 0x41ED);                 // i_mode: a directory, 0755
        BinaryPrimitives.WriteUInt16LittleEndian(first[0x1a..], 2);              // i_links_count
        for (int index = 1; index < Directories; index++)
            first.CopyTo(bytes.AsSpan(InodeOf(image, $"/d{index}")));
        File.WriteAllBytes(image, bytes);
        return image;
    }

    private static int InodeOf(string image, string path)
    {
        Match match = Place().Match(Command.Run("debugfs", "-R", $"imap {path}", image).OrThrow().Output);
        return (int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * BlockSize) + Convert.ToInt32(match.Groups[2].Value, 16) / InodeSize * InodeSize;
    }

    private static byte[] Blocks()
    {
        const int Length = 16;
        byte[] bytes = new byte[((Names * Length / (BlockSize - 64)) + 2) * BlockSize];
        Write(bytes, 0, 12, ".");
        Write(bytes, 12, 12, "..");
        int at = 24;
        for (int name = 0; name < Names; name++)
        {
            int left = BlockSize - (at % BlockSize);
            int length = left < 2 * Length ? left : Length;
            Write(bytes, at, length, string.Create(CultureInfo.InvariantCulture, $"{name:x8}"));
            at += length;
        }

        for (; at < bytes.Length; at += BlockSize - (at % BlockSize))
            Write(bytes, at, BlockSize - (at % BlockSize), "");
        return bytes;
    }

    private static void Write(byte[] bytes, int at, int length, string name)
    {
        Span<byte> entry = bytes.AsSpan(at, length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry, name.Length == 0 ? 0u : 2);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], (ushort)length);
        entry[6] = (byte)name.Length;
        entry[7] = 2;
        for (int index = 0; index < name.Length; index++)
            entry[8 + index] = (byte)name[index];
    }

    [GeneratedRegex("located at block ([0-9]+), offset (0x[0-9a-f]+)")]
    private static partial Regex Place();
}
