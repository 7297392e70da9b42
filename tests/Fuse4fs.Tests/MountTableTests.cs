using Fuse4fs.Device;
using Xunit;

namespace Fuse4fs.Tests;

public class MountTableTests
{
    [Fact]
    public void A_line_is_taken_apart()
    {
        MountEntry entry = Assert.Single(MountTable.Parse("36 25 0:57 / /mnt/a\\040b ro,nosuid shared:7 master:2 - fuse.fuse4fs /img\\134x.img ro,user_id=0\n"));
        Assert.Equal(new MountEntry(36, 25, 0, 57, "/", "/mnt/a b", "ro,nosuid", "fuse.fuse4fs", "/img\\x.img", "ro,user_id=0"), entry);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n")]
    [InlineData("1 2 0:3 / /x rw\n")]
    [InlineData("1 2 0:3 / /x rw - \n")]
    public void Other_lines_are_passed_over(string text) => Assert.Empty(MountTable.Parse(text));

    [Fact]
    public void The_root_of_this_system_is_found() => Assert.NotNull(MountTable.Find("/"));
}
