using System.Text;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>The same tree in every layout mke2fs makes, compared with its source.</summary>
public class LayoutTests
{
    public static readonly TheoryData<string> Layouts =
    [
        "-t ext2 -b 1024 -I 128",
        "-t ext2 -b 4096 -I 256 -r 0 -O none",
        "-t ext3 -b 1024 -I 128",
        "-t ext3 -b 2048 -I 256",
        "-t ext4 -b 1024 -I 128",
        "-t ext4 -b 1024 -I 256",
        "-t ext4 -b 1024 -I 1024",
        "-t ext4 -b 2048 -I 512",
        "-t ext4 -b 4096 -I 256",
        "-t ext4 -b 4096 -I 4096 -N 1024",
        "-t ext4 -b 8192 -I 256",
        "-t ext4 -b 16384 -I 256",
        "-t ext4 -b 65536 -I 256",
        "-t ext4 -b 1024 -O metadata_csum_seed,orphan_file",
        "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg",
        "-t ext4 -b 1024 -O ^metadata_csum",
        "-t ext4 -b 1024 -O ^64bit",
        "-t ext4 -b 1024 -O ^extents,^64bit",
        "-t ext4 -b 1024 -O ^flex_bg -g 2048",
        "-t ext4 -b 1024 -O ^filetype",
        "-t ext4 -b 1024 -O ^resize_inode,sparse_super2 -g 1024",
        "-t ext4 -b 1024 -O meta_bg,^resize_inode -g 256",
        "-t ext4 -b 1024 -O meta_bg,^resize_inode,^64bit -g 256",
        "-t ext4 -b 4096 -O meta_bg,^resize_inode,^sparse_super -g 256",
        "-t ext4 -b 4096 -O bigalloc -C 65536",
        "-t ext4 -b 1024 -O bigalloc,^64bit -C 16384",
        "-t ext4 -b 1024 -O large_dir,quota,project,fast_commit,stable_inodes",
        "-t ext4 -b 1024 -G 4 -g 1024",
    ];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Everything_copied_in_is_read_back(string layout)
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe(layout, SourceTree.Standard, Mebibytes: 32));
        foreach (int size in SourceTree.Sizes)
            Assert.Equal(SourceTree.Pattern($"{size}", 0, size), image.Content($"/sizes/{size}"));
        byte[] sparse = image.Content("/sparse/hole-first");
        Assert.False(sparse.AsSpan(0, 100_000).ContainsAnyExcept((byte)0));
        Assert.Equal(SourceTree.Pattern("hole-first", 100_000, 5000), sparse[100_000..105_000]);
        byte[] pieces = image.Content("/sparse/pieces");
        Assert.All(Enumerable.Range(0, 32), index =>
            Assert.Equal(SourceTree.Pattern("pieces", index * 2L * 131072, 100), pieces[(index * 2 * 131072)..(index * 2 * 131072 + 100)]));
        foreach (int length in SourceTree.LinkLengths)
        {
            var target = new byte[4096];
            Assert.Equal(length, image.ReadSymbolicLink(image.Find($"/links/{length}"), target));
            Assert.Equal(new string('t', length), Encoding.ASCII.GetString(target, 0, length));
        }

        string[] names = [.. image.List(image.Find("/names")).Select(entry => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(entry.Name)))];
        Assert.Equal(new[] { " ", "-rf", ".", "..", "...", new string('a', 255), "new\nline", "é日本" }, names.Order(StringComparer.Ordinal));
        Assert.Equal("here", Encoding.ASCII.GetString(image.Content("/deep/er/still/bottom")));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Free_space_is_what_dumpe2fs_counts(string layout)
    {
        var recipe = new ImageRecipe(layout, SourceTree.Standard, Mebibytes: 32);
        using Ext4Image image = BuiltImage.Open(recipe);
        string[] lines = BuiltImage.Run("dumpe2fs", "-h", BuiltImage.PathOf(recipe)).Split('\n');
        Ext4Statistics statistics = image.GetStatistics();
        Assert.Equal(Field(lines, "Free blocks:"), statistics.FreeBlocks);
        Assert.Equal(Field(lines, "Free inodes:"), statistics.FreeFiles);
        Assert.Equal(Field(lines, "Inode count:"), statistics.Files);
        Assert.Equal(Field(lines, "Block count:"), statistics.Blocks + statistics.OverheadBlocks);
        Assert.InRange(statistics.AvailableBlocks, 0ul, statistics.FreeBlocks - Field(lines, "Reserved block count:"));
    }

    [Fact]
    public void The_volume_tells_what_was_asked_for()
    {
        using Ext4Image image = BuiltImage.Open(new ImageRecipe("-t ext4 -b 2048 -I 512 -L a-label -N 2000"));
        Assert.Equal(Convert.FromHexString("f0f4f5ee00004000800000000000abcd"), image.Volume.Uuid);
        Assert.Equal("a-label"u8.ToArray(), image.Volume.Label);
        Assert.Equal((2048, 512), (image.Volume.BlockSize, image.Volume.InodeSize));
        Assert.Equal(4096ul, image.Volume.BlockCount);
        Assert.Contains("metadata_csum", image.Volume.Features);
        Assert.Equal(1024, image.Volume.SuperblockBytes.Length);
        Assert.True(image.Volume.HasDirectoryIndex);
    }

    [Fact]
    public void A_filesystem_may_start_anywhere_in_the_file()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, [.. new byte[5000], .. File.ReadAllBytes(BuiltImage.PathOf(Recipes.Standard))]);
            using var image = Ext4Image.Open(path, new Ext4OpenOptions { Offset = 5000 });
            Assert.Equal("here", Encoding.ASCII.GetString(image.Content("/deep/er/still/bottom")));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ulong Field(string[] lines, string name) =>
        ulong.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Trim());
}
