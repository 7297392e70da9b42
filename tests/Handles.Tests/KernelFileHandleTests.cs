using Xunit;

namespace Handles.Tests;

public class KernelFileHandleTests
{
    // As name_to_handle_at(2) gave them, on a FUSE mount: inode 13 of generation 500, and the root.
    private const string Fuse = "0c00000081000000" + "f40100000d000000f4010000";
    private const string FuseRoot = "0c00000081000000" + "000000000100000000000000";

    // The same as the kernel's ext4 has it, alone and below the root: composed; what a kernel gave is among the data below.
    private const string Ext4 = "0800000001000000" + "0d000000f4010000";
    private const string Ext4InRoot = "1000000002000000" + "0d000000f40100000200000000000000";

    [Theory]
    [InlineData(Fuse, KernelHandleType.Fuse, 0x1f4_0000_000dUL, 500u)]
    [InlineData(FuseRoot, KernelHandleType.Fuse, 1UL, 0u)]
    [InlineData(Ext4, KernelHandleType.Ext4, 13UL, 500u)]
    [InlineData("0800000001000000" + "1100000002000000", KernelHandleType.Ext4, 17UL, 2u)] // by Linux 6.18
    [InlineData("0800000001000300" + "0c000000ffffffff", KernelHandleType.Ext4, 12UL, uint.MaxValue)] // a directory, with AT_HANDLE_CONNECTABLE
    [InlineData("0c00000081000000" + "020000001100000002000000", KernelHandleType.Fuse, 0x2_0000_0011UL, 2u)] // the first of them on a FUSE mount
    [InlineData("0800000001000000" + "ffffffff00000000", KernelHandleType.Ext4, 0xffffffffUL, 0u)]
    [InlineData("0800000001000200" + "0d000000f4010000", KernelHandleType.Ext4, 13UL, 500u)] // FILEID_IS_DIR
    public void Bytes_of_the_kernel_are_read(string hex, KernelHandleType type, ulong node, uint generation)
    {
        Assert.Equal(KernelHandleDefect.None, KernelFileHandle.Decode(Convert.FromHexString(hex), out KernelFileHandle handle));
        Assert.Equal((type, new KernelNode(node, generation), null), (handle.Type, handle.File, handle.Parent));
    }

    [Theory]
    [InlineData(Ext4InRoot, 13UL, 500u, 2UL, 0u)]
    [InlineData("1800000082000000" + "f40100000d000000f4010000" + "000000000100000000000000", 0x1f4_0000_000dUL, 500u, 1UL, 0u)]
    [InlineData("1000000002000100" + "1100000002000000" + "0c000000ffffffff", 17UL, 2u, 12UL, uint.MaxValue)] // by Linux 6.18, with AT_HANDLE_CONNECTABLE
    [InlineData("1800000082000100" + "020000001100000002000000" + "ffffffff0c000000ffffffff", 0x2_0000_0011UL, 2u, 0xffffffff_0000_000cUL, uint.MaxValue)] // the same on a FUSE mount
    public void Parents_are_read(string hex, ulong node, uint generation, ulong parent, uint parentGeneration)
    {
        Assert.Equal(KernelHandleDefect.None, KernelFileHandle.Decode(Convert.FromHexString(hex), out KernelFileHandle handle));
        Assert.Equal((new KernelNode(node, generation), new KernelNode(parent, parentGeneration)), (handle.File, handle.Parent!.Value));
    }

    [Fact]
    public void What_is_written_is_what_the_kernel_gives()
    {
        Assert.Equal(Fuse, Hex(KernelFileHandle.OfFuse(new FileHandle(13, 500))));
        Assert.Equal(FuseRoot, Hex(KernelFileHandle.OfFuse(FileHandle.Root)));
        Assert.Equal("1800000082000000" + Fuse[16..] + FuseRoot[16..], Hex(KernelFileHandle.OfFuse(new FileHandle(13, 500), FileHandle.Root)));
        Assert.Equal(Ext4, Hex(KernelFileHandle.OfExt4(13, 500)));
        Assert.Equal(Ext4InRoot, Hex(KernelFileHandle.OfExt4(13, 500, 2, 0)));
    }

    [Theory]
    [InlineData("", KernelHandleDefect.Truncated)]
    [InlineData("08000000010000", KernelHandleDefect.Truncated)]
    [InlineData("0800000001000000" + "0d000000f40100", KernelHandleDefect.Truncated)]
    [InlineData("ffffffff01000000" + "0d000000f4010000", KernelHandleDefect.Truncated)]
    [InlineData("0800000001000000" + "0d000000f401000000", KernelHandleDefect.Surplus)]
    [InlineData("0000000001000000" + "0d000000f4010000", KernelHandleDefect.Surplus)]
    [InlineData("0000000001000000", KernelHandleDefect.Length)]
    [InlineData("0800000081000000" + "0d000000f4010000", KernelHandleDefect.Length)]
    [InlineData("0800000002000000" + "0d000000f4010000", KernelHandleDefect.Length)]
    [InlineData("0c00000082000000" + "f40100000d000000f4010000", KernelHandleDefect.Length)]
    [InlineData("0c00000001000000" + "f40100000d000000f4010000", KernelHandleDefect.Length)]
    [InlineData("0800000000000000" + "0d000000f4010000", KernelHandleDefect.Type)]
    [InlineData("0800000003000000" + "0d000000f4010000", KernelHandleDefect.Type)]
    [InlineData("08000000ff000000" + "0d000000f4010000", KernelHandleDefect.Type)]
    [InlineData("0800000001000080" + "0d000000f4010000", KernelHandleDefect.Type)] // a negative type
    [InlineData("0800000001000400" + "0d000000f4010000", KernelHandleDefect.Type)] // a flag of the future
    [InlineData("0800000001000000" + "00000000f4010000", KernelHandleDefect.Node)]
    [InlineData("1000000002000000" + "0d000000f401000000000000f4010000", KernelHandleDefect.Node)]
    [InlineData("0c00000081000000" + "0000000000000000f4010000", KernelHandleDefect.Node)]
    public void Hostile_bytes_are_refused_with_a_reason(string hex, KernelHandleDefect defect) =>
        Assert.Equal(defect, KernelFileHandle.Decode(Convert.FromHexString(hex), out _));

