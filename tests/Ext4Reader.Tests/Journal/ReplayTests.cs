using System.Buffers.Binary;
using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

public class ReplayTests
{
    private const string Path = "/sizes/4096";

    public static TheoryData<string, bool> Formats
    {
        get
        {
            var formats = new TheoryData<string, bool>();
            foreach (string checksums in Enum.GetNames<JournalChecksums>())
            {
                formats.Add(checksums, false);
                formats.Add(checksums, true);
            }

            return formats;
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_committed_block_replaces_the_one_in_the_image(string checksums, bool is64Bit)
    {
        using var journaled = new JournaledImage(Enum.Parse<JournalChecksums>(checksums), is64Bit);
        journaled.Commit((journaled.BlockOf(Path, 1), JournaledImage.Filled('a')), (journaled.BlockOf(Path, 3), JournaledImage.Filled('b')));
        byte[] before = Original();
        byte[] content = journaled.Open().Content(Path);
        Assert.Equal(before[..1024], content[..1024]);
        Assert.Equal(JournaledImage.Filled('a'), content[1024..2048]);
        Assert.Equal(before[2048..3072], content[2048..3072]);
        Assert.Equal(JournaledImage.Filled('b'), content[3072..]);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_revoked_block_stays_as_it_is(string checksums, bool is64Bit)
    {
        using var journaled = new JournaledImage(Enum.Parse<JournalChecksums>(checksums), is64Bit);
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Revoke(journaled.BlockOf(Path));
        Assert.Equal(Original(), journaled.Open().Content(Path));
    }

    [Fact]
    public void Any_part_of_a_replaced_block_can_be_read()
    {
        using var journaled = new JournaledImage();
        byte[] content = JournaledImage.Filled('a');
        BinaryPrimitives.WriteUInt32BigEndian(content, JournalHeader.JournalMagic);
        journaled.Commit((journaled.BlockOf(Path, 1), content));
        Ext4Image image = journaled.Open();
        byte[] expected = [.. Original()[..1024], .. content, .. Original()[2048..]];
        Inode file = image.Find(Path);
        for (int offset = 1000; offset < 1040; offset++)
        {
            var part = new byte[7];
            Assert.Equal(part.Length, image.Read(file, offset, part));
            Assert.Equal(expected[offset..(offset + 7)], part);
        }
    }

    [Fact]
    public void The_newest_copy_of_a_block_wins()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('b')));
        Assert.Equal((byte)'b', journaled.Open().Content(Path)[0]);
    }

    [Fact]
    public void A_copy_newer_than_the_revocation_counts()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Revoke(journaled.BlockOf(Path));
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('b')));
        Assert.Equal((byte)'b', journaled.Open().Content(Path)[0]);
    }

    [Fact]
    public void A_revocation_concerns_its_own_transaction_too()
    {
        using var journaled = new JournaledImage();
        journaled.Commit([(journaled.BlockOf(Path), JournaledImage.Filled('a'))], [journaled.BlockOf(Path)], isCommitted: true);
        Assert.Equal(Original(), journaled.Open().Content(Path));
    }

    [Fact]
    public void An_older_revocation_does_not_replace_a_newer_one()
    {
        using var journaled = new JournaledImage(sequence: uint.MaxValue);
        journaled.Revoke(journaled.BlockOf(Path));
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        Assert.Equal((byte)'a', journaled.Open().Content(Path)[0]);
    }

    [Fact]
    public void A_transaction_without_its_commit_block_does_not_count()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path, 1), JournaledImage.Filled('a')));
        journaled.Commit([(journaled.BlockOf(Path), JournaledImage.Filled('b'))], [journaled.BlockOf(Path, 1)], isCommitted: false);
        byte[] content = journaled.Open().Content(Path);
        Assert.Equal(Original()[..1024], content[..1024]);
        Assert.Equal((byte)'a', content[1024]);
    }

    [Theory]
    [InlineData(JournaledImage.FirstSequence)]
    [InlineData(uint.MaxValue - 2)]
    [InlineData(uint.MaxValue)]
    [InlineData(0u)]
    public void A_log_that_wraps_is_followed_round_its_end(uint sequence)
    {
        using var journaled = new JournaledImage(start: 1019, sequence: sequence);
        for (char letter = 'a'; letter <= 'e'; letter++)
            journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled(letter)), (journaled.BlockOf(Path, 1), JournaledImage.Filled('x')));
        Assert.True(journaled.Next < 1019);
        Assert.Equal((byte)'e', journaled.Open().Content(Path)[0]);
    }

    [Theory]
    [InlineData(nameof(JournalChecksums.None))]
    [InlineData(nameof(JournalChecksums.V2))]
    [InlineData(nameof(JournalChecksums.V3))]
    public void Each_tag_may_name_a_journal(string checksums)
    {
        using var journaled = new JournaledImage(Enum.Parse<JournalChecksums>(checksums), namesUuids: true);
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')), (journaled.BlockOf(Path, 1), JournaledImage.Filled('b')));
        Assert.Equal((byte)'b', journaled.Open().Content(Path)[1024]);
    }

    [Fact]
    public void A_superblock_in_the_journal_is_the_one_that_counts()
    {
        using var journaled = new JournaledImage();
        byte[] superblock = journaled.Image.Raw(1024, 1024).ToArray();
        "after"u8.CopyTo(superblock.AsSpan(0x78));
        BinaryPrimitives.WriteUInt32LittleEndian(superblock.AsSpan(0x3fc), Crc32c.Append(Crc32c.Start, superblock.AsSpan(0, 0x3fc)));
        journaled.Commit((1, superblock));
        Assert.Equal("after"u8.ToArray(), journaled.Open().Volume.Label);
    }

    [Fact]
    public void Features_that_come_with_the_journal_are_checked()
    {
        using var journaled = new JournaledImage();
        byte[] superblock = journaled.Image.Raw(1024, 1024).ToArray();
        superblock[0x63] |= 0x80;
        BinaryPrimitives.WriteUInt32LittleEndian(superblock.AsSpan(0x3fc), Crc32c.Append(Crc32c.Start, superblock.AsSpan(0, 0x3fc)));
        journaled.Commit((1, superblock));
        Assert.Equal(["FEATURE_I31"], Assert.Throws<UnsupportedImageException>(journaled.Open).Features);
    }

    [Fact]
    public void Without_needs_recovery_the_log_is_left_over()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Image.Bytes[1024 + 0x60] &= 0xfb;
        journaled.Image.FixSuperblock();
        Assert.Equal(Original(), journaled.Open().Content(Path));
    }

    [Fact]
    public void An_empty_log_changes_nothing()
    {
        using var journaled = new JournaledImage(start: 0);
        Assert.Equal(Original(), journaled.Open().Content(Path));
    }

    [Fact]
    public void With_norecovery_the_image_is_shown_as_it_lies()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        using Ext4Image image = journaled.Image.Open(new Ext4OpenOptions { NoRecovery = true });
        Assert.Equal(Original(), image.Content(Path));
    }

    [Fact]
    public void Reading_through_the_journal_allocates_nothing()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((journaled.BlockOf(Path, 1), JournaledImage.Filled('a')));
        Ext4Image image = journaled.Open();
        Inode file = image.Find(Path);
        var buffer = new byte[4096];
        image.Read(file, 0, buffer);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 100; round++)
            image.Read(file, 0, buffer);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static byte[] Original()
    {
        using Ext4Image image = BuiltImage.Open(JournaledImage.Recipe);
        return image.Content(Path);
    }
}
