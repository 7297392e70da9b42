using System.Text;
using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>One way to bring about each kind of corruption; checksums are repaired unless they are the point.</summary>
public class CorruptionTests
{
    private delegate void Damage(DamagedImage image);

    private delegate void Use(Ext4Image image);

    private static readonly Dictionary<Corruption, (Damage Damage, Use Use)> Cases = new()
    {
        [Corruption.SuperblockChecksum] = (image => image.Bytes[1024 + 0x78] ^= 1, Nothing),
        [Corruption.SuperblockGeometry] = (image => SetSuperblock(image, 0x28, 0), Nothing),
        [Corruption.ImageTooShort] = (image => image.Truncate(1 << 20), Nothing),
        [Corruption.MultipleMountBlock] = (image => image.Bytes[image.MultipleMountAt] ^= 1, Nothing),
        [Corruption.MultipleMountChecksum] = (image => image.Bytes[image.MultipleMountAt + 0x20] ^= 1, Nothing),
        [Corruption.RootDirectory] = (image => SetInode(image, 2, 0x1a, 0), Nothing),
        [Corruption.GroupDescriptorChecksum] = (image => image.Bytes[image.GroupAt(0) + 0x0c] ^= 1, Nothing),
        [Corruption.InodeTablePlace] = (image => SetGroup(image, 0x08, 0xffffff), Nothing),
        [Corruption.InodeChecksum] = (image => image.Bytes[image.InodeAt(image.Number("/sizes/1")) + 0x10] ^= 1, image => image.Find("/sizes/1")),
        [Corruption.InodeExtraSize] = (image => SetInode(image, "/sizes/1", 0x80, 133), image => image.Find("/sizes/1")),
        [Corruption.InodeMode] = (image => SetInode(image, "/sizes/1", 0x00, 0xf1a4), image => image.Find("/sizes/1")),
        [Corruption.InodeFlags] = (image => SetInode(image, "/sizes/1", 0x22, 0x1008), image => image.Find("/sizes/1")),
        [Corruption.InodeSize] = (image => SetInode(image, "/sizes/1", 0x6e, 0x8000), image => image.Find("/sizes/1")),
        [Corruption.BlockPointer] = (image => SetInode(image, "/sizes/1", 0x28 + 18, 0xffff), image => image.Find("/sizes/1")),
        [Corruption.BlockMapLoop] = (MakeLoop, image => image.SeekHole(image.Find("/sizes/65537"), 0)),
        [Corruption.ExtentHeader] = (image => SetInode(image, "/sizes/1", 0x28, 0), image => image.Find("/sizes/1")),
        [Corruption.ExtentDepth] = (image => SetInode(image, "/sizes/1", 0x28 + 6, 6), image => image.Find("/sizes/1")),
        [Corruption.ExtentOrder] = (image => SetInode(image, "/sizes/1", 0x28 + 16, 0), image => image.Find("/sizes/1")),
        [Corruption.ExtentBlockChecksum] = (image => image.Bytes[ExtentBlock(image) + 20] ^= 1, image => image.Content("/sparse/pieces")),
        [Corruption.InlineData] = (image => SetInode(image, "/sizes/59", 0xa2, 0), image => image.Find("/sizes/59")),
        [Corruption.VerityDescriptor] = (image => image.Bytes[VerityTests.DescriptorAt(image)] = 2, image => image.Content("/file")),
        [Corruption.DirectorySize] = (image => SetInode(image, "/names", 0x04, 1000), image => image.List(image.Find("/names"))),
        [Corruption.DirectoryHole] = (image => SetInode(image, "/names", 0x28 + 12, 1), image => image.List(image.Find("/names"))),
        [Corruption.DirectoryEntryLength] = (image => SetNames(image, 4, 3), image => image.List(image.Find("/names"))),
        [Corruption.DirectoryEntryName] = (image => SetNames(image, 8, '/'), image => image.List(image.Find("/names"))),
        [Corruption.DirectoryEntryInode] = (image => SetNames(image, 0, 0xffff), image => image.List(image.Find("/names"))),
        [Corruption.EncryptedName] = (static _ => { }, image => image.List(image.Find("/names"))),
        [Corruption.DirectoryBlockChecksum] = (image => image.Bytes[image.BlockAt("/names", 0) + 40] ^= 1, image => image.List(image.Find("/names"))),
        [Corruption.HashTreeChecksum] = (image => image.Bytes[image.BlockAt("/names", 0) + 38] ^= 1, image => image.List(image.Find("/names"))),
        [Corruption.DirectoryHashCollisions] = (RepeatName, image => image.List(image.Find("/names"))),
        [Corruption.SymbolicLinkTarget] = (image => SetInode(image, "/links/58", 0x04, 57), image => ReadLink(image, "/links/58")),
        [Corruption.ExtendedAttributes] = (image => SetAttributeBlock(image, 32 + 2, 0xfff0), image => image.AttributeNames(image.Find("/attributes/file"))),
        [Corruption.ExtendedAttributeChecksum] = (image => image.Bytes[AttributeBlock(image) + 100] ^= 1, image => image.AttributeNames(image.Find("/attributes/file"))),
        [Corruption.ExtendedAttributeInode] = (image => SetAttributeBlock(image, 32 + 4, 12), image => image.Attribute(image.Find("/attributes/file"), "trusted.large")),
        [Corruption.AccessControlList] = (MakeAcl, image => image.Attribute(image.Find("/attributes/file"), "system.posix_acl_access")),
    };

