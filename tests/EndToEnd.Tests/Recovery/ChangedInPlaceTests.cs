using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Another mount changes files that go on existing: once <c>resume</c> has returned, nothing former is visible anywhere.</summary>
public class ChangedInPlaceTests
{
    private static readonly string After = OwnText.Of("after");

    [OracleFact]
    public void A_rewritten_file_is_new_in_every_cache()
    {
        using Mounted mounted = Populated("own before > file");
        using OpenDescriptor file = Posix.Open(mounted.PathOf("file"));
        using FileMapping mapping = new(file, OwnText.Size);
        Assert.Equal(OwnText.Of("before"), OwnText.Text(file.Read(0, OwnText.Size)));
        Assert.Equal(OwnText.Of("before"), OwnText.Text(mapping.Touch(0, OwnText.Size)));
        Meanwhile(mounted, "own after > file; chmod 751 file");
        Assert.Equal(After, OwnText.Text(file.Read(0, OwnText.Size)));
        Assert.Equal(After, OwnText.Text(mapping.Touch(0, OwnText.Size)));
        Assert.Equal(After, mounted.Cat("file").OrThrow().Output);
        Assert.Equal(Convert.ToInt32("100751", 8), file.Status().Mode);
    }

    [OracleFact]
    public void A_rewritten_file_of_the_same_size_and_modification_time_is_new_in_every_cache()
    {
        using Mounted mounted = Populated("own before > file; own before > mapped");
        using OpenDescriptor file = Posix.Open(mounted.PathOf("file")), mapped = Posix.Open(mounted.PathOf("mapped"));
        using FileMapping mapping = new(mapped, OwnText.Size);
        _ = file.Read(0, OwnText.Size);
        _ = mapping.Touch(0, OwnText.Size);
        Meanwhile(mounted, "for name in file mapped; do touch -r $name ../stamp; own after > $name; touch -r ../stamp $name; done; rm ../stamp");
        Assert.Equal(After, OwnText.Text(file.Read(0, OwnText.Size)));
        Assert.Equal(After, OwnText.Text(mapping.Touch(0, OwnText.Size)));
    }

    [OracleFact("setfattr")]
    public void A_renamed_and_grown_file_goes_on_for_its_holder()
    {
        using Mounted mounted = Populated("mkdir folder; own before > file; setfattr -n user.tag -v before file");
        using OpenDescriptor file = Posix.Open(mounted.PathOf("file"));
        Assert.Equal("before", OwnText.Text(file.Attribute("user.tag")));
        _ = file.Read(0, OwnText.Size);
        Meanwhile(mounted, "mv file folder/moved; own after >> folder/moved; setfattr -n user.tag -v after folder/moved");
        Assert.Equal(2 * OwnText.Size, file.Status().Size);
        Assert.Equal(OwnText.Of("before") + After, OwnText.Text(file.Read(0, 3 * OwnText.Size)));
        Assert.Equal("after", OwnText.Text(file.Attribute("user.tag")));
        Assert.Contains("No such file", mounted.Cat("file").Errors, StringComparison.Ordinal);
        Assert.Equal(OwnText.Of("before") + After, mounted.Cat("folder/moved").OrThrow().Output);
    }

    [OracleFact]
    public void A_symbolic_link_changed_in_place_is_new_for_its_holder_and_by_its_path()
    {
        using Mounted mounted = Populated("ln -s steady link", BeyondDoubt("/link"));
        using OpenDescriptor link = Posix.OpenLink(mounted.PathOf("link"));
        Assert.Equal("steady", OwnText.Text(link.ReadLink()));
        Assert.Equal("steady", OwnText.Text(Posix.ReadLink(mounted.PathOf("link"))));
        mounted.Tell("pause", "--kill").OrThrow();
        mounted.Debugfs("sif /link block[0] 0x74636976", "sif /link block[1] 0x00006d69"); // "victim", as long as before
        mounted.Tell("resume").OrThrow();
        Assert.Equal("victim", OwnText.Text(link.ReadLink()));
        Assert.Equal("victim", OwnText.Text(Posix.ReadLink(mounted.PathOf("link"))));
    }

    [OracleFact("dd")]
    public void Bytes_changed_behind_the_inode_show_in_an_open_file_once_caches_are_dropped()
    {
        using Mounted mounted = Populated("own before > file", BeyondDoubt("/file"));
        long block = long.Parse(Command.Run("debugfs", "-R", "bmap /file 0", mounted.Image).OrThrow().Output.Trim(), System.Globalization.CultureInfo.InvariantCulture);
        using OpenDescriptor file = Posix.Open(mounted.PathOf("file"));
        using FileMapping mapping = new(file, 4096);
        string before = OwnText.Text(mapping.Touch(0, 4096)); // a page that is mapped stays in the cache whoever drops the machine's caches
        using var folder = new ScratchFolder();
        string bytes = Path.Combine(folder.Path, "bytes");
        File.WriteAllText(bytes, After[..4096]);
        Command.Run("dd", "if=" + bytes, "of=" + mounted.Image, "bs=4096", $"seek={block}", "conv=notrunc", "status=none").OrThrow();
        mounted.Tell("restart").OrThrow();
        Assert.Equal(before, OwnText.Text(file.Read(0, 4096))); // what docs/restart.md warns of; were it otherwise, the option would not be tested
        mounted.Tell("restart", "--drop-caches").OrThrow();
        Assert.Equal(After[..4096], OwnText.Text(file.Read(0, 4096)));
    }

    /// <summary>Commands for debugfs: the inode changed long ago, at a time with nanoseconds. So only its bytes can tell that it changes.</summary>
    internal static string[] BeyondDoubt(string path) => [$"sif {path} ctime 20200101", $"sif {path} ctime_extra 4"];

    private static Mounted Populated(string script, params string[] commands)
    {
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, OwnText.Function + script);
        if (commands.Length != 0)
            image.Debugfs(commands);
        return new Mounted(image);
    }

    private static void Meanwhile(Mounted mounted, string script)
    {
        mounted.Tell("pause", "--kill").OrThrow();
        _ = KernelWrites.Run(mounted.Image, OwnText.Function + script);
        mounted.Tell("resume").OrThrow();
    }
}
