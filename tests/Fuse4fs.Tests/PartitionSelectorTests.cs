using Fuse4fs.State;
using Fuse4fs.Supervisor;
using TestSupport;
using Xunit;

namespace Fuse4fs.Tests;

public sealed class PartitionSelectorTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    [Theory]
    [InlineData("disk.img", "disk.img", null)]
    [InlineData("disk.img@2", "disk.img", "2")]
    [InlineData("disk.img@a label", "disk.img", "a label")]
    [InlineData("disk.img@/boot", "disk.img", "/boot")]
    [InlineData("disk.img@a@b", "disk.img", "a@b")]
    [InlineData("disk.img@UUID=x", "disk.img", "UUID=x")]
    [InlineData("at@home.img@2", "at@home.img", "2")]
    [InlineData("disk.img@", "disk.img@", null)]
    [InlineData("missing.img@2", "missing.img@2", null)]
    [InlineData("folder@2", "folder@2", null)]
    [InlineData("folder@2/disk.img@2", "folder@2/disk.img", "2")]
    [InlineData("@2", "@2", null)]
    public void What_follows_an_at_sign_behind_a_file_is_a_selector(string text, string path, string? selector)
    {
        File.Create(Path.Combine(_folder.Path, "disk.img")).Dispose();
        File.Create(Path.Combine(_folder.Path, "at@home.img")).Dispose();
        File.Create(Path.Combine(_folder.Folder("folder@2"), "disk.img")).Dispose();
        _folder.Folder("folder");
        Assert.Equal((Path.Combine(_folder.Path, path), selector), ImageFile.SplitSelector(Path.Combine(_folder.Path, text)));
    }

    [Fact]
    public void A_file_of_that_very_name_goes_first()
    {
        File.Create(Path.Combine(_folder.Path, "disk.img")).Dispose();
        string named = Path.Combine(_folder.Path, "disk.img@2");
        File.Create(named).Dispose();
        Assert.Equal((named, null), ImageFile.SplitSelector(named));
        Assert.Equal((named, "3"), ImageFile.SplitSelector(named + "@3"));
    }

    [Fact]
    public void A_selector_longer_than_a_file_name_is_still_one()
    {
        string disk = Path.Combine(_folder.Path, "disk.img"), selector = new('x', 255);
        File.Create(disk).Dispose();
        Assert.Equal((disk, selector), ImageFile.SplitSelector($"{disk}@{selector}"));
    }

    [Fact]
    public void A_selector_reaches_the_worker_as_it_was_written()
    {
        Assert.True(ShortText.TryFrom("LABEL=Grüße 🌍", out ShortText text));
        using SessionState made = SessionState.Create(new ServeOptions { Partition = text });
        using SessionState? attached = SessionState.TryAttach(made.Descriptor.Duplicate(), out _);
        Assert.Equal("LABEL=Grüße 🌍", attached!.Options.Partition.ToString());
        Assert.Equal(made.Options, attached.Options);
    }

    public void Dispose() => _folder.Dispose();
}
