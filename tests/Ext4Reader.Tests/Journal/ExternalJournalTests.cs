using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

public class ExternalJournalTests
{
    private const string Path = "/sizes/4096";
    private const string Uuid = "f0f4f5ee-0000-4000-8000-00000000abcd";
    private static readonly ImageRecipe Device = new("-O journal_dev -b 1024", Mebibytes: 2);

    [Fact]
    public void A_journal_of_its_own_is_replayed()
    {
        using JournaledImage journaled = Elsewhere();
        string device = WriteDevice(journaled);
        try
        {
            using Ext4Image image = journaled.Image.Open(new Ext4OpenOptions { Journal = File.OpenHandle(device) });
            Assert.Equal(JournaledImage.Filled('a'), image.Content(Path)[..1024]);
        }
        finally
        {
            File.Delete(device);
        }
    }

    [Fact]
    public void Without_its_journal_an_image_that_needs_it_is_refused_with_the_remedies()
    {
        using JournaledImage journaled = Elsewhere();
        var problem = Assert.Throws<UnsupportedImageException>(journaled.Open);
        Assert.Contains($"blkid -t UUID={Uuid}", problem.Message, StringComparison.Ordinal);
        Assert.Contains("-o journal=PATH", problem.Message, StringComparison.Ordinal);
        Assert.Contains("-o norecovery", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_its_journal_a_clean_image_can_be_read()
    {
        using JournaledImage journaled = Elsewhere();
        journaled.Image.Bytes[1024 + 0x60] &= 0xfb;
        journaled.Image.FixSuperblock();
        Assert.Equal(4096, journaled.Open().Content(Path).Length);
    }

    [Fact]
    public void Another_filesystems_journal_is_refused_with_both_uuids()
    {
        using JournaledImage journaled = Elsewhere();
        journaled.Image.Bytes[1024 + 0xd0] ^= 1;
        journaled.Image.FixSuperblock();
        var problem = Assert.Throws<CorruptImageException>(() => journaled.Image.Open(new Ext4OpenOptions { Journal = File.OpenHandle(BuiltImage.PathOf(Device)) }));
        Assert.Equal(Corruption.ExternalJournal, problem.Kind);
        Assert.Contains(Uuid, problem.Message, StringComparison.Ordinal);
        Assert.Contains("f1f4f5ee-", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Something_else_is_no_journal()
    {
        using JournaledImage journaled = Elsewhere();
        string path = BuiltImage.PathOf(JournaledImage.Recipe);
        var problem = Assert.Throws<CorruptImageException>(() => journaled.Image.Open(new Ext4OpenOptions { Journal = File.OpenHandle(path) }));
        Assert.Equal(Corruption.ExternalJournal, problem.Kind);
    }

    [Fact]
    public void A_journal_is_no_image()
    {
        var problem = Assert.Throws<UnsupportedImageException>(() => BuiltImage.Open(Device));
        Assert.Equal(["journal_dev"], problem.Features);
        Assert.Contains(Uuid, problem.Message, StringComparison.Ordinal);
    }

    /// <summary>An image whose superblock says that its journal is elsewhere.</summary>
    internal static JournaledImage Elsewhere()
    {
        var journaled = new JournaledImage(JournalChecksums.None);
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Image.Set32(Superblock.Offset + 0xe0, 0);
        Convert.FromHexString(Uuid.Replace("-", "", StringComparison.Ordinal)).CopyTo(journaled.Image.Raw(Superblock.Offset + 0xd0, 16));
        journaled.Image.FixSuperblock();
        return journaled;
    }

    // The log moves along: in a device of its own the journal's first block is the device's third.
    private static string WriteDevice(JournaledImage journaled)
    {
        byte[] device = File.ReadAllBytes(BuiltImage.PathOf(Device));
        const int Log = 3;
        Span<byte> superblock = device.AsSpan(2 * 1024);
        JournaledImage.Put(superblock, 0x18, JournaledImage.FirstSequence);
        JournaledImage.Put(superblock, 0x1c, Log);
        JournaledImage.Put(superblock, 0x28, 3);
        JournaledImage.Put(superblock, 0x40, 1);
        for (uint block = 1; block < journaled.Next; block++)
            journaled.Raw(block).CopyTo(device.AsSpan((int)(Log + block - 1) * 1024));
        string path = System.IO.Path.GetTempFileName();
        File.WriteAllBytes(path, device);
        return path;
    }
}
