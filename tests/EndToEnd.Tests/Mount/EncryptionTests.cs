using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Encrypted and sealed files on a live mount.</summary>
public class EncryptionTests
{
    [MountFact]
    public void An_encrypted_file_cannot_be_opened_and_its_neighbours_can()
    {
        using ImageCopy copy = Images.Copy("sample");
        copy.Debugfs("feature encrypt", "set_inode_field /README flags 0x80800");
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath);
        Assert.Equal(Errno.ENOKEY, Assert.Throws<PosixException>(() => Posix.Open($"{mount.MountPoint}/README").Dispose()).Error);
        Assert.StartsWith("Some say", File.ReadAllText($"{mount.MountPoint}/docs/poems/fire"));
    }

    [MountFact]
    public void A_sealed_file_without_its_tree_is_read_unless_it_is_to_be_verified()
    {
        using ImageCopy copy = Images.Copy("sample");
        copy.Debugfs("feature verity", "set_inode_field /README flags 0x180000");
        using (LiveMount mount = LiveMount.Foregrounded(copy.ImagePath))
            Assert.StartsWith("This is a file", File.ReadAllText($"{mount.MountPoint}/README"));
        using (LiveMount mount = LiveMount.Foregrounded(copy.ImagePath, "verity=verify"))
        {
            Assert.Throws<IOException>(() => File.ReadAllText($"{mount.MountPoint}/README"));
            Assert.StartsWith("Some say", File.ReadAllText($"{mount.MountPoint}/docs/poems/fire"));
        }
    }
}
