using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>Files sealed with a Merkle tree (verity).</summary>
public class VerityTests
{
    private const int Size = 300_001;

    private static readonly byte[] Content = SourceTree.Pattern("sealed", 0, Size);

    public static readonly TheoryData<int, int, int> Trees = new() { { 1, 12, 0 }, { 1, 10, 8 }, { 1, 11, 32 }, { 2, 12, 16 }, { 2, 10, 0 } };

    [Theory]
    [MemberData(nameof(Trees))]
    public void Content_that_matches_its_tree_is_read(int algorithm, int blockBits, int saltSize)
    {
        using var damaged = new DamagedImage(Recipe(Size, algorithm, blockBits, saltSize));
        Ext4Image image = damaged.Open(Verifying);
        Assert.Equal(Content, image.Content("/file"));
        Inode file = image.Find("/file");
        foreach ((int offset, int length) in new[] { (0, 1), (4095, 2), (1023, 70_000), (Size - 1, 10), (Size, 10), (131072, 131072) })
        {
            var part = new byte[length];
            int got = image.Read(file, offset, part);
            Assert.Equal(Content.AsSpan(offset, Math.Min(length, Size - offset)), part.AsSpan(0, got));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(65536)]
    public void Content_of_any_size_is_verified(int size)
    {
        using var damaged = new DamagedImage(Recipe(size, 1, 12, 4));
        Assert.Equal(Content[..size], damaged.Open(Verifying).Content("/file"));
        damaged.Bytes[damaged.BlockAt("/file", (uint)(size - 1) / 4096) + (size - 1) % 4096] ^= 1;
        Assert.Throws<ContentChangedException>(() => damaged.Open(Verifying).Content("/file"));
    }

    [Theory]
    [MemberData(nameof(Trees))]
    public void A_flipped_bit_is_noticed_where_it_is_and_nowhere_else(int algorithm, int blockBits, int saltSize)
    {
        using var damaged = new DamagedImage(Recipe(Size, algorithm, blockBits, saltSize));
        damaged.Bytes[damaged.BlockAt("/file", 40) + 5] ^= 0x10;
        Ext4Image image = damaged.Open(Verifying);
        Inode file = image.Find("/file");
        var one = new byte[1];
        Assert.Equal(file.Number, Assert.Throws<ContentChangedException>(() => image.Read(file, 40 * 4096, one)).InodeNumber);
        Assert.Equal(1, image.Read(file, 39 * 4096, one));
        Assert.Equal(1, image.Read(file, 41 * 4096, one));
    }

    [Fact]
    public void A_flipped_bit_in_the_tree_is_noticed()
    {
        using var damaged = new DamagedImage(Recipe(Size, 1, 10, 8));
        damaged.Bytes[damaged.BlockAt("/file", 5 * 65536 / 4096)] ^= 1;
        Assert.Contains("tree itself", Assert.Throws<ContentChangedException>(() => damaged.Open(Verifying).Content("/file")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unless_asked_to_nobody_verifies()
    {
        using var damaged = new DamagedImage(Recipe(Size, 1, 12, 0));
        damaged.Bytes[damaged.BlockAt("/file", 40) + 5] ^= 0x10;
        byte[] content = damaged.Open().Content("/file");
        Assert.Equal(Content[..(40 * 4096)], content[..(40 * 4096)]);
        Assert.NotEqual(Content, content);
    }

    [Fact]
    public void The_tree_is_behind_the_end_of_the_file()
    {
        using Ext4Image image = BuiltImage.Open(Recipe(Size, 1, 12, 0));
        Inode file = image.Find("/file");
        Assert.True(file.HasVerity);
        Assert.Equal((Size, 0), (file.Size, image.Read(file, 5 * 65536, new byte[10])));
        Assert.Equal(Size, image.SeekHole(file, 0));
        Assert.Equal(-1, image.SeekData(file, Size));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 9)]
    [InlineData(2, 13)]
    [InlineData(3, 33)]
    [InlineData(4, 1)]
    [InlineData(8, 1)]
    [InlineData(200, 1)]
    public void A_descriptor_that_cannot_be_is_refused(int offset, byte value)
    {
        using var damaged = new DamagedImage(Recipe(Size, 1, 12, 0));
        damaged.Bytes[DescriptorAt(damaged) + offset] = value;
        Assert.Equal(Corruption.VerityDescriptor, Assert.Throws<CorruptImageException>(() => damaged.Open(Verifying).Content("/file")).Kind);
        Assert.Equal(Size, damaged.Open().Content("/file").Length);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(255u)]
    [InlineData(16385u)]
    [InlineData(uint.MaxValue)]
    public void A_descriptor_of_an_impossible_length_is_refused(uint length)
    {
        using var damaged = new DamagedImage(Recipe(Size, 1, 12, 0));
        damaged.Set32(DescriptorAt(damaged) + 4092, length);
        Assert.Equal(Corruption.VerityDescriptor, Assert.Throws<CorruptImageException>(() => damaged.Open(Verifying).Content("/file")).Kind);
    }

    [Fact]
    public void Verifying_allocates_nothing()
    {
        string path = BuiltImage.PathOf(Recipe(Size, 1, 12, 0));
        using var image = Ext4Image.Open(path, Verifying);
        Inode file = image.Find("/file");
        var buffer = new byte[131072];
        AllocationTests.AssertAllocatesNothing(() => image.Read(file, 5000, buffer));
    }

    internal static ImageRecipe Recipe(int size, int algorithm, int blockBits, int saltSize) => new(
        "-t ext4 -O verity,^has_journal,^metadata_csum_seed -b 4096 -I 256",
        new SourceTree($"verity 1 {size} {algorithm} {blockBits} {saltSize}", root => File.WriteAllBytes(Path.Combine(root, "file"), Seal(size, algorithm, blockBits, saltSize))),
        Edits: ["sif /file size " + size.ToString(CultureInfo.InvariantCulture), "sif /file flags 0x180000"]);

    internal static Ext4OpenOptions Verifying => new() { VerifyContent = true };

    /// <summary>Where the descriptor of the file lies, which has its last block for itself.</summary>
    internal static int DescriptorAt(DamagedImage image)
    {
        // Blocks of a hole have no place.
        uint block = (Size + 65535) / 65536 * 16;
        while (image.BlockAt("/file", block + 1) != 0)
            block++;
        return image.BlockAt("/file", block);
    }

    /// <summary>The content, and behind it what Linux writes there when a file is sealed.</summary>
    private static byte[] Seal(int size, int algorithm, int blockBits, int saltSize)
    {
        Func<byte[], byte[]> digest = algorithm == 1 ? SHA256.HashData : SHA512.HashData;
        int digestSize = algorithm == 1 ? 32 : 64;
        int blockSize = 1 << blockBits;
        byte[] salt = [.. Enumerable.Range(1, saltSize).Select(index => (byte)(7 * index))];
        byte[] prefix = saltSize == 0 ? [] : [.. salt, .. new byte[2 * digestSize - saltSize]];
        byte[] level = Content[..size];
        var levels = new List<byte[]>();
        while (level.Length > blockSize)
        {
            level = [.. level.Chunk(blockSize).SelectMany(block => digest([.. prefix, .. block, .. new byte[blockSize - block.Length]]))];
            levels.Insert(0, [.. level, .. new byte[(blockSize - level.Length % blockSize) % blockSize]]);
        }

        byte[] root = digest([.. prefix, .. level, .. new byte[blockSize - level.Length]]);
        byte[] tree = [.. levels.SelectMany(bytes => bytes)];
        var descriptor = new byte[256];
        (descriptor[0], descriptor[1], descriptor[2], descriptor[3]) = (1, (byte)algorithm, (byte)blockBits, (byte)saltSize);
        BinaryPrimitives.WriteInt64LittleEndian(descriptor.AsSpan(8), size);
        root.CopyTo(descriptor, 16);
        salt.CopyTo(descriptor, 80);
        int start = (size + 65535) / 65536 * 65536;
        int place = (start + tree.Length + 4095) / 4096 * 4096;
        var whole = new byte[place + 4096];
        Content.AsSpan(0, size).CopyTo(whole);
        tree.CopyTo(whole, start);
        descriptor.CopyTo(whole, place);
        BinaryPrimitives.WriteInt32LittleEndian(whole.AsSpan(place + 4092), descriptor.Length);
        return whole;
    }
}