    private static readonly ImageRecipe WithIndex = new(Recipes.Ext4, new SourceTree("indexed names 1", root =>
    {
        Directory.CreateDirectory(Path.Combine(root, "names"));
        for (int index = 0; index < 200; index++)
            File.WriteAllBytes(Path.Combine(root, "names", $"a-name-to-fill-a-block-{index}"), []);
    }), Reindexed: true);

    private static readonly Dictionary<Corruption, ImageRecipe> OtherRecipes = new()
    {
        [Corruption.HashTreeChecksum] = WithIndex,
        [Corruption.ExtendedAttributeInode] = Recipes.Standard with { Options = Recipes.Ext4 + " -O ea_inode" },
        [Corruption.MultipleMountBlock] = MultipleMountTests.Recipe,
        [Corruption.MultipleMountChecksum] = MultipleMountTests.Recipe,
        [Corruption.EncryptedName] = new(Recipes.Ext4 + " -O encrypt", SourceTree.Standard, Edits: ["sif /names flags 0x80800"]),
        [Corruption.VerityDescriptor] = VerityTests.Recipe(300_001, 1, 12, 0),
        [Corruption.InlineData] = new("-t ext4 -O inline_data -b 1024 -I 256", SourceTree.Standard),
    };

    // What concerns journals only takes a journal to show: HostileJournalTests and its neighbours.
    private static readonly HashSet<Corruption> OfJournals =
    [
        Corruption.JournalInode, Corruption.JournalSuperblock, Corruption.JournalSuperblockChecksum, Corruption.JournalTransaction, Corruption.JournalChecksum,
        Corruption.ExternalJournal, Corruption.FastCommit, Corruption.FastCommitChecksum,
    ];