    [Theory]
    [InlineData("0x81:f40100000d000000f4010000")]
    [InlineData("0x1:0d000000f4010000")]
    [InlineData("0x2:0d000000f40100000200000000000000")]
    [InlineData("0x82:f40100000d000000f4010000000000000100000000000000")]
    public void The_text_form_is_read_and_written(string text)
    {
        Assert.True(KernelFileHandle.TryParse(text, out KernelFileHandle handle));
        Assert.NotEqual(KernelHandleType.Unknown, handle.Type);
        Assert.Equal(text, handle.ToString());
    }

    [Fact]
    public void Flags_of_a_text_are_passed_over()
    {
        Assert.True(KernelFileHandle.TryParse("0x10081:f40100000d000000f4010000", out KernelFileHandle handle));
        Assert.Equal("0x81:f40100000d000000f4010000", handle.ToString());
    }

    [Theory]
    [InlineData("0x81:f40100000d000000")]
    [InlineData("0x1:")]
    [InlineData("0x6:0d000000f4010000")]
    [InlineData("0xffffffff:0d000000f4010000")]
    public void A_text_with_bytes_of_no_known_form_is_a_handle_of_unknown_type(string text)
    {
        Assert.True(KernelFileHandle.TryParse(text, out KernelFileHandle handle));
        Assert.Equal(KernelHandleType.Unknown, handle.Type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x1")]
    [InlineData("0x:0d000000f4010000")]
    [InlineData("1:0d000000f4010000")]
    [InlineData("0x1:0d000000f401000")]
    [InlineData("0x1:0d000000f40100xx")]
    [InlineData("0x100000000:0d000000f4010000")]
    public void Other_texts_are_no_handles(string text) => Assert.False(KernelFileHandle.TryParse(text, out _));

    [Fact]
    public void A_text_longer_than_any_handle_is_none() =>
        Assert.False(KernelFileHandle.TryParse("0x1:" + new string('0', 2 * (KernelFileHandle.MaximumSize - KernelFileHandle.HeaderSize + 1)), out _));

    [Fact]
    public void A_fuse_handle_is_a_persistent_one()
    {
        Assert.True(Decoded(Fuse).TryGetFuse(out FileHandle handle));
        Assert.Equal(new FileHandle(13, 500), handle);
        Assert.True(Decoded(FuseRoot).TryGetFuse(out handle));
        Assert.Equal(FileHandle.Root, handle);
    }

    [Theory]
    [InlineData(Ext4)]
    [InlineData("0c00000081000000" + "f40100000d000000f5010000")] // another generation beside the nodeid than in it
    [InlineData("0c00000081000000" + "f401000000000000f4010000")] // inode 0
    public void Others_are_not_of_our_mounts(string hex) => Assert.False(Decoded(hex).TryGetFuse(out _));

    [Fact]
    public void An_ext4_handle_becomes_a_persistent_one_with_what_the_image_knows()
    {
        Assert.True(Decoded(Ext4).TryGetExt4(500, rawBirthTime: 0x65000000, out FileHandle handle));
        Assert.Equal(new FileHandle(13, 500), handle);
        Assert.False(Decoded(Ext4).TryGetExt4(501, rawBirthTime: 0x65000000, out _));
        Assert.False(Decoded(Fuse).TryGetExt4(500, rawBirthTime: 0x65000000, out _));
        Assert.True(KernelFileHandle.OfExt4(2, 99).TryGetExt4(99, 0, out handle));
        Assert.Equal(FileHandle.Root, handle);
    }

    [Fact]
    public void The_birth_time_stands_in_where_ext4_has_generation_zero()
    {
        Assert.True(KernelFileHandle.OfExt4(13, 0).TryGetExt4(0, rawBirthTime: 0x65000000, out FileHandle handle));
        Assert.Equal(new FileHandle(13, 0xafc7d1b9), handle);
    }

    [Fact]
    public void Inode_zero_has_no_handle()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => KernelFileHandle.OfExt4(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => KernelFileHandle.OfExt4(1, 1, 0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => KernelFileHandle.OfFuse(new FileHandle(0, 1)));
    }

    private static KernelFileHandle Decoded(string hex)
    {
        Assert.Equal(KernelHandleDefect.None, KernelFileHandle.Decode(Convert.FromHexString(hex), out KernelFileHandle handle));
        return handle;
    }

    private static string Hex(KernelFileHandle handle)
    {
        byte[] bytes = new byte[handle.Size];
        handle.Encode(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
