using EndToEnd.Tests.Recovery;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>Inodes are freed by e2fsck and used again by another mount: whoever has the old file's NFS handle is told that it is stale, and nothing else.</summary>
public class RecycledTests
{
    private static readonly string[] Files = ["cold", "warm", "waited", "mapped", "handled", "tagged", "turncoat", "same"];
    private static readonly string[] Folders = ["folder", "flat"];

    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_recycled_handle_is_stale_and_all_others_go_on(int version)
    {
        Dictionary<string, byte[]> handles = [];
        Exported? exported = null;
        RecycledScene? scene = null;
        try
        {
            scene = new RecycledScene(mounted =>
            {
                exported = new Exported(mounted);
                exported.With(version, Hold);
            });
            exported!.With(version, Check);
            exported.RestartServer();
            exported.With(version, Check);
            exported.RestartServer(() =>
            {
                scene.LetGo();
                scene.Mounted.Remount();
            });
            exported.With(version, Check);
        }
        finally
        {
            exported?.Dispose();
            scene?.Dispose();
        }

        void Hold(NfsClient client)
        {
            foreach (string path in (string[])[.. RecycledScene.Victims, "freed", "steady", "folder/inside"])
                handles[path] = client.Find(path);
            Assert.Equal(OwnText.Of("warm"), client.ReadAll(handles["warm"])); // of this one the server has a descriptor
        }

        void Check(NfsClient client)
        {
            Assert.All(RecycledScene.Victims.Append("freed"), name => Stale(() => client.Attributes(handles[name])));
            Assert.All(Files.Append("freed"), name => Stale(() => client.Read(handles[name], 0, 100)));
            Assert.All(Files.Append("freed"), name => Stale(() => client.Read(handles[name], 150_000, 100)));
            Assert.All(Folders, name => Stale(() => client.List(handles[name], NfsListing.Start)));
            Assert.Equal(OwnText.Of("steady"), client.ReadAll(handles["steady"]));
            Assert.Equal(OwnText.Of("inside"), client.ReadAll(handles["folder/inside"])); // in lost+found now
            Assert.Equal(OwnText.Of("foreign"), client.ReadAll(client.Find("same")));
            Assert.Equal(OwnText.Of("foreign"), client.ReadAll(client.Find("new-cold")));
            Assert.Equal(OwnText.Of("foreign"), client.ReadAll(client.Find("folder/inside")));
            Assert.Equal(NfsException.NotFound, Assert.Throws<NfsException>(() => client.Find("cold")).Status);
        }
    }

    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_directory_that_has_lost_names_to_e2fsck_is_listed_without_them(int version)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, $"{OwnText.Function} mkdir folder; own lost > folder/lost; own kept > folder/kept");
        using var mounted = new Mounted(image);
        using var exported = new Exported(mounted);
        exported.With(version, client =>
        {
            byte[] folder = client.Find("folder"), lost = client.Find("folder/lost");
            Assert.Equal(["kept", "lost"], client.ListAll(folder).Order(StringComparer.Ordinal));
            string before = Convert.ToHexString(client.Attributes(folder));
            mounted.Tell("restart", "--exec", "debugfs -w -R 'clri /folder/lost' $IMAGE; e2fsck -fy $IMAGE; [ $? -le 2 ]").OrThrow();
            Assert.Equal(before, Convert.ToHexString(client.Attributes(folder))); // e2fsck leaves its times alone, so nobody is told
            Stale(() => client.Attributes(lost));
            Stale(() => client.Read(lost, 0, 100));
            Assert.Equal(["kept"], client.ListAll(folder));
            Assert.Equal(NfsException.NotFound, Assert.Throws<NfsException>(() => client.Find("folder/lost")).Status);
            Assert.Equal(OwnText.Of("kept"), client.ReadAll(client.Find("folder/kept")));
        });
    }

    private static void Stale(Func<object> action) => Assert.Equal(NfsException.Stale, Assert.Throws<NfsException>(action).Status);
}
