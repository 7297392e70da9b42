using System.Text;
using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

/// <summary>Golden bytes of each structure.</summary>
public class JournalOnDiskTests
{
    [Fact]
    public void The_checksum_of_transactions_is_that_of_Ethernet_highest_bit_first() =>
        Assert.Equal(0x0376e6e7u, Crc32.Append(Crc32.Start, "123456789"u8));

    [Fact]
    public void The_checksum_of_transactions_goes_on_where_it_ended()
    {
        byte[] bytes = [.. Enumerable.Range(0, 100).Select(value => (byte)value)];
        Assert.Equal(Crc32.Append(Crc32.Start, bytes), Crc32.Append(Crc32.Append(Crc32.Start, bytes.AsSpan(0, 37)), bytes.AsSpan(37)));
    }

    [Fact]
    public void A_header_has_magic_type_and_sequence() => Assert.Equal(
        new JournalHeader(JournalHeader.JournalMagic, JournalBlockType.Commit, 0x01020304),
        JournalHeader.Parse(Convert.FromHexString("c03b39980000000201020304")));

    [Theory]
    [InlineData(0u, "0102030400000008", 0x01020304UL, 0u)]
    [InlineData(2u, "010203040000000800000005", 0x501020304UL, 0u)]
    [InlineData(8u, "01020304abcd00080000", 0x01020304UL, 0xabcdu)]
    [InlineData(10u, "01020304abcd0009000000050000", 0x501020304UL, 0xabcdu)]
    [InlineData(0x10u, "010203040000000800000005aabbccdd", 0x01020304UL, 0xaabbccddu)]
    [InlineData(0x12u, "010203040000000900000005aabbccdd", 0x501020304UL, 0xaabbccddu)]
    public void A_tag_has_block_flags_and_checksum(uint features, string tag, ulong block, uint checksum)
    {
        var raw = new byte[1024];
        Convert.FromHexString(tag).CopyTo(raw, 12);
        var tags = new JournalTags(raw, Journal(features));
        Assert.True(tags.TryNext(out JournalTag only));
        Assert.Equal(new JournalTag(block, (raw[12 + 7] & 1) != 0, checksum), only);
        Assert.False(tags.TryNext(out _));
    }

    [Fact]
    public void A_commit_has_its_checksum_and_its_time()
    {
        var raw = new byte[1024];
        Convert.FromHexString("c03b399800000002000000010104000011223344").CopyTo(raw, 0);
        Convert.FromHexString("0000000065000000").CopyTo(raw, 0x30);
        JournalCommit commit = JournalCommit.Parse(raw);
        Assert.Equal(new JournalCommit(1, 4, 0x11223344, 0x65000000), commit);
        Assert.True(commit.Vouches(0x11223344));
        Assert.False(commit.Vouches(0x11223345));
    }

    [Theory]
    [InlineData(0u, "00000018", "0000000100000002", new[] { 1UL, 2UL })]
    [InlineData(2u, "00000018", "0000000100000002", new[] { 0x100000002UL })]
    public void A_revocation_block_has_so_many_bytes_of_blocks(uint features, string count, string blocks, ulong[] expected)
    {
        var raw = new byte[1024];
        Convert.FromHexString(count + blocks).CopyTo(raw, 12);
        var revocations = new JournalRevocations(raw, Journal(features));
        var found = new List<ulong>();
        while (revocations.TryNext(out ulong block))
            found.Add(block);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void A_journal_superblock_divides_the_log_from_the_fast_commits()
    {
        JournalSuperblock journal = Journal(0x22);
        Assert.Equal(4096u - 64, journal.End);
        Assert.Equal((4096u - 63, 4096u), journal.FastCommits);
    }

    [Fact]
    public void A_fast_commit_tag_has_type_and_length()
    {
        byte[] raw = Convert.FromHexString("03000b00" + "02000000" + "0c000000" + "616263");
        Assert.True(FastCommitTag.TryParse(raw, 256, out FastCommitTag tag));
        Assert.Equal(new FastCommitTag(FastCommitTagType.Create, 11), tag);
        Assert.Equal("abc", Encoding.ASCII.GetString(FastCommitTag.Entry(raw.AsSpan(4), out uint directory, out uint inode)));
        Assert.Equal((2u, 12u), (directory, inode));
        Assert.False(FastCommitTag.TryParse(raw.AsSpan(0, 14), 256, out _));
    }

    [Fact]
    public void An_orphan_block_counts_only_with_its_magic_and_checksum()
    {
        var raw = new byte[1024];
        raw[0] = 12;
        Assert.True(OrphanBlock.Entries(raw, 5, null).IsEmpty);
        Convert.FromHexString("04ca100b").CopyTo(raw, 1016);
        Assert.Equal(1016, OrphanBlock.Entries(raw, 5, null).Length);
        Assert.True(OrphanBlock.Entries(raw, 5, 1).IsEmpty);
        BitConverter.GetBytes(Crc32c.Append(Crc32c.Append(1, 5UL), raw.AsSpan(0, 1016))).CopyTo(raw, 1020);
        Assert.Equal(1016, OrphanBlock.Entries(raw, 5, 1).Length);
    }

    private static JournalSuperblock Journal(uint features)
    {
        var raw = new byte[1024];
        Convert.FromHexString("c03b399800000004").CopyTo(raw, 0);
        JournaledImage.Put(raw, 0x0c, 1024);
        JournaledImage.Put(raw, 0x10, 4096);
        JournaledImage.Put(raw, 0x14, 1);
        JournaledImage.Put(raw, 0x28, features);
        JournaledImage.Put(raw, 0x54, 64);
        raw[0x50] = 4;
        JournaledImage.Put(raw, 0xfc, JournalSuperblock.ComputeChecksum(raw));
        return JournalSuperblock.Parse(raw, 1024, 4096);
    }
}
