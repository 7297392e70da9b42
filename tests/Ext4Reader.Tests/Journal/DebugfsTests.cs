using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

/// <summary>Journals that debugfs wrote, and e2fsck as a second opinion on what is in them.</summary>
public sealed class DebugfsTests : IDisposable
{
    private const string Path = "/sizes/4096";

    private readonly string _image = System.IO.Path.GetTempFileName();
    private readonly string _content = System.IO.Path.GetTempFileName();
    private readonly string _commands = System.IO.Path.GetTempFileName();

    public void Dispose()
    {
        File.Delete(_image);
        File.Delete(_content);
        File.Delete(_commands);
    }

    [Theory]
    [InlineData("-O ^metadata_csum", "jo")]
    [InlineData("-O ^metadata_csum,^64bit", "jo")]
    [InlineData("-O metadata_csum", "jo -c -v 2")]
    [InlineData("-O metadata_csum", "jo -c -v 3")]
    [InlineData("-O metadata_csum,^64bit", "jo -c -v 3")]
    public void What_debugfs_wrote_is_what_e2fsck_replays(string features, string open)
    {
        Write(features, open, (block, file) => [$"jw -b {block},{block + 2} {file}", $"jw -r {block + 2}"]);
        byte[] ours = Read();
        Assert.Equal((byte)0xc0, ours[0]);
        Assert.Equal(Replayed(), ours);
    }

    [Fact]
    public void What_debugfs_did_not_commit_is_ignored()
    {
        Write("-O ^metadata_csum", "jo", (block, file) => [$"jw -b {block + 1} {file}", $"jw -c -b {block} {file}"]);
        byte[] ours = Read();
        Assert.Equal((byte)0xc0, ours[1024]);
        Assert.NotEqual((byte)0xc0, ours[0]);
    }

    [Fact]
    public void No_byte_of_the_image_changes()
    {
        Write("-O metadata_csum", "jo -c -v 3", (block, file) => [$"jw -b {block} {file}"]);
        byte[] before = File.ReadAllBytes(_image);
        _ = Read();
        Assert.Equal(before, File.ReadAllBytes(_image));
    }

    private void Write(string features, string open, Func<ulong, string, string[]> transactions)
    {
        var recipe = new ImageRecipe($"-t ext4 -b 1024 -I 256 -N 1024 -J size=1 {features}", SourceTree.Standard, Mebibytes: 16);
        File.Copy(BuiltImage.PathOf(recipe), _image, overwrite: true);
        using (var damaged = new DamagedImage(recipe))
        {
            // Blocks that look like the journal's own, so that they must be escaped.
            File.WriteAllBytes(_content, [0xc0, 0x3b, 0x39, 0x98, .. JournaledImage.Filled('a')[4..], 0xc0, 0x3b, 0x39, 0x98, .. JournaledImage.Filled('b')[4..]]);
            ulong block = (ulong)damaged.BlockAt(Path, 0) / 1024;
            File.WriteAllLines(_commands, [open, .. transactions(block, _content), "jc"]);
        }

        BuiltImage.Run("debugfs", "-w", "-f", _commands, _image);
    }

    private byte[] Read()
    {
        using Ext4Image image = Ext4Image.Open(_image);
        return image.Content(Path);
    }

    private byte[] Replayed()
    {
        BuiltImage.Run("e2fsck", "-fy", "-E", "journal_only", _image);
        using Ext4Image image = Ext4Image.Open(_image, new Ext4OpenOptions { NoRecovery = true });
        Assert.False(image.Volume.NeedsRecovery);
        return image.Content(Path);
    }
}
