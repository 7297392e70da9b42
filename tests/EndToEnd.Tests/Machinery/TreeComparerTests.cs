using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Machinery;

/// <summary>The comparison itself: it must be silent about equals and see each kind of change.</summary>
public class TreeComparerTests
{
    [OracleTheory]
    [InlineData("ext4")]
    [InlineData("xattrs")]
    [InlineData("sparse")]
    [InlineData("hash-tea-signed")]
    public void Two_kernel_mounts_of_one_image_do_not_differ(string recipe)
    {
        using ImageCopy copy = Images.Copy(recipe);
        using KernelMount first = KernelMount.Of(Images.Get(recipe)), second = KernelMount.Of(copy.ImagePath);
        Tree tree = Tree.Read(first.MountPoint);
        Assert.True(tree.Records.Count > 5);
        Assert.Empty(TreeComparer.Differences(tree, Tree.Read(second.MountPoint)));
    }

    [OracleTheory]
    [InlineData("set_inode_field /hello.txt mode 0100640", "mode")]
    [InlineData("set_inode_field /hello.txt uid 5", "owner")]
    [InlineData("set_inode_field /hello.txt links_count 3", "links")]
    [InlineData("set_inode_field /hello.txt generation 3", "generation")]
    [InlineData("set_inode_field /hello.txt mtime_extra 4", "mtime")]
    [InlineData("set_inode_field /hello.txt atime_extra 4", "atime")]
    [InlineData("set_inode_field /hello.txt ctime_extra 4", "ctime")]
    [InlineData("set_inode_field /hello.txt crtime_extra 4", "btime")]
    [InlineData("set_inode_field /hello.txt flags 0x80080", "flags")]
    [InlineData("set_inode_field /hello.txt blocks 16", "blocks")]
    [InlineData("set_inode_field /hello.txt size 19", "size")]
    [InlineData("set_inode_field /hello.txt size 19", "contents")]
    [InlineData("ea_set /hello.txt user.new value", "xattrs")]
    [InlineData("fallocate /docs/size-0 4 6", "blocks")]
    [InlineData("punch /docs/size-65536 3 3", "data")]
    [InlineData("punch /docs/size-65536 3 3", "contents")]
    [InlineData("rm /dangling", "entries")]
    [InlineData("rm /dangling", "missing")]
    [InlineData("symlink /extra target", "should not be there")]
    [InlineData("set_super_value r_blocks_count 77", "statfs")]
    [InlineData("set_super_value volume_name other", "label")]
    public void A_changed_image_is_noticed(string change, string what)
    {
        using ImageCopy copy = Images.Copy("ext4");
        copy.Debugfs(change);
        using KernelMount before = KernelMount.Of(Images.Get("ext4")), after = KernelMount.Of(copy.ImagePath);
        Assert.Contains(
            TreeComparer.Differences(Tree.Read(before.MountPoint), Tree.Read(after.MountPoint)),
            difference => difference.Contains($": {what}", StringComparison.Ordinal));
    }
}
