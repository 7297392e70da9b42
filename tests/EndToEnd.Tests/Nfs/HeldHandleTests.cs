using EndToEnd.Tests.Recovery;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>A client holds NFS handles, and nothing but those, while the worker, the mount and the NFS server come and go below it.</summary>
public class HeldHandleTests
{
    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void Handles_go_on_after_a_kill_a_repair_a_remount_and_another_server(int version)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, $"{OwnText.Function} mkdir -p deep/er; own first > first; own second > deep/er/second");
        using var mounted = new Mounted(image);
        using var exported = new Exported(mounted);
        byte[] first = [], second = [], folder = [];
        exported.With(version, client => (first, second, folder) = (client.Find("first"), client.Find("deep/er/second"), client.Find("deep")));
        exported.Run(() =>
        {
            using NfsClient client = Ganesha.Connect(version);
            mounted.KillWorker();
            Check(client);
            mounted.Tell("restart", "--fsck").OrThrow();
            Check(client);
        });
        exported.RestartServer();
        exported.With(version, Check);
        exported.RestartServer(mounted.Remount);
        exported.With(version, Check);

        void Check(NfsClient client)
        {
            MachineCaches.Drop();
            Assert.Equal(OwnText.Of("first"), client.ReadAll(first));
            Assert.Equal(OwnText.Of("second"), client.ReadAll(second));
            Assert.Equal(["er"], client.ListAll(folder));
        }
    }

    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void Handles_are_stale_where_another_filesystem_is_exported(int version)
    {
        ImageCopy image = Images.Copy("room"), twin = Images.Copy("room"); // the same inodes, and the same generations
        Command.Run("tune2fs", "-f", "-U", "11111111-2222-3333-4444-555555555555", twin.ImagePath).OrThrow();
        byte[] file = [];
        using (var mounted = new Mounted(image))
        using (var exported = new Exported(mounted))
            exported.With(version, client => _ = client.Attributes(file = client.Find("lost+found")));
        using (var mounted = new Mounted(twin))
        using (var exported = new Exported(mounted))
        {
            exported.With(version, client =>
            {
                Assert.NotEqual(file, client.Find("lost+found"));
                Assert.Equal(NfsException.Stale, Assert.Throws<NfsException>(() => client.Attributes(file)).Status);
            });
        }
    }
}
