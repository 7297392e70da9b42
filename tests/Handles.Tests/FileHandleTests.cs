using Xunit;

namespace Handles.Tests;

public class FileHandleTests
{
    private static readonly byte[] Uuid = Convert.FromHexString("f0f4f5ee00004000800000000000abcd");

    [Fact]
    public void A_generation_stands_for_itself() =>
        Assert.Equal(new FileHandle(12, 0x1a2b3c4d), FileHandle.Of(12, 0x1a2b3c4d, rawBirthTime: 0x65000000));

    [Fact]
    public void The_birth_time_stands_in_for_generation_zero()
    {
        FileHandle first = FileHandle.Of(12, 0, 0x6500009f);
        FileHandle second = FileHandle.Of(12, 0, 0x650000a0);
        Assert.NotEqual(0u, first.Generation);
        Assert.NotEqual(first, second);
    }

    // Golden values: a change of the function would make every handle that clients hold stale.
    [Theory]
    [InlineData(0x65000000UL, 0xafc7d1b9u)]
    [InlineData(0x0000000465000001UL, 0x13c96581u)]
    public void The_stand_in_never_changes(ulong rawBirthTime, uint expected) =>
        Assert.Equal(expected, FileHandle.Of(12, 0, rawBirthTime).Generation);

    [Fact]
    public void Without_generation_and_birth_time_the_generation_is_zero() =>
        Assert.Equal(new FileHandle(12, 0), FileHandle.Of(12, 0, 0));

    [Fact]
    public void The_nodeid_carries_the_handle_both_ways()
    {
        var handle = new FileHandle(13, 500);
        Assert.Equal(0x000001f4_0000000dUL, NodeId.From(handle).Value);
        Assert.Equal(handle, new NodeId(0x000001f4_0000000dUL).Handle);
        Assert.False(NodeId.From(handle).IsRoot);
        Assert.True(NodeId.Root.IsRoot);
    }

    [Fact]
    public void The_encoding_is_the_documented_one()
    {
        var bytes = new byte[FileHandleEncoding.Size];
        FileHandleEncoding.Encode(new FileHandle(12, 0x1a2b3c4d), 0xddccbbaa, bytes);
        Assert.Equal("01010000aabbccdd0c0000004d3c2b1a", Convert.ToHexStringLower(bytes));
        Assert.True(FileHandleEncoding.TryDecode(bytes, 0xddccbbaa, out FileHandle handle));
        Assert.Equal(new FileHandle(12, 0x1a2b3c4d), handle);
    }

    [Theory]
    [InlineData("01010000aabbccdd0c0000004d3c2b")]     // truncated
    [InlineData("01010000aabbccdd0c0000004d3c2b1a00")] // too long
    [InlineData("02010000aabbccdd0c0000004d3c2b1a")]   // other version
    [InlineData("01020000aabbccdd0c0000004d3c2b1a")]   // other kind
    [InlineData("01010100aabbccdd0c0000004d3c2b1a")]   // reserved bytes used
    [InlineData("01010000aabbccde0c0000004d3c2b1a")]   // other filesystem
    [InlineData("01010000aabbccdd000000004d3c2b1a")]   // inode 0
    [InlineData("")]
    public void Anything_else_is_stale(string hex) =>
        Assert.False(FileHandleEncoding.TryDecode(Convert.FromHexString(hex), 0xddccbbaa, out _));

    [Theory]
    [InlineData("01010000aabbccdd0c0000004d3c2b1a", FileHandleDefect.None, 12u)]
    [InlineData("01010000aabbccde0c0000004d3c2b1a", FileHandleDefect.Filesystem, 12u)]
    [InlineData("02010000aabbccde0c0000004d3c2b1a", FileHandleDefect.Form, 0u)]
    [InlineData("01010000aabbccdd000000004d3c2b1a", FileHandleDefect.Form, 0u)]
    [InlineData("01010000aabbccdd0c0000004d3c2b", FileHandleDefect.Form, 0u)]
    public void What_is_wrong_with_a_handle_is_told(string hex, FileHandleDefect defect, uint inode)
    {
        Assert.Equal(defect, FileHandleEncoding.Decode(Convert.FromHexString(hex), 0xddccbbaa, out FileHandle handle));
        Assert.Equal(inode, handle.Inode);
    }

    [Fact]
    public void The_tag_of_a_filesystem_comes_from_its_uuid()
    {
        Assert.Equal(0x510f9b9bu, FileHandleEncoding.VolumeTag(Uuid)); // CRC-32C, computed bit by bit elsewhere
        byte[] other = [.. Uuid];
        other[15] ^= 1;
        Assert.NotEqual(FileHandleEncoding.VolumeTag(Uuid), FileHandleEncoding.VolumeTag(other));
    }

    [Theory]
    [InlineData("12:1a2b3c4d", 12u, 0x1a2b3c4du)]
    [InlineData("4294967295:00000000", uint.MaxValue, 0u)]
    public void The_text_form_goes_both_ways(string text, uint inode, uint generation)
    {
        Assert.True(FileHandle.TryParse(text, out FileHandle handle));
        Assert.Equal(new FileHandle(inode, generation), handle);
        Assert.Equal(text, handle.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":1a2b3c4d")]
    [InlineData("12")]
    [InlineData("12:")]
    [InlineData("12:1a2b3c4")]
    [InlineData("12:1a2b3c4dd")]
    [InlineData("0:1a2b3c4d")]
    [InlineData("-1:1a2b3c4d")]
    [InlineData("4294967296:1a2b3c4d")]
    [InlineData("12:xa2b3c4d")]
    public void Other_texts_are_no_handles(string text) => Assert.False(FileHandle.TryParse(text, out _));
}
