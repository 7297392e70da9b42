using Ext4Reader.Files;
using Ext4Reader.Storage;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class FileTests
{
    private static readonly ImageRecipe Reserved = new("-t ext4 -b 1024", SourceTree.Standard, Edits: ["fallocate /sparse/all-hole 10 29"]);

    [Fact]
    public void Unwritten_extents_read_as_zeros()
    {
        using Ext4Image image = BuiltImage.Open(Reserved);
        Assert.True(image.Find("/sparse/all-hole").Sectors >= 40);
        Assert.All(image.Content("/sparse/all-hole"), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Unwritten_extents_are_holes()
    {
        using Ext4Image image = BuiltImage.Open(Reserved);
        Inode file = image.Find("/sparse/all-hole");
        Assert.Equal(-1, image.SeekData(file, 0));
        Assert.Equal(5, image.SeekHole(file, 5));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Data_and_holes_alternate(bool blockMap)
    {
        using Ext4Image image = BuiltImage.Open(blockMap ? Recipes.Ext2 : Recipes.Standard);
        Inode file = image.Find("/sparse/pieces");
        var pieces = new List<(long, long)>();
        for (long data = image.SeekData(file, 0); data >= 0; data = image.SeekData(file, pieces[^1].Item2))
            pieces.Add((data, image.SeekHole(file, data)));
        // The source's filesystem decides how much is data around each piece, so only the starts are certain.
        Assert.Equal(Enumerable.Range(0, 32).Select(index => index * 2L * 131072), pieces.Select(piece => piece.Item1));
        Assert.All(pieces, piece => Assert.InRange(piece.Item2 - piece.Item1, 1024, 65536));
    }

    [Fact]
    public void Seeking_outside_of_a_file_finds_nothing()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/sizes/1025");
        Assert.Equal((-1, -1), (image.SeekData(file, 1025), image.SeekHole(file, 1025)));
        Assert.Equal((-1, -1), (image.SeekData(file, -1), image.SeekHole(file, long.MaxValue)));
        Assert.Equal((1024, 1025), (image.SeekData(file, 1024), image.SeekHole(file, 1024)));
    }

    [Fact]
    public void A_search_that_takes_too_long_calls_holes_data()
    {
        string path = BuiltImage.PathOf(Recipes.Ext2);
        using var image = Ext4Image.Open(path);
        Inode file = image.Find("/sparse/hole-first");
        using var source = new ImageSource(File.OpenHandle(path), 0);
        var blocks = new BlockReader(source, OnDisk.Superblock.Parse(image.Volume.SuperblockBytes), 1 << 16);
        var files = new FileReader(blocks, new BlockMap(blocks), maximumPieces: 1);
        long data = image.SeekData(file, 0);
        Assert.True(data > 12 * 1024);
        Assert.Equal(12 * 1024, files.SeekData(file, 0));
        Assert.Equal(file.Size, files.SeekHole(file, data));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_part_of_a_file_can_be_read(bool blockMap)
    {
        using Ext4Image image = BuiltImage.Open(blockMap ? Recipes.Ext2 : Recipes.Standard);
        Inode file = image.Find("/sizes/300000");
        byte[] expected = SourceTree.Pattern("300000", 0, 300000);
        var random = new Random(7);
        for (int round = 0; round < 300; round++)
        {
            int offset = random.Next(300_100);
            var buffer = new byte[random.Next(1, 70_000)];
            int length = image.Read(file, offset, buffer);
            Assert.Equal(Math.Clamp(300_000 - offset, 0, buffer.Length), length);
            Assert.True(buffer.AsSpan(0, length).SequenceEqual(expected.AsSpan(Math.Min(offset, 300_000), length)));
        }
    }

    [Fact]
    public void Reading_ends_at_the_end_of_the_file()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/sizes/1025");
        Assert.Equal(1, image.Read(file, 1024, new byte[100]));
        Assert.Equal(0, image.Read(file, 1025, new byte[100]));
        Assert.Equal(0, image.Read(file, long.MaxValue, new byte[100]));
        Assert.Equal(0, image.Read(file, 0, []));
    }

    [Fact]
    public void Only_regular_files_have_content()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode root = image.Inode(2);
        Inode file = image.Find("/sizes/1");
        Assert.Throws<ArgumentException>(() => image.Read(root, 0, new byte[1]));
        Assert.Throws<ArgumentException>(() => image.List(file));
        Assert.Throws<ArgumentException>(() => image.ReadSymbolicLink(file, new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Read(file, -1, new byte[1]));
    }

    [Fact]
    public void Triple_indirect_blocks_are_found()
    {
        var recipe = new ImageRecipe("-t ext2 -b 1024 -I 128", new SourceTree("far 1", root =>
        {
            using FileStream file = File.Create(Path.Combine(root, "far"));
            foreach (long block in new[] { 0L, 11, 12, 267, 268, 65803, 65804, 70000, 200_000 })
            {
                file.Position = block * 1024;
                file.Write(BitConverter.GetBytes(block));
            }
        }));
        using Ext4Image image = BuiltImage.Open(recipe);
        Inode file = image.Find("/far");
        foreach (long block in new[] { 0L, 11, 12, 267, 268, 65803, 65804, 70000, 200_000 })
        {
            var buffer = new byte[8];
            image.Read(file, block * 1024, buffer);
            Assert.Equal(block, BitConverter.ToInt64(buffer));
        }

        var hole = new byte[4096];
        hole.AsSpan().Fill(1);
        image.Read(file, 100_000 * 1024, hole);
        Assert.False(hole.AsSpan().ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void Deep_extent_trees_are_searched()
    {
        var recipe = new ImageRecipe("-t ext4 -O ^has_journal -b 1024 -I 256", new SourceTree("fragments 1", root =>
        {
            using FileStream file = File.Create(Path.Combine(root, "fragments"));
            for (int piece = 0; piece < 400; piece++)
            {
                file.Position = piece * 65536L;
                file.Write(BitConverter.GetBytes(piece));
            }
        }), Mebibytes: 32);
        using Ext4Image image = BuiltImage.Open(recipe);
        Inode file = image.Find("/fragments");
        Assert.True(new OnDisk.ExtentNode(file.Map).Depth > 0);
        var buffer = new byte[4];
        for (int piece = 399; piece >= 0; piece--)
        {
            image.Read(file, piece * 65536L, buffer);
            Assert.Equal(piece, BitConverter.ToInt32(buffer));
            if (piece < 399)
            {
                image.Read(file, piece * 65536L + 64000, buffer);
                Assert.Equal(0, BitConverter.ToInt32(buffer));
            }
        }
    }
}
