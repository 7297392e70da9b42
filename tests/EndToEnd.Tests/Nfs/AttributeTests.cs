using EndToEnd.Tests.Recovery;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>Clients keep what they have cached for as long as attributes stay the same: ctime in version 3, change in version 4.</summary>
public class AttributeTests
{
    private static readonly string[] Paths = ["", "kept", "written", "folder", "folder/kept", "link"];

    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void Attributes_are_the_same_until_somebody_writes_and_then_they_are_others(int version)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, "mkdir folder; echo kept > kept; echo kept > folder/kept; echo some > written; ln -s kept link");
        using var mounted = new Mounted(image);
        using var exported = new Exported(mounted);
        byte[][] handles = [];
        string[] before = [];
        exported.With(version, client =>
        {
            handles = [.. Paths.Select(client.Find)];
            before = Attributes(client);
            Assert.Equal(Paths.Length, before.Distinct().Count());
            mounted.KillWorker();
            Assert.Equal(before, Attributes(client));
            mounted.Tell("restart", "--fsck=-fy").OrThrow();
            Assert.Equal(before, Attributes(client));
        });
        exported.RestartServer(mounted.Remount);
        exported.With(version, client =>
        {
            Assert.Equal(before, Attributes(client));
            mounted.Tell("pause", "--kill").OrThrow();
            _ = KernelWrites.Run(mounted.Image, "echo more >> written; touch folder/new");
            mounted.Tell("resume").OrThrow();
            string[] after = Attributes(client);
            Assert.Equal(["written", "folder"], Paths.Where((_, index) => before[index] != after[index]));
            Assert.Equal("some\nmore\n", client.ReadAll(handles[2]));
            Assert.Equal(["kept", "new"], client.ListAll(handles[3]).Order(StringComparer.Ordinal));
        });

        string[] Attributes(NfsClient client) => [.. handles.Select(handle => Convert.ToHexString(client.Attributes(handle)))];
    }

    [NfsFact]
    public void The_change_attribute_moves_with_every_write()
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, "echo same > file");
        using var mounted = new Mounted(image);
        using var exported = new Exported(mounted);
        exported.With(4, client =>
        {
            byte[] file = client.Find("file");
            ulong before = ((Nfs4Client)client).Change(file);
            mounted.Tell("pause", "--kill").OrThrow();
            // As many bytes, and the time of modification set back: only ctime tells.
            _ = KernelWrites.Run(mounted.Image, "touch -r file /tmp/stamp.$$; echo Same > file; touch -r /tmp/stamp.$$ file; rm /tmp/stamp.$$");
            mounted.Tell("resume").OrThrow();
            Assert.True(((Nfs4Client)client).Change(file) > before, "the change attribute stands still, or goes back");
            Assert.Equal("Same\n", client.ReadAll(file));
        });
    }
}
