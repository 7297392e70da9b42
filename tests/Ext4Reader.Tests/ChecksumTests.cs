using System.Text;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Tests;

public class ChecksumTests
{
    [Fact]
    public void Crc32c_has_the_check_value_of_its_standard() =>
        Assert.Equal(~0xe3069283u, Crc32c.Append(Crc32c.Start, "123456789"u8));

    [Fact]
    public void Crc16_has_the_check_value_of_its_standard() =>
        Assert.Equal(0xbb3d, Crc16.Append(0, "123456789"u8));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(61)]
    public void Crc32c_in_pieces_is_that_of_the_whole(int split)
    {
        byte[] text = Encoding.ASCII.GetBytes(new string('q', 30) + "a checksum is a checksum is a checksum");
        uint whole = Crc32c.Append(Crc32c.Start, text);
        Assert.Equal(whole, Crc32c.Append(Crc32c.Append(Crc32c.Start, text.AsSpan(0, split)), text.AsSpan(split)));
    }

    [Fact]
    public void Numbers_are_summed_as_their_little_endian_bytes()
    {
        Assert.Equal(Crc32c.Append(7, [0x44, 0x33, 0x22, 0x11]), Crc32c.Append(7, 0x11223344u));
        Assert.Equal(Crc32c.Append(7, [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]), Crc32c.Append(7, 0x1122334455667788ul));
    }
}
