using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>
/// Handles for the kernel, on kernels that know nothing of them: this one may be asked, and is not lied to. (On kernels with the patches: tests/kernel.)
/// </summary>
public class LookupHandleTests
{
    private static readonly string Image = Images.Get("ext4");

    [MountTheory]
    [InlineData("--lookup-handle=v2", "second")]
    [InlineData("--lookup-handle=v3", "third")]
    [InlineData("-olookup_handle=v2", "second")]
    public void A_kernel_without_it_is_not_mounted_on(string option, string version)
    {
        using ScratchFolder folder = new();
        string target = folder.Folder("mount");
        CommandResult result = Command.Run(FuseServer.Path, "mount", Image, target, option);
        Assert.Equal(32, result.ExitCode);
        Assert.Contains($"shows no sign of LOOKUP_HANDLE's {version} version", result.Errors);
        Assert.Null(MountTable.Find(target));
    }

    [MountTheory]
    [InlineData("lookup_handle=auto")]
    [InlineData("lookup_handle=off")]
    public void What_the_kernel_does_not_offer_is_not_used(string option)
    {
        using LiveMount plain = LiveMount.Foregrounded(Image);
        using LiveMount mount = LiveMount.Foregrounded(Image, option);
        Assert.Contains("\"lookupHandle\":\"Stock\"", Command.Run(FuseServer.Path, "status", "--json", mount.MountPoint).OrThrow().Output);
        Assert.Equal(Tree.Read(plain.MountPoint).Records.Keys, Tree.Read(mount.MountPoint).Records.Keys);
    }
}