    public static TheoryData<Corruption> Kinds => [.. Enum.GetValues<Corruption>().Where(kind => kind != Corruption.None && !OfJournals.Contains(kind))];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_of_corruption_is_reported_as_what_it_is(Corruption kind)
    {
        (Damage damage, Use use) = Cases[kind];
        using var damaged = new DamagedImage(OtherRecipes.GetValueOrDefault(kind, Recipes.Standard));
        damage(damaged);
        var problem = Assert.Throws<CorruptImageException>(() => use(damaged.Open(VerityTests.Verifying)));
        Assert.Equal(kind, problem.Kind);
        Assert.Equal(kind.ToString().EndsWith("Checksum", StringComparison.Ordinal), problem.IsChecksum);
        if (problem.InodeNumber != 0)
            Assert.Contains($"inode {problem.InodeNumber}: ", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_not_broken_stays_readable(Corruption kind)
    {
        (Damage damage, _) = Cases[kind];
        ImageRecipe recipe = OtherRecipes.GetValueOrDefault(kind, Recipes.Standard);
        if (recipe.Tree != SourceTree.Standard)
            return; // another tree, made for one thing only: there is nothing else in it
        using var damaged = new DamagedImage(recipe);
        damage(damaged);
        Ext4Image image;
        try
        {
            image = damaged.Open();
        }
        catch (CorruptImageException)
        {
            return;
        }

        Assert.Equal("here", Encoding.ASCII.GetString(image.Content("/deep/er/still/bottom")));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(7u)]
    [InlineData(8u)]
    public void A_name_cannot_lead_to_a_reserved_inode(uint number)
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        SetNames(damaged, 0, (int)number);
        Ext4Image image = damaged.Open();
        Inode directory = image.Find("/names");
        byte[] name = NameInNames(damaged);
        if (number == 0)
        {
            Assert.False(image.TryLookup(directory, name, out _));
            return;
        }

        var problem = Assert.Throws<CorruptImageException>(() => image.TryLookup(directory, name, out _));
        Assert.Equal((Corruption.DirectoryEntryInode, directory.Number), (problem.Kind, problem.InodeNumber));
    }

    [Fact]
    public void A_name_cannot_lead_to_its_own_directory()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        SetNames(damaged, 0, (int)damaged.Number("/names"));
        Ext4Image image = damaged.Open();
        Assert.Throws<CorruptImageException>(() => image.TryLookup(image.Find("/names"), NameInNames(damaged), out _));
    }

