using System.Text;
using Ext4Reader.Directories;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Tests;

public class NameHashTests
{
    private static readonly (uint, uint, uint, uint) Seed = (0xeef5f4f0, 0x00400000, 0x00000080, 0xcdab0000);

    // What debugfs says: dx_hash -h VERSION [-s f0f4f5ee-0000-4000-8000-00000000abcd] NAME.
    [Theory]
    [InlineData("hello", 0, true, 0x32252546, 0)]
    [InlineData("hello", 1, true, 0x3c57578c, 0x88c5bcd4)]
    [InlineData("hello", 1, false, 0x1746da32, 0x420013b5)]
    [InlineData("hello", 2, true, 0x5d5ae500, 0x341b3b42)]
    [InlineData("hello", 2, false, 0x6f5bb1a8, 0x231917c2)]
    [InlineData("x", 1, true, 0x1d06543c, 0x42a4d4d2)]
    [InlineData("x", 2, false, 0xe958e760, 0x9772c62c)]
    [InlineData("entry-00007-nnnnnnn", 1, true, 0x86a64efc, 0xe266b2c6)]
    [InlineData("entry-00007-nnnnnnn", 2, true, 0x4d202668, 0x5e59b9f8)]
    [InlineData("a-name-that-is-longer-than-thirty-two-bytes-for-sure", 0, true, 0xc6535ffc, 0)]
    [InlineData("a-name-that-is-longer-than-thirty-two-bytes-for-sure", 1, false, 0xf2a748d0, 0x38cbd009)]
    [InlineData("a-name-that-is-longer-than-thirty-two-bytes-for-sure", 2, false, 0x4a721d02, 0xe3621549)]
    [InlineData("\xff\xfe\xe9z", 0, true, 0xf04b0ebe, 0)]
    [InlineData("\xff\xfe\xe9z", 1, true, 0x1abbd58c, 0x912b9eb9)]
    [InlineData("\xff\xfe\xe9z", 2, true, 0xa9eab644, 0xfd476ce3)]
    public void A_name_hashes_as_debugfs_says(string name, int version, bool isSeeded, uint major, uint minor)
    {
        var hash = new NameHash((NameHashVersion)version, IsUnsigned: false, isSeeded ? Seed : default);
        Assert.Equal(new HashedName(major, minor), hash.Compute(Encoding.Latin1.GetBytes(name)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_name_of_255_bytes_uses_all_its_blocks(int version)
    {
        byte[] name = Encoding.ASCII.GetBytes(new string('a', 255));
        HashedName expected = version == 1 ? new(0x841c32d6, 0x8851a6af) : new(0x8fe85aa8, 0x28ebcfc9);
        Assert.Equal(expected, new NameHash((NameHashVersion)version, false, Seed).Compute(name));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Signedness_changes_the_hash_of_bytes_above_127_only(int version)
    {
        var signed = new NameHash((NameHashVersion)version, false, Seed);
        var unsigned = signed with { IsUnsigned = true };
        Assert.NotEqual(signed.Compute([0xe9, 0xff]), unsigned.Compute([0xe9, 0xff]));
        Assert.Equal(signed.Compute("plain"u8), unsigned.Compute("plain"u8));
    }

    [Fact]
    public void The_dots_come_before_every_other_key() =>
        Assert.Equal(3ul, ListingKey.Of(new HashedName(0, 0xff)));

    [Fact]
    public void A_key_has_31_bits_of_major_and_24_of_minor_hash() =>
        Assert.Equal(0x7ffffffe_abcdef00ul, ListingKey.Of(new HashedName(0xfffffffc, 0xabcdef12)));
}
