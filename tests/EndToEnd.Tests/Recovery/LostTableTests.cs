using System.Globalization;
using EndToEnd.Tests.Hostile;
using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// The table of known inodes has no room, or too little: nobody knows any more what the kernel has cached. Then all that is in use on the image is invalidated, and
/// of what is gone a holder may have its own former pages, but never another file's bytes.
/// </summary>
public class LostTableTests
{
    private const string Large = "docs/size-300001";
    private const string NoTable = "0";
    private const string SmallTable = "65536"; // 4096 inodes
    private static readonly string Foreign = OwnText.Of("foreign");

    [OracleFact("setfattr")]
    public void What_was_recycled_is_its_own_former_self_or_an_error()
    {
        using RecycledScene scene = WithTable(NoTable, () => new RecycledScene());
        Assert.True(Overflowed(scene.Mounted));
        foreach ((OpenDescriptor held, string name) in new[]
        {
            (scene.Cold, "cold"), (scene.Warm, "warm"), (scene.Turncoat, "turncoat"), (scene.Freed, "freed"), (scene.OpenedByHandle, "same"),
        })
        {
            IsOwnOrAnError(name, () => held.Read(0, OwnText.Size));
            Errors.Stale(() => _ = held.Seek(0, 4)); // SEEK_HOLE: the server is asked
        }
        IsOwnOrAnError("mapped", () => scene.Mapping.Touch(0, OwnText.Size));
        Assert.DoesNotContain("foreign", Mounted.End(scene.Waiter).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", Mounted.Read(scene.Toucher).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", Mounted.Read(scene.InFolder).Output, StringComparison.Ordinal);
        IsOwnOrAnError("handled", () =>
        {
            using OpenDescriptor opened = scene.Handle.Open(scene.Mounted.MountPoint); // the kernel has the former inode yet
            return opened.Read(0, OwnText.Size);
        });
        Errors.Stale(() => scene.Tagged.Attribute("user.owner"));
        // What is there now is found by its path, and what nobody touched goes on.
        Assert.Equal(Foreign, scene.Mounted.Cat("same").OrThrow().Output);
        Assert.Equal(Foreign, scene.Mounted.Cat("new-cold").OrThrow().Output);
        Assert.Contains("No such file", scene.Mounted.Cat("cold").Errors, StringComparison.Ordinal);
        Assert.Equal("elsewhere", OwnText.Text(Posix.ReadLink(scene.Mounted.PathOf("link"))));
        Assert.Equal(OwnText.Of("steady"), OwnText.Text(scene.Steady.Read(0, OwnText.Size)));
        Assert.Equal("steady", Mounted.Read(scene.InRoot).OrThrow().Output);
    }

    [OracleFact]
    public void Files_that_found_no_place_in_the_table_are_new_in_every_cache()
    {
        const int Others = 6000, Late = 20; // of those that come late hardly one finds a place
        using ScratchFolder folder = new();
        string image = Path.Combine(folder.Path, "many.img");
        Command.Run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-N", "8192", image, "64M").OrThrow();
        _ = KernelWrites.Run(image, string.Create(CultureInfo.InvariantCulture,
            $"{OwnText.Function} mkdir others late; cd others; seq {Others} | xargs touch; cd ../late; for name in $(seq {Late}); do own before > $name; done"));
        using Mounted mounted = WithTable(SmallTable, () => new Mounted(Images.CopyOf(image)));
        Assert.Equal(Others, Directory.GetFiles(mounted.PathOf("others")).Length);
        OpenDescriptor[] late = [.. Enumerable.Range(1, Late).Select(number => Posix.Open(mounted.PathOf($"late/{number}")))];
        FileMapping[] mappings = [.. late.Select(file => new FileMapping(file, OwnText.Size))];
        try
        {
            Assert.All(mappings, mapping => mapping.Touch(0, OwnText.Size));
            Assert.True(Overflowed(mounted));
            mounted.Tell("pause", "--kill").OrThrow();
            _ = KernelWrites.Run(mounted.Image, OwnText.Function +
                "cd late; for name in *; do touch -r $name ../stamp; own after > $name; touch -r ../stamp $name; done; rm ../stamp");
            mounted.Tell("resume").OrThrow();
            Assert.All(late, file => Assert.Equal(OwnText.Of("after"), OwnText.Text(file.Read(0, OwnText.Size))));
            Assert.All(mappings, mapping => Assert.Equal(OwnText.Of("after"), OwnText.Text(mapping.Touch(0, OwnText.Size))));
            Assert.InRange(mounted.Status.GetProperty("lastPass").GetProperty("known").GetInt32(), 3000, 4096);
        }
        finally
        {
            foreach (IDisposable held in (IDisposable[])[.. mappings, .. late])
                held.Dispose();
        }
    }