    [Fact]
    public void An_extent_block_that_points_to_itself_ends_the_search()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        uint number = damaged.Number("/sparse/pieces");
        int block = ExtentBlock(damaged);
        damaged.Set16(block + 2, 1);
        damaged.Set16(block + 6, 1);
        damaged.Set32(block + 12, 0);
        damaged.Set32(block + 16, (uint)block / 1024);
        damaged.Set32(block + 20, 0);
        damaged.FixExtentBlock(number, block);
        damaged.Set16(damaged.InodeAt(number) + 0x28 + 6, 2);
        damaged.FixInode(number);
        Ext4Image image = damaged.Open();
        var problem = Assert.Throws<CorruptImageException>(() => image.Content("/sparse/pieces"));
        Assert.Equal(Corruption.ExtentDepth, problem.Kind);
    }

    [Fact]
    public void A_truncated_device_is_an_IO_error_for_what_is_missing()
    {
        using var damaged = new DamagedImage(Recipes.Standard);
        Ext4Image image = damaged.Open();
        Inode file = image.Find("/sizes/300000");
        int length = damaged.BlockAt("/sizes/300000", 0);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, damaged.Bytes);
            using var shrinking = Ext4Image.Open(path);
            Inode same = shrinking.Inode(file.Number);
            using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
                stream.SetLength(length);
            Assert.Throws<EndOfStreamException>(() => shrinking.Read(same, 0, new byte[1000]));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Nothing(Ext4Image image) => _ = image.Volume;

    private static void SetSuperblock(DamagedImage image, int offset, uint value)
    {
        image.Set32(1024 + offset, value);
        image.FixSuperblock();
    }

    private static void SetGroup(DamagedImage image, int offset, uint value)
    {
        image.Set32(image.GroupAt(0) + offset, value);
        image.FixGroup(0);
    }

    private static void SetInode(DamagedImage image, uint number, int offset, int value)
    {
        image.Set16(image.InodeAt(number) + offset, value);
        image.FixInode(number);
    }

    private static void SetInode(DamagedImage image, string path, int offset, int value) => SetInode(image, image.Number(path), offset, value);

    /// <summary>Changes a field of the third entry of /names: one byte of its name, its length, or its inode number.</summary>
    private static void SetNames(DamagedImage image, int field, int value)
    {
        int at = image.BlockAt("/names", 0);
        if (field == 8)
            image.Bytes[at + 24 + field] = (byte)value;
        else if (field == 0)
            image.Set32(at + 24, (uint)value);
        else
            image.Set16(at + 24 + field, value);
        image.FixDirectoryBlock(image.Number("/names"), at);
    }

    private static byte[] NameInNames(DamagedImage image)
    {
        int at = image.BlockAt("/names", 0) + 24;
        return image.Raw(at + 8, image.Bytes[at + 6]).ToArray();
    }

    private static void RepeatName(DamagedImage image)
    {
        int at = image.BlockAt("/names", 0);
        uint number = image.Number("/names");
        // Room for that many names takes a larger block than the image has: all blocks of the directory are this one.
        int last = 24 + 81 * 12;
        for (int offset = 24; offset <= last; offset += 12)
        {
            image.Set32(at + offset, 12);
            image.Set16(at + offset + 4, offset == last ? 16 : 12);
            image.Bytes[at + offset + 6] = 1;
            image.Bytes[at + offset + 7] = 1;
            image.Set32(at + offset + 8, 'x');
        }

        image.FixDirectoryBlock(number, at);
        int block = at / image.Superblock.BlockSize;
        int inode = image.InodeAt(number);
        image.Set32(inode + 0x20, 0);
        image.Raw(inode + 0x28, 60).Clear();
        image.Set32(inode + 0x28, (uint)block);
        // From the second block on the dots would come again, so a copy without them follows, four times.
        int copy = image.BlockAt("/sizes/65537", 0);
        image.Raw(at, image.Superblock.BlockSize).CopyTo(image.Raw(copy, image.Superblock.BlockSize));
        image.Set32(copy, 0);
        image.Set32(copy + 12, 0);
        image.FixDirectoryBlock(number, copy);
        for (int index = 1; index < 5; index++)
            image.Set32(inode + 0x28 + 4 * index, (uint)(copy / image.Superblock.BlockSize));
        image.Set32(inode + 0x04, (uint)(5 * image.Superblock.BlockSize));
        image.FixInode(number);
    }

    private static void MakeLoop(DamagedImage image)
    {
        uint number = image.Number("/sizes/65537");
        int inode = image.InodeAt(number);
        int block = image.BlockAt("/sizes/65537", 0);
        uint pointer = (uint)(block / image.Superblock.BlockSize);
        for (int offset = 0; offset < image.Superblock.BlockSize; offset += 4)
            image.Set32(block + offset, pointer);
        for (int index = 0; index < 15; index++)
            image.Set32(inode + 0x28 + 4 * index, pointer);
        image.Set32(inode + 0x20, 0);
        image.Set32(inode + 0x04, 0xffff0000);
        image.Set32(inode + 0x6c, 1);
        image.FixInode(number);
    }

    private static void MakeAcl(DamagedImage image)
    {
        int at = AttributeBlock(image);
        // The block's first entry becomes an access control list; its value is no such thing.
        image.Bytes[at + 32] = 0;
        image.Bytes[at + 32 + 1] = 2;
        image.Raw(at + 32 + 16, 8).Clear();
        image.FixAttributeBlock(at);
    }

    private static int ExtentBlock(DamagedImage image)
    {
        Inode file = image.Open().Find("/sparse/pieces");
        var root = new ExtentNode(file.Map);
        Assert.Equal(1, root.Depth);
        return (int)root.Child(0) * image.Superblock.BlockSize;
    }

    private static int AttributeBlock(DamagedImage image) =>
        (int)image.Open().Find("/attributes/file").AttributeBlock * image.Superblock.BlockSize;

    private static void SetAttributeBlock(DamagedImage image, int offset, int value)
    {
        int at = AttributeBlock(image);
        image.Set16(at + offset, value);
        image.FixAttributeBlock(at);
    }

    private static void ReadLink(Ext4Image image, string path) => image.ReadSymbolicLink(image.Find(path), new byte[4096]);
}
