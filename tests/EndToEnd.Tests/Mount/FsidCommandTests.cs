using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary><c>fuse4fs fsid</c>: what NFS servers are to call a filesystem is made of its UUID.</summary>
public class FsidCommandTests
{
    private const string Exports = "fsid=01234567-89ab-cdef-fedc-ba9876543210";
    private const string Ganesha = "Export_Id = 12816; Filesystem_Id = 0x0123456789abcdef.0xfedcba9876543210;"; // 12816 is 0x3210

    [MountFact("tune2fs")]
    public void Image_and_mount_agree_and_a_mount_needs_no_worker()
    {
        ImageCopy image = Images.Copy("sample");
        SetUuid(image, "01234567-89ab-cdef-fedc-ba9876543210");
        using var mounted = new Recovery.Mounted(image);
        mounted.Tell("pause").OrThrow();
        foreach (string place in (string[])[image.ImagePath, mounted.MountPoint])
        {
            Assert.Equal($"{Exports}\n{Ganesha}\n", FuseServer.Run("fsid", place).OrThrow().Output);
            JsonElement json = JsonDocument.Parse(FuseServer.Run("fsid", place, "--json").OrThrow().Output).RootElement;
            Assert.Equal((Exports, Ganesha, "01234567-89ab-cdef-fedc-ba9876543210"), (Word(json, "exports"), Word(json, "ganesha"), Word(json, "uuid")));
        }
        mounted.Tell("resume").OrThrow();
    }

    [MountFact("tune2fs")]
    public void The_number_of_an_export_is_never_0()
    {
        using ImageCopy image = Images.Copy("sample");
        SetUuid(image, "01234567-89ab-cdef-fedc-ba9876540000");
        Assert.Contains("\nExport_Id = 1; ", FuseServer.Run("fsid", image.ImagePath).OrThrow().Output, StringComparison.Ordinal);
    }

    [MountFact("tune2fs")]
    public void Partitions_have_their_own_and_what_has_none_is_told_so()
    {
        using ImageCopy image = Images.Copy("sample");
        SetUuid(image, "01234567-89ab-cdef-fedc-ba9876543210");
        using var disk = new DiskImage(64 * DiskImage.Mebibyte);
        disk.BootRecord(0, new MbrEntry(0x83, 2048, 65536)).Insert(DiskImage.Mebibyte, image.ImagePath);
        Assert.StartsWith(Exports, FuseServer.Run("fsid", disk.ImagePath + "@1").OrThrow().Output, StringComparison.Ordinal);
        Assert.StartsWith(Exports, FuseServer.Run("fsid", disk.ImagePath, "-o", "offset=1M").OrThrow().Output, StringComparison.Ordinal);

        SetUuid(image, "clear");
        CommandResult result = FuseServer.Run("fsid", image.ImagePath);
        Assert.True(result.ExitCode == 32 && result.Errors.Contains("has no UUID", StringComparison.Ordinal), result.ToString());
        Assert.Equal(32, FuseServer.Run("fsid", "/tmp").ExitCode);
    }

    private static void SetUuid(ImageCopy image, string uuid) => Command.Run("tune2fs", "-U", uuid, image.ImagePath).OrThrow();

    private static string Word(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
