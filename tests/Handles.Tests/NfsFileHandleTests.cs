using Xunit;

namespace Handles.Tests;

public class NfsFileHandleTests
{
    // By NFS-Ganesha 4.3 over a mount of ours: /hello, with fsid_type = Major64, and without, where the device number is in it; and the root.
    private const string Ganesha = "430000b11642" + "0000000000000000" + "81" + "8f88e02b0e0000008f88e02b";
    private const string GaneshaDevice = "430000b11644" + "0000000029000000" + "81" + "8f88e02b0e0000008f88e02b";
    private const string GaneshaRoot = "430000b11642" + "0000000000000000" + "81" + "000000000100000000000000";

    // By knfsd of Linux 6.12 over a mount of ours, exported with fsid=UUID: /f, the root, and /f as NFSv2 would have it, with half the UUID.
    private const string Uuid = "fb0df08b0dde4a2b9753dab14f695341";
    private const string Knfsd = "01000681" + Uuid + "ee1a7ad70c000000ee1a7ad7";
    private const string KnfsdRoot = "01000600" + Uuid;
    private const string KnfsdShort = "01000581" + "6c5e2a3a42b7196a" + "ee1a7ad70c000000ee1a7ad7";

    [Theory]
    [InlineData(Knfsd, "0x81:ee1a7ad70c000000ee1a7ad7")]
    [InlineData(KnfsdRoot, "0x81:000000000100000000000000")]
    [InlineData(KnfsdShort, "0x81:ee1a7ad70c000000ee1a7ad7")]
    [InlineData("01000101" + "4d000000" + "0c000000d2029649", "0x1:0c000000d2029649")] // composed: of ext4, exported with fsid=77
    [InlineData("01000702" + "0200000000000000" + Uuid + "0d000000f40100000200000000000000", "0x2:0d000000f40100000200000000000000")] // composed: and a directory of it
    [InlineData(Ganesha, "0x81:8f88e02b0e0000008f88e02b")]
    [InlineData(GaneshaDevice, "0x81:8f88e02b0e0000008f88e02b")]
    [InlineData(GaneshaRoot, "0x81:000000000100000000000000")]
    [InlineData(Ganesha + "0000", "0x81:8f88e02b0e0000008f88e02b")] // as NFSv3 may pad it
    public void The_kernels_handle_is_found(string hex, string expected)
    {
        Assert.True(NfsFileHandle.TryUnwrap(Convert.FromHexString(hex), out KernelFileHandle handle));
        Assert.Equal(expected, handle.ToString());
    }

    [Theory]
    [InlineData("430000b11642" + "0000000000000000" + "01" + "8f88e02b0e0000008f88e02b")] // a type that has another length
    [InlineData("430000b11640" + "81" + "8f88e02b0e0000008f88e02b0000000000000000")]
    [InlineData("010006ff" + "00112233445566778899aabbccddeeff" + "0c000000d2029649")] // FILEID_INVALID
    [InlineData("01000681" + "00112233445566778899aabbccddeeff" + "0c000000d2029649")]
    [InlineData("01000601" + "00112233445566778899aabbccddeeff")]
    [InlineData("01000600" + "00112233445566778899aabbccddeeff" + "00000000")] // more than a root has
    public void A_handle_of_another_filesystem_is_of_unknown_type(string hex)
    {
        Assert.True(NfsFileHandle.TryUnwrap(Convert.FromHexString(hex), out KernelFileHandle handle));
        Assert.Equal(KernelHandleType.Unknown, handle.Type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("01000601")]
    [InlineData("0100068100112233")] // ends within the fsid
    [InlineData("01000881" + "00112233445566778899aabbccddeeff" + "8f88e02b0e0000008f88e02b")] // an unknown kind of fsid
    [InlineData("01010681" + "00112233445566778899aabbccddeeff" + "8f88e02b0e0000008f88e02b")]
    [InlineData("02000681" + "00112233445566778899aabbccddeeff" + "8f88e02b0e0000008f88e02b")]
    [InlineData("430000b11742" + "0000000000000000" + "81" + "8f88e02b0e0000008f88e02b")] // says that it is longer
    [InlineData("430000b1ff42" + "0000000000000000" + "81" + "8f88e02b0e0000008f88e02b")]
    [InlineData("430000b10942" + "0000000000000000")] // no room for a type
    [InlineData("430000b10042")]
    [InlineData("430000b11602" + "0000000000000000" + "81" + "8f88e02b0e0000008f88e02b")] // no width of the type
    [InlineData("430000b11646" + "0000000000000000" + "81" + "8f88e02b0e0000008f88e02b")] // an unknown kind of fsid
    public void Other_bytes_are_of_no_known_server(string hex) => Assert.False(NfsFileHandle.TryUnwrap(Convert.FromHexString(hex), out _));
}
