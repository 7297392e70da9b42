using System.Text.Json;
using Ext4Reader;
using Handles;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Handles as NFS servers and open_by_handle_at(2) use them: they name a file for as long as it exists.</summary>
public class HandleTests
{
    private const int FuseHandle = 0x81; // FILEID_INO64_GEN
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void A_handle_is_made_of_inode_number_and_generation_alone()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        const uint Generation = 1234567890; // set by the recipe
        uint inode = (uint)Posix.Status(mount.PathOf("hello.txt")).Inode;
        PersistentHandle handle = PersistentHandle.Of(mount.PathOf("hello.txt"));
        Assert.Equal(FuseHandle, handle.Type);
        Assert.Equal([Generation, inode, Generation], handle.Words);
    }

    [MountTheory]
    [InlineData("docs", 4294967295)]
    [InlineData("docs/guide.txt", 2)]
    [InlineData("link", 2147483648)]
    public void Extreme_generations_survive(string path, long generation)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        uint inode = (uint)Posix.Status(mount.PathOf(path)).Inode;
        Assert.Equal([(uint)generation, inode, (uint)generation], PersistentHandle.Of(mount.PathOf(path)).Words);
    }

    [OracleTheory]
    [InlineData("hello.txt")]
    [InlineData("docs/guide.txt")]
    [InlineData("docs/size-1")] // of generation 0: ext4 has 0 in its handle, and we what stands in for it
    [InlineData("docs")]
    public void Handles_of_the_kernels_ext4_and_of_the_mount_are_one_anothers(string path)
    {
        using KernelMount kernel = KernelMount.Of(Image);
        using LiveMount mount = LiveMount.Foregrounded(Image);
        using Ext4Image image = Ext4Image.Open(Image);
        Assert.Equal(KernelHandleDefect.None, KernelFileHandle.Decode(PersistentHandle.Of(Path.Combine(kernel.MountPoint, path)).Bytes, out KernelFileHandle ext4));
        Assert.Equal(KernelHandleDefect.None, KernelFileHandle.Decode(PersistentHandle.Of(mount.PathOf(path)).Bytes, out KernelFileHandle fuse));
        Assert.Equal((KernelHandleType.Ext4, KernelHandleType.Fuse), (ext4.Type, fuse.Type));
        Assert.True(image.TryGetInode((uint)ext4.File.Node, out Inode inode));
        Assert.True(ext4.TryGetExt4(inode.Generation, inode.RawBirthTime, out FileHandle fromExt4));
        Assert.True(fuse.TryGetFuse(out FileHandle fromFuse));
        Assert.Equal(fromExt4, fromFuse);
        Assert.Equal(ext4, KernelFileHandle.OfExt4(fromFuse.Inode, inode.Generation));
        Assert.Equal(fuse, KernelFileHandle.OfFuse(fromExt4));
    }

    [MountFact]
    public void The_root_is_node_one()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Assert.Equal([0u, 1u], PersistentHandle.Of(mount.MountPoint).Words.Take(2));
    }

    [MountFact]
    public void A_file_without_a_generation_gets_one_from_its_birth_time()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        IReadOnlyList<uint> words = PersistentHandle.Of(mount.PathOf("docs/size-1")).Words;
        Assert.NotEqual(0u, words[0]);
        Assert.Equal(words[0], words[2]);
    }

    [MountFact]
    public void A_handle_opens_its_file_after_the_kernel_has_forgotten_it()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        PersistentHandle handle = PersistentHandle.Of(mount.PathOf("docs/guide.txt"));
        byte[] expected = File.ReadAllBytes(mount.PathOf("docs/guide.txt"));
        MachineCaches.Drop();
        using OpenDescriptor file = handle.Open(mount.MountPoint);
        Assert.Equal(expected, file.Read(0, 10000));
    }

    [MountFact]
    public void A_handle_of_a_directory_opens_it_with_its_parents()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        PersistentHandle handle = PersistentHandle.Of(mount.PathOf("docs/deep/deeper"));
        MachineCaches.Drop();
        using OpenDescriptor folder = handle.Open(mount.MountPoint);
        Assert.Equal(mount.PathOf("docs/deep/deeper"), new FileInfo($"/proc/self/fd/{folder.Number}").LinkTarget);
        Assert.Contains(folder.List(), entry => entry.Name == "note");
    }

    [MountTheory]
    [InlineData("ext2")]
    [InlineData("ext3")]
    [InlineData("ext4")]
    [InlineData("inode-128")]
    public void Handles_survive_a_new_mount(string recipe)
    {
        string[] paths = ["hello.txt", "docs", "docs/guide.txt", "docs/deep/deeper/note", "docs/size-300001"];
        Dictionary<string, PersistentHandle> handles;
        using (LiveMount mount = LiveMount.Foregrounded(Images.Get(recipe)))
            handles = paths.ToDictionary(path => path, path => PersistentHandle.Of(mount.PathOf(path)));
        using LiveMount again = LiveMount.Foregrounded(Images.Get(recipe));
        foreach ((string path, PersistentHandle handle) in handles)
        {
            // By handle first: nothing has looked the name up yet on this mount.
            using OpenDescriptor opened = handle.Open(again.MountPoint);
            FileStatus byHandle = opened.Status();
            Assert.Equal(Posix.Status(again.PathOf(path)), byHandle);
            Assert.Equal(handle.Words, PersistentHandle.Of(again.PathOf(path)).Words);
        }
    }

    [MountTheory]
    [InlineData("docs/guide.txt")]
    [InlineData("docs/size-1")] // of generation 0
    [InlineData("docs/deep/deeper")]
    public void A_handle_opens_its_file_by_another_worker_after_the_kernel_has_forgotten_it(string path)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Recovery.Mounted.AwaitSupervisor(mount);
        PersistentHandle handle = PersistentHandle.Of(mount.PathOf(path));
        int first = mount.Worker;
        FuseServer.Signal(first, 9);
        Deadline.In(20).WaitUntil(() => Recovery.Mounted.Ask(mount) is JsonElement status && status.GetProperty("worker").GetInt32() is var worker && worker != 0 && worker != first, "another worker");
        MachineCaches.Drop();
        using OpenDescriptor opened = handle.Open(mount.MountPoint);
        Assert.Equal(Posix.Status(mount.PathOf(path)), opened.Status());
        FuseServer.Run("restart", mount.MountPoint).OrThrow();
        MachineCaches.Drop();
        using OpenDescriptor again = handle.Open(mount.MountPoint);
        Assert.Equal(opened.Status(), again.Status());
    }

    [OracleFact]
    public void A_handle_of_a_recycled_inode_is_stale_on_the_next_mount()
    {
        using ImageCopy image = Images.Copy("room");
        string inode = KernelWrites.Run(image.ImagePath, "echo old > victim; echo steady > steady; stat -c %i victim").Trim();
        PersistentHandle handle, steady;
        using (LiveMount mount = LiveMount.Foregrounded(image.ImagePath))
            (handle, steady) = (PersistentHandle.Of(mount.PathOf("victim")), PersistentHandle.Of(mount.PathOf("steady")));
        KernelWrites.Run(image.ImagePath, $"rm victim; sync; echo new > victim; [ $(stat -c %i victim) = {inode} ]");
        AssertOnlySteadyOpens(image.ImagePath, handle, steady);
    }

    [MountFact("debugfs")]
    public void A_handle_of_a_recycled_inode_without_generation_is_stale_on_the_next_mount()
    {
        using ImageCopy image = Images.Copy("sample");
        PersistentHandle handle, steady;
        using (LiveMount mount = LiveMount.Foregrounded(image.ImagePath))
            (handle, steady) = (PersistentHandle.Of(mount.PathOf("big")), PersistentHandle.Of(mount.PathOf("README")));
        using var folder = new ScratchFolder();
        string source = Path.Combine(folder.Path, "source");
        File.WriteAllText(source, "another");
        image.Debugfs("rm /big", $"write {source} victim", "sif /victim crtime 20300101");
        AssertOnlySteadyOpens(image.ImagePath, handle, steady);
    }

    [MountFact]
    public void A_handle_with_another_generation_is_stale()
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        PersistentHandle handle = PersistentHandle.Of(mount.PathOf("hello.txt"));
        PersistentHandle other = handle with { Words = [handle.Words[0] + 1, handle.Words[1], handle.Words[2] + 1] };
        PosixException e = Assert.Throws<PosixException>(() => other.Open(mount.MountPoint).Dispose());
        Assert.Equal(Mono.Unix.Native.Errno.ESTALE, e.Error);
    }

    [MountTheory]
    [InlineData(4000)]       // free
    [InlineData(1)]          // reserved: bad blocks
    [InlineData(8)]          // reserved: the journal
    [InlineData(4000000000)] // beyond the end
    public void A_handle_of_an_inode_that_is_no_file_is_stale(long inode)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        PersistentHandle handle = new(FuseHandle, [7, (uint)inode, 7]);
        PosixException e = Assert.Throws<PosixException>(() => handle.Open(mount.MountPoint).Dispose());
        Assert.Equal(Mono.Unix.Native.Errno.ESTALE, e.Error);
    }

    // Before anybody has looked the new file up, and after; with the kernel's caches full and empty.
    private static void AssertOnlySteadyOpens(string image, PersistentHandle stale, PersistentHandle steady)
    {
        using LiveMount mount = LiveMount.Foregrounded(image);
        for (int round = 0; round < 3; round++)
        {
            PosixException e = Assert.Throws<PosixException>(() => stale.Open(mount.MountPoint).Dispose());
            Assert.Equal(Mono.Unix.Native.Errno.ESTALE, e.Error);
            steady.Open(mount.MountPoint).Dispose();
            Assert.Equal(stale.Words[1], (uint)Posix.Status(mount.PathOf("victim")).Inode);
            if (round == 1)
                MachineCaches.Drop();
        }
    }
}
