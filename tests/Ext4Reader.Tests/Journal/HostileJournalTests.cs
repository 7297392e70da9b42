using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

public class HostileJournalTests
{
    private const string Path = "/sizes/4096";

    public static TheoryData<string> BlockChecksums => [nameof(JournalChecksums.V2), nameof(JournalChecksums.V3)];

    [Theory]
    [MemberData(nameof(BlockChecksums))]
    public void A_wrong_checksum_of_a_copy_makes_the_journal_useless(string checksums)
    {
        using JournaledImage journaled = OneTransaction(checksums);
        journaled.Raw(2)[5] ^= 1;
        Refused(journaled, Corruption.JournalChecksum);
    }

    [Theory]
    [MemberData(nameof(BlockChecksums))]
    public void A_wrong_checksum_of_a_descriptor_makes_the_journal_useless(string checksums)
    {
        using JournaledImage journaled = OneTransaction(checksums);
        journaled.Raw(1)[13] ^= 1;
        Refused(journaled, Corruption.JournalChecksum);
    }

    [Theory]
    [MemberData(nameof(BlockChecksums))]
    [InlineData(nameof(JournalChecksums.V1))]
    public void A_wrong_checksum_of_a_commit_makes_the_journal_useless(string checksums)
    {
        using JournaledImage journaled = OneTransaction(checksums);
        journaled.Raw(3)[0x11] ^= 1;
        Refused(journaled, Corruption.JournalChecksum);
    }

