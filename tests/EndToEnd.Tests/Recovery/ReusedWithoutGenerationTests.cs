using System.Text;
using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// Files that mke2fs -d or debugfs made have generation 0, and so has what debugfs makes of their inodes: only the time of birth tells them apart.
/// </summary>
public class ReusedWithoutGenerationTests
{
    private static readonly byte[] Foreign = Encoding.Latin1.GetBytes(OwnText.Of("foreign"));

    [MountFact("debugfs")]
    public void Holders_get_an_error_and_the_paths_reach_the_new_files()
    {
        using var mounted = new Mounted();
        using OpenDescriptor cold = Posix.Open(mounted.PathOf("big")), warm = Posix.Open(mounted.PathOf("big")), moved = Posix.Open(mounted.PathOf("README"));
        using FileMapping mapping = new(warm, 1 << 20);
        _ = warm.Read(0, 1 << 20);
        _ = mapping.Touch(0, 4096);
        _ = moved.Read(0, 100);
        PersistentHandle handle = PersistentHandle.Of(mounted.PathOf("big"));
        ulong big = cold.Status().Inode, readme = moved.Status().Inode;
        Assert.Throws<PosixException>(() => Posix.Status(mounted.PathOf("elsewhere"))); // the absence is cached

        mounted.Tell("pause", "--kill").OrThrow();
        using var folder = new ScratchFolder();
        string source = Path.Combine(folder.Path, "source");
        File.WriteAllBytes(source, Foreign);
        // The time is set, for within one second births cannot be told apart.
        mounted.Debugfs(
            "rm /big", $"write {source} big", "sif /big crtime 20300101",
            "rm /README", $"write {source} elsewhere", "sif /elsewhere crtime 20300101");
        foreach (string path in (string[])["/big", "/elsewhere"])
            Assert.Contains("Generation: 0 ", Command.Run("debugfs", "-R", "stat " + path, mounted.Image).OrThrow().Output, StringComparison.Ordinal);
        mounted.Tell("resume").OrThrow();

        // Before anybody looks at a name, and after.
        for (int round = 0; round < 2; round++)
        {
            Errors.Stale(() => cold.Read(0, 100));
            Errors.Stale(() => warm.Read(0, 100));
            Errors.Stale(() => warm.Read(900_000, 100)); // beyond the new one's end
            Errors.Stale(() => moved.Read(0, 100));
            Errors.Stale(() => moved.Status());
            Errors.Are(Errno.EFAULT, () => mapping.Touch(0, 100));
            Errors.Stale(() => handle.Open(mounted.MountPoint).Dispose());
            foreach ((string name, ulong number) in ((string, ulong)[])[("big", big), ("elsewhere", readme)])
            {
                using OpenDescriptor found = Posix.Open(mounted.PathOf(name));
                Assert.Equal(number, found.Status().Inode);
                Assert.Equal(Foreign, found.Read(0, OwnText.Size + 1));
            }
            Assert.Contains("No such file", mounted.Cat("README").Errors, StringComparison.Ordinal);
        }
    }

    [MountFact("debugfs")]
    public void A_file_whose_number_is_a_directorys_now_is_stale_and_so_is_the_reverse()
    {
        using var mounted = new Mounted();
        mounted.Tell("pause", "--kill").OrThrow();
        mounted.Debugfs("mkdir /folder");
        mounted.Tell("resume").OrThrow();
        using OpenDescriptor file = Posix.Open(mounted.PathOf("big")), folder = Posix.Open(mounted.PathOf("folder"));
        ulong inode = file.Status().Inode;
        _ = file.Read(0, 100);
        Assert.Equal(2, folder.List().Count);
        mounted.Tell("pause", "--kill").OrThrow();
        mounted.Debugfs("rm /big", "mkdir /new-folder", "sif /new-folder crtime 20300101", "rmdir /folder");
        mounted.Tell("resume").OrThrow();
        Assert.Equal(inode, Posix.Status(mounted.PathOf("new-folder")).Inode);
        Errors.Stale(() => file.Read(0, 100));
        Errors.Stale(() => file.Status());
        folder.Seek(0, 0);
        Errors.Stale(() => folder.List());
    }
}
