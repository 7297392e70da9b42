using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
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
    public void A_long_encrypted_name_is_shown_and_found_by_what_is_shown()
    {
        using ImageCopy copy = Images.Copy("sample");
        string stored = new('x', 200); // above 149 bytes a name is shown by a digest of its end, which a contained worker must still be able to make
        copy.Debugfs($"mkdir /locked", $"write {Images.Get("sample")} /locked/{stored}", "feature encrypt", "set_inode_field /locked flags 0x80800");
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath);
        string shown = Path.GetFileName(Assert.Single(Directory.GetFiles($"{mount.MountPoint}/locked")));
        Assert.NotEqual(stored, shown);
        Assert.Equal(new FileInfo(Images.Get("sample")).Length, new FileInfo($"{mount.MountPoint}/locked/{shown}").Length);
    }

    [MountTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_sealed_file_is_read_and_a_changed_byte_is_not(bool change)
    {
        const int TreeStart = 65536, Block = 4096;
        byte[] content = Encoding.UTF8.GetBytes("sealed with care");
        var file = new byte[TreeStart + Block];
        content.CopyTo(file, 0);
        // One block needs no tree: its hash is the root's. The descriptor follows where the tree would, its length ends the last block.
        Span<byte> descriptor = file.AsSpan(TreeStart, 256);
        (descriptor[0], descriptor[1], descriptor[2]) = (1, 1, 12);
        BinaryPrimitives.WriteInt64LittleEndian(descriptor[8..], content.Length);
        SHA256.HashData(file.AsSpan(0, Block), descriptor[16..]);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(TreeStart + Block - 4), descriptor.Length);
        if (change)
            file[3] ^= 1;
        using var folder = new ScratchFolder();
        string source = Path.Combine(folder.Path, "sealed");
        File.WriteAllBytes(source, file);
        using ImageCopy copy = Images.Copy("sample");
        copy.Debugfs($"write {source} /sealed", "feature verity", $"set_inode_field /sealed size {content.Length}", "set_inode_field /sealed flags 0x180000");
        using LiveMount mount = LiveMount.Foregrounded(copy.ImagePath, "verity=verify");
        if (change)
            Assert.Contains("Input/output error", Command.Run("cat", $"{mount.MountPoint}/sealed").Errors, StringComparison.Ordinal);
        else
            Assert.Equal(content, File.ReadAllBytes($"{mount.MountPoint}/sealed"));
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
