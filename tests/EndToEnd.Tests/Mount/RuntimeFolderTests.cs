using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Where supervisors of users without privileges are found, and by whom.</summary>
public class RuntimeFolderTests
{
    private static readonly string InTmp = $"/tmp/fuse4fs-{Nobody.Id}";

    [UnprivilegedMountFact]
    public void The_supervisor_of_a_user_is_found_by_him_and_by_root_whatever_their_environment()
    {
        using UnprivilegedStage stage = new();
        using var scratch = new ScratchFolder();
        string personal = scratch.Folder("runtime");
        Command.Run("chown", $"{Nobody.Id}", personal).OrThrow();
        Command.Run("chmod", "755", scratch.Path).OrThrow();
        Nobody.Run(stage.Program, "mount", stage.Image, stage.MountPoint).OrThrow();
        try
        {
            Assert.Contains("Serving", Nobody.Run(stage.Program, "status", stage.MountPoint).OrThrow().Output, StringComparison.Ordinal);
            Assert.Contains("Serving", Nobody.Run("env", "XDG_RUNTIME_DIR=" + personal, stage.Program, "status", stage.MountPoint).OrThrow().Output, StringComparison.Ordinal);
            Assert.Contains("Serving", FuseServer.Run("status", stage.MountPoint).OrThrow().Output, StringComparison.Ordinal);
        }
        finally
        {
            Nobody.Run(stage.Program, "umount", "--wait", stage.MountPoint).OrThrow();
        }
    }

    [UnprivilegedMountFact]
    public void A_folder_that_somebody_else_has_laid_out_is_not_used()
    {
        if (Directory.Exists($"/run/user/{Nobody.Id}"))
            return; // then nothing of his is in /tmp
        using UnprivilegedStage stage = new();
        using var scratch = new ScratchFolder();
        string trap = scratch.Folder("trap");
        Command.Run("chown", $"{Nobody.Id}", trap).OrThrow();
        Command.Run("chmod", "755", scratch.Path).OrThrow();
        if (Directory.Exists(InTmp))
            Directory.Delete(InTmp, recursive: true); // of earlier mounts
        File.CreateSymbolicLink(InTmp, trap);
        try
        {
            Nobody.Run(stage.Program, "mount", stage.Image, stage.MountPoint).OrThrow();
            Assert.Empty(Directory.EnumerateFileSystemEntries(trap));
            Assert.Equal("A file in the root.\n", Nobody.Run("cat", Path.Combine(stage.MountPoint, "hello.txt")).OrThrow().Output);
            Nobody.Run(stage.Program, "umount", stage.MountPoint).OrThrow();
        }
        finally
        {
            File.Delete(InTmp);
        }
    }
}