    [Theory]
    [MemberData(nameof(BlockChecksums))]
    [InlineData(nameof(JournalChecksums.V1))]
    public void With_asynchronous_commits_a_broken_last_transaction_does_not_count(string checksums)
    {
        using var journaled = new JournaledImage(Enum.Parse<JournalChecksums>(checksums), isAsynchronous: true);
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('b')));
        journaled.Raw(6)[0x11] ^= 1;
        Assert.Equal((byte)'a', journaled.Open().Content(Path)[0]);
    }

    [Fact]
    public void With_asynchronous_commits_too_nothing_may_follow_a_broken_transaction()
    {
        using var journaled = new JournaledImage(JournalChecksums.V1, isAsynchronous: true);
        for (char letter = 'a'; letter <= 'c'; letter++)
            journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled(letter)));
        journaled.Raw(6)[0x11] ^= 1;
        Refused(journaled, Corruption.JournalChecksum);
    }

    [Theory]
    [MemberData(nameof(BlockChecksums))]
    [InlineData(nameof(JournalChecksums.V1))]
    public void What_an_earlier_turn_of_the_log_left_behind_ends_it(string checksums)
    {
        using JournaledImage journaled = OneTransaction(checksums);
        journaled.Seconds -= 1000;
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('b')));
        journaled.Raw(6)[0x11] ^= 1;
        Assert.Equal((byte)'a', journaled.Open().Content(Path)[0]);
    }

    [Theory]
    [InlineData(0x00, 0u)]
    [InlineData(0x04, 5u)]
    [InlineData(0x0c, 4096u)]
    [InlineData(0x10, uint.MaxValue)]
    [InlineData(0x14, 0u)]
    [InlineData(0x14, uint.MaxValue)]
    [InlineData(0x1c, 1024u)]
    [InlineData(0x1c, uint.MaxValue)]
    [InlineData(0x24, 1u)]
    [InlineData(0x28, 0x1bu)]
    public void A_journal_superblock_that_cannot_be_is_refused(int offset, uint value)
    {
        using JournaledImage journaled = OneTransaction();
        JournaledImage.Put(journaled.Raw(0), offset, value);
        journaled.SealSuperblock();
        Refused(journaled, Corruption.JournalSuperblock);
    }

    [Fact]
    public void A_wrong_checksum_of_the_journal_superblock_is_refused()
    {
        using JournaledImage journaled = OneTransaction();
        journaled.Raw(0)[0x300] ^= 1;
        Refused(journaled, Corruption.JournalSuperblockChecksum);
    }

    [Theory]
    [InlineData(0x28, 0x53u, "journal FEATURE_I6")]
    [InlineData(0x2c, 0x1u, "journal FEATURE_R0")]
    public void A_feature_of_the_journal_that_nobody_knows_is_refused_by_name(int offset, uint value, string name)
    {
        using JournaledImage journaled = OneTransaction();
        JournaledImage.Put(journaled.Raw(0), offset, value);
        journaled.SealSuperblock();
        Assert.Equal([name], Assert.Throws<UnsupportedImageException>(journaled.Open).Features);
    }

    [Fact]
    public void A_copy_of_a_block_outside_of_the_image_is_refused()
    {
        using var journaled = new JournaledImage();
        journaled.Commit((1UL << 32, JournaledImage.Filled('a')));
        Refused(journaled, Corruption.JournalTransaction);
    }

    [Fact]
    public void More_revocations_than_fit_into_a_block_are_refused()
    {
        using var journaled = new JournaledImage();
        Span<byte> raw = journaled.Begin(JournalBlockType.Revocation);
        JournaledImage.Put(raw, 0x0c, 1021);
        journaled.SealTail(raw);
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        Refused(journaled, Corruption.JournalTransaction);
    }

    [Fact]
    public void A_log_that_never_ends_is_read_once()
    {
        using var journaled = new JournaledImage(JournalChecksums.None);
        for (int block = 1; block < journaled.JournalBlocks; block++)
            JournaledImage.Put(journaled.Begin(JournalBlockType.Revocation), 0x0c, 16);
        Assert.Equal(4096, journaled.Open().Content(Path).Length);
    }

    [Fact]
    public void A_descriptor_that_goes_on_for_ever_is_read_once()
    {
        using var journaled = new JournaledImage(JournalChecksums.None);
        for (int block = 1; block < journaled.JournalBlocks; block++)
            journaled.Begin(JournalBlockType.Descriptor);
        Assert.Equal(4096, journaled.Open().Content(Path).Length);
    }

    [Fact]
    public void A_journal_inode_that_is_not_in_use_is_refused()
    {
        using JournaledImage journaled = OneTransaction();
        journaled.Image.Set16(journaled.Image.InodeAt(8) + 0x1a, 0);
        journaled.Image.FixInode(8);
        Refused(journaled, Corruption.JournalInode);
    }

    [Fact]
    public void Random_damage_never_does_more_than_refuse()
    {
        var random = new Random(1);
        for (int round = 0; round < 64; round++)
        {
            using var journaled = new JournaledImage(
                (JournalChecksums)(round % 4), is64Bit: round % 8 < 4, hasFastCommits: round % 16 == 0);
            journaled.Commit([(journaled.BlockOf(Path), JournaledImage.Filled('a')), (40, JournaledImage.Filled('b'))], [41, 42], isCommitted: true);
            journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('c')));
            for (int change = 0; change < 3; change++)
            {
                int block = random.Next(8);
                journaled.Raw((uint)block)[random.Next(random.Next(2) == 0 ? 64 : 1024)] = (byte)random.Next(256);
            }

            journaled.SealSuperblock();
            try
            {
                journaled.Open().Content(Path);
            }
            catch (Ext4Exception problem)
            {
                Assert.NotEmpty(problem.Message);
            }
        }
    }

    internal static JournaledImage OneTransaction(string checksums = nameof(JournalChecksums.V3))
    {
        var journaled = new JournaledImage(Enum.Parse<JournalChecksums>(checksums));
        journaled.Commit((journaled.BlockOf(Path), JournaledImage.Filled('a')));
        return journaled;
    }

    private static void Refused(JournaledImage journaled, Corruption kind) => Assert.Equal(kind, Assert.Throws<CorruptImageException>(journaled.Open).Kind);
}