    [MountFact("debugfs")]
    public void Parts_of_the_inode_table_that_cannot_be_read_do_not_end_the_pass()
    {
        string image = Images.Get("ext4");
        using BadDisk disk = new(image);
        using LiveMount mount = WithTable(NoTable, () => LiveMount.Foregrounded(disk.ImagePath));
        Mounted.AwaitSupervisor(mount);
        Assert.NotEmpty(File.ReadAllBytes(mount.PathOf(Large)));
        disk.Fail(InodeBlock(image, Large) * 4096, 4096);
        FuseServer.Run("pause", mount.MountPoint).OrThrow();
        MachineCaches.Drop(); // the disk is asked again
        CommandResult restart = FuseServer.Run("restart", mount.MountPoint, "--drop-caches", "--json").OrThrow();
        Assert.Contains("\"current\":true", restart.Output, StringComparison.Ordinal);
        Assert.Contains("\"deaths\":0", restart.Output, StringComparison.Ordinal);
        Assert.Equal(Errno.EIO, Assert.Throws<PosixException>(() => Posix.Open(mount.PathOf(Large)).Dispose()).Error);
        Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt")));
    }

    [MountFact("debugfs")]
    public void Requests_are_answered_while_all_that_is_in_use_is_invalidated()
    {
        string image = Images.Get("ext4");
        using BadDisk disk = new(image);
        using LiveMount mount = WithTable(NoTable, () => LiveMount.Foregrounded(disk.ImagePath));
        Mounted.AwaitSupervisor(mount);
        _ = File.ReadAllText(mount.PathOf("hello.txt"));
        disk.Stall(InodeBlock(image, Large) * 4096, 4096);
        FuseServer.Run("pause", mount.MountPoint).OrThrow();
        MachineCaches.Drop();
        using System.Diagnostics.Process restart = Command.Start(FuseServer.Environment, FuseServer.Path, "restart", mount.MountPoint, "--drop-caches");
        try
        {
            Deadline.In(20).WaitUntil(() => disk.Waiting >= 1, "the walk over the inodes waits for the disk");
            Deadline.In(20).Run(() => Assert.Equal("A file in the root.\n", File.ReadAllText(mount.PathOf("hello.txt"))), "a request meanwhile");
            Assert.False(Mounted.Ask(mount)!.Value.GetProperty("current").GetBoolean());
            Assert.False(restart.HasExited);
        }
        finally
        {
            disk.Release();
        }
        Assert.True(restart.WaitForExit(20_000));
        Assert.True(Mounted.Ask(mount)!.Value.GetProperty("current").GetBoolean());
    }

    // debugfs names the block of the inode table that has a file's inode: "... located at block N, offset ...".
    private static long InodeBlock(string image, string file)
    {
        string place = Command.Run("debugfs", "-R", "imap /" + file, image).OrThrow().Output;
        return long.Parse(place.Split("located at block ")[1].Split(',')[0], CultureInfo.InvariantCulture);
    }

    private static T WithTable<T>(string bytes, Func<T> mount) => Mounted.Switched("FUSE4FS_TEST_TABLE_BYTES", bytes, mount);

    private static bool Overflowed(Mounted mounted) => mounted.Status.GetProperty("lastPass").GetProperty("overflowed").GetBoolean();

    private static void IsOwnOrAnError(string name, Func<byte[]> read)
    {
        try
        {
            Assert.Equal(OwnText.Of(name), OwnText.Text(read()));
        }
        catch (PosixException e)
        {
            Assert.Contains(e.Error, (Errno[])[Errno.ESTALE, Errno.EIO, Errno.EFAULT]);
        }
    }
}
