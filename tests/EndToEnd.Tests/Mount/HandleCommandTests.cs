using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary><c>fuse4fs handle</c> and <c>fuse4fs resolve</c>, on images and on mounts.</summary>
public class HandleCommandTests
{
    private const string TwoLinks = " (links: 2; the first is shown)"; // as hello.txt has
    private static readonly string Image = Images.Get("ext4");

    [MountTheory]
    [InlineData("hello.txt")]
    [InlineData("docs")]
    [InlineData("docs/guide.txt")]
    [InlineData("docs/deep/deeper/note")]
    [InlineData("docs/size-1")] // of generation 0
    [InlineData("link")]
    [InlineData("")]
    public void Image_and_mount_agree_on_a_handle_and_on_what_it_names(string path)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        string[] onMount = Handle(mount.PathOf(path)), inImage = Handle($"{Image}:/{path}");
        Assert.Equal(onMount[..2], inImage[..2]);
        Assert.Equal(32, onMount[0].Length);
        foreach (string place in (string[])[mount.MountPoint, Image])
            foreach (string form in onMount[..2])
                Assert.Equal($"{onMount[1]} /{path}", FuseServer.Run("resolve", place, form).OrThrow().Output.TrimEnd('\n').Replace(TwoLinks, "", StringComparison.Ordinal));
    }

    [OracleTheory]
    [InlineData("hello.txt")]
    [InlineData("docs")]
    [InlineData("docs/size-1")] // of generation 0, which is what the kernel's ext4 has in its handle
    [InlineData("")]
    public void What_the_kernel_has_for_a_handle_is_shown_and_resolved(string path)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        string fuse = TextOf(PersistentHandle.Of(mount.PathOf(path))), ext4;
        using (KernelMount kernel = KernelMount.Of(Image))
            ext4 = TextOf(PersistentHandle.Of(Path.Combine(kernel.MountPoint, path)));
        JsonElement onMount = HandleJson(mount.PathOf(path)), inImage = HandleJson($"{Image}:{path}");
        Assert.Equal((fuse, fuse, ext4), (Word(onMount, "fuse"), Word(inImage, "fuse"), Word(inImage, "ext4")));
        Assert.Equal(JsonValueKind.Null, onMount.GetProperty("ext4").ValueKind);
        foreach (string form in (string[])[fuse, ext4])
            Assert.Equal("/" + path, Resolve(Image, form).GetProperty("path").GetString());
    }

    [MountTheory]
    [InlineData("@3", null)]
    [InlineData("", "offset=42M")]
    public void A_mount_of_a_part_of_a_disk_resolves_in_that_part(string selector, string? option)
    {
        const int Mebibyte = DiskImage.Mebibyte;
        using var disk = new DiskImage(80 * Mebibyte);
        const ulong Sectors = Mebibyte / 512;
        disk.Gpt(new GptEntry(Sectors, (40 * Sectors) - 1), new GptEntry(40 * Sectors, (42 * Sectors) - 1), new GptEntry(42 * Sectors, (78 * Sectors) - 1));
        disk.Insert(42 * Mebibyte, Image);
        using LiveMount mount = LiveMount.Foregrounded(disk.ImagePath + selector, option);
        string[] handle = Handle(mount.PathOf("docs/guide.txt"));
        Assert.Equal(handle[..2], Handle($"{disk.ImagePath}@3:docs/guide.txt")[..2]);
        foreach (string place in (string[])[mount.MountPoint, disk.ImagePath + "@3"])
            Assert.Equal($"{handle[1]} /docs/guide.txt\n", FuseServer.Run("resolve", place, handle[0]).OrThrow().Output);
        foreach (string choice in (string[])["offset=42M", "uid=1,partition=3"])
        {
            Assert.Equal(handle[..2], Handle(disk.ImagePath + ":docs/guide.txt", "-o", choice)[..2]);
            Assert.Equal($"{handle[1]} /docs/guide.txt\n", FuseServer.Run("resolve", disk.ImagePath, handle[0], "-o", choice).OrThrow().Output);
        }
        Refused(1, "exclude each other", "resolve", disk.ImagePath + "@3", handle[0], "-o", "offset=42M");
        Refused(1, "exclude each other", "handle", disk.ImagePath + "@3:docs", "-o", "partition=3");
        Refused(1, "unknown mount option 'nonsense'", "resolve", disk.ImagePath, handle[0], "-o", "nonsense");
        Refused(1, "options are for images that are not mounted", "resolve", mount.MountPoint, handle[0], "-o", "offset=42M");
        Refused(1, "options are for images that are not mounted", "handle", mount.PathOf("docs"), "-o", "offset=42M");
    }

    [UnprivilegedMountFact]
    public void Images_need_no_privilege()
    {
        using ImageCopy image = Images.Copy("ext4");
        CommandResult said = Nobody.Run(FuseServer.Path, "handle", $"{image.ImagePath}:docs/guide.txt").OrThrow();
        Assert.Equal("/docs/guide.txt", Nobody.Run(FuseServer.Path, "resolve", image.ImagePath, said.Output.Split(' ')[0]).OrThrow().Output.Trim().Split(' ')[1]);
    }

    [OracleFact]
    public void A_freed_and_a_reused_inode_are_stale_and_it_is_said_why()
    {
        using ImageCopy image = Images.Copy("room");
        string inode = KernelWrites.Run(image.ImagePath, "echo old > victim; stat -c %i victim").Trim();
        string[] handle = Handle(image.ImagePath + ":victim");
        string kernels = Word(HandleJson(image.ImagePath + ":victim"), "ext4");
        Assert.StartsWith(inode + ":", handle[1], StringComparison.Ordinal);
        Assert.Equal($"{handle[1]} /victim\n", FuseServer.Run("resolve", image.ImagePath, handle[0]).OrThrow().Output);

        KernelWrites.Run(image.ImagePath, "rm victim");
        AssertStale(image.ImagePath, handle, "free", $"inode {inode} is not in use");
        AssertStale(image.ImagePath, [kernels, ""], "free", $"inode {inode} is not in use");

        KernelWrites.Run(image.ImagePath, $"echo new > successor; [ $(stat -c %i successor) = {inode} ]");
        string[] successor = Handle(image.ImagePath + ":successor");
        AssertStale(image.ImagePath, handle, "generation", $"the inode is another file now: {successor[1]}");
        AssertStale(image.ImagePath, [kernels, ""], "generation", $"the inode is another file now: {successor[1]}");
        using LiveMount mount = LiveMount.Foregrounded(image.ImagePath);
        AssertStale(mount.MountPoint, handle, "generation", $"the inode is another file now: {successor[1]}");
        Assert.Equal($"{successor[1]} /successor\n", FuseServer.Run("resolve", mount.MountPoint, successor[0]).OrThrow().Output);
    }

    [MountFact("debugfs")]
    public void Without_a_generation_the_birth_time_tells_a_reused_inode()
    {
        using ImageCopy image = Images.Copy("sample");
        string[] handle = Handle(image.ImagePath + ":big");
        Assert.DoesNotContain(":00000000", handle[1], StringComparison.Ordinal);
        image.Debugfs("rm /big");
        AssertStale(image.ImagePath, handle, "free", $"inode {handle[1].Split(':')[0]} is not in use");
        using var folder = new ScratchFolder();
        string source = Path.Combine(folder.Path, "source");
        File.WriteAllText(source, "another");
        image.Debugfs($"write {source} big", "sif /big crtime 20300101");
        string[] successor = Handle(image.ImagePath + ":big");
        Assert.Equal(handle[1].Split(':')[0], successor[1].Split(':')[0]);
        AssertStale(image.ImagePath, handle, "generation", $"the inode is another file now: {successor[1]}");
        Assert.Equal(0u, Resolve(image.ImagePath, successor[0]).GetProperty("rawGeneration").GetUInt32());
    }

    [MountFact]
    public void A_handle_of_another_filesystem_or_form_is_stale()
    {
        string[] handle = Handle($"{Images.Get("ext2")}:hello.txt");
        AssertStale(Images.Get("sample"), handle, "filesystem", "is of another filesystem");
        AssertStale(Image, ["02" + Handle(Image + ":hello.txt")[0][2..], ""], "form", "is of a form or version that is not known here");
        AssertStale(Image, ["0x4d:0c000000000000002800000000000000", ""], "form", "is of a form or version that is not known here"); // of btrfs
        AssertStale(Image, ["0x81:010000000c00000002000000", ""], "form", "is of a form or version that is not known here"); // FUSE, but of another program
        AssertStale(Image, ["0x1:00e1f50501000000", ""], "inode", "the filesystem has only 4096 inodes");
        AssertStale(Image, ["4000000000:00000001", ""], "inode", "the filesystem has only 4096 inodes");
        AssertStale(Image, ["8:00000000", ""], "free", "inode 8 is not in use"); // the journal is no file
    }

    [MountFact("debugfs")]
    public void Names_are_counted_and_missing_ones_are_said_even_where_directories_form_a_circle()
    {
        using ImageCopy image = Images.Copy("ext4");
        string[] handle = Handle(image.ImagePath + ":hello.txt");
        image.Debugfs("link /docs /docs/again");
        Assert.Equal($"{handle[1]} /hello.txt{TwoLinks}\n", FuseServer.Run("resolve", image.ImagePath, handle[0]).OrThrow().Output);
        image.Debugfs("unlink /hello.txt");
        Assert.Equal($"{handle[1]} /docs/hello-again{TwoLinks}\n", FuseServer.Run("resolve", image.ImagePath, handle[0]).OrThrow().Output);
        image.Debugfs("unlink /docs/hello-again");
        Assert.StartsWith($"{handle[1]} is in use, but no path leads to it", FuseServer.Run("resolve", image.ImagePath, handle[0]).OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, Resolve(image.ImagePath, handle[0]).GetProperty("path").ValueKind);
    }

    [OracleFact]
    public void An_image_has_no_say_over_the_terminal()
    {
        using ImageCopy image = Images.Copy("room");
        KernelWrites.Run(image.ImagePath, "mkdir d; echo x > plain; ln plain \"$(printf 'd/\\033[2J\\nb\\377\\\\c dx')\"");
        string[] handle = Handle(image.ImagePath + ":plain");
        image.Debugfs("unlink /plain");
        Assert.StartsWith(handle[1] + @" /d/\033[2J\012b\377\134c dx (links: ", FuseServer.Run("resolve", image.ImagePath, handle[0]).OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal(@"/d/\033[2J\012b\377\134c dx", Resolve(image.ImagePath, handle[0]).GetProperty("path").GetString());
    }

    [MountFact]
    public void Resolving_works_without_a_worker()
    {
        using var mounted = new Recovery.Mounted();
        string[] handle = Handle(mounted.PathOf("big"));
        mounted.Tell("pause", "--kill").OrThrow();
        Assert.Equal($"{handle[1]} /big\n", mounted.Tell("resolve", handle[0]).OrThrow().Output);
        mounted.Tell("resume").OrThrow();
    }

    [MountFact]
    public void An_image_that_is_bound_to_its_place_is_an_image()
    {
        using ImageCopy place = Images.Copy("sample");
        Command.Run("mount", "--bind", Image, place.ImagePath).OrThrow();
        try
        {
            string[] handle = Handle(place.ImagePath + ":docs/guide.txt");
            Assert.Equal($"{handle[1]} /docs/guide.txt\n", FuseServer.Run("resolve", place.ImagePath, handle[0]).OrThrow().Output);
        }
        finally
        {
            Command.Run("umount", place.ImagePath).OrThrow();
        }
    }

    [MountFact]
    public void What_cannot_be_asked_is_refused_with_the_reason()
    {
        Refused(32, "has no file handles, as a mount of fuse4fs would", "handle", "/proc/self/status", Image + ":hello.txt");
        Refused(32, "is on a mount of type", "handle", Image);
        Refused(32, "No such file", "handle", "/nowhere");
        Refused(32, "no such file in the image", "handle", Image + ":nowhere");
        Refused(32, "symbolic link", "handle", Image + ":link/x");
        Refused(32, "neither an image nor a mount", "resolve", "/tmp", "12:00000001");
        Refused(32, "/proc/self/status: ", "resolve", "/proc/self/status", "12:00000001");
        Refused(1, "is no handle", "resolve", Image, "12");
        Refused(1, "is no handle", "resolve", Image, new string('0', 31));
        Refused(1, "is no handle", "resolve", Image, "0x81:0");
        Refused(1, "is no handle", "resolve", Image, "nfs:ff00000000000000");
        Refused(1, "", "handle");
    }

    private static void Refused(int code, string words, params string[] arguments)
    {
        CommandResult result = FuseServer.Run(arguments);
        Assert.True(result.ExitCode == code && result.Errors.Contains(words, StringComparison.Ordinal), result.ToString());
    }

    // Hexadecimal digits, inode:generation, path.
    private static string[] Handle(string path, params string[] options)
    {
        string[] said = FuseServer.Run(["handle", path, .. options]).OrThrow().Output.TrimEnd('\n').Split(' ', 3);
        JsonElement json = HandleJson(path, options);
        Assert.Equal(said[0], Word(json, "handle"));
        Assert.Equal(said[1], $"{json.GetProperty("inode").GetUInt32()}:{json.GetProperty("generation").GetUInt32():x8}");
        return said;
    }

    private static JsonElement HandleJson(string path, params string[] options) =>
        JsonDocument.Parse(FuseServer.Run(["handle", "--json", path, .. options]).OrThrow().Output).RootElement;

    private static string Word(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static string TextOf(PersistentHandle handle) => $"0x{handle.Type:x}:{Convert.ToHexStringLower(handle.Bytes.AsSpan(8))}";

    private static JsonElement Resolve(string place, string handle) =>
        JsonDocument.Parse(FuseServer.Run("resolve", "--json", place, handle).Output).RootElement;

    private static void AssertStale(string place, string[] handle, string reason, string words)
    {
        CommandResult said = FuseServer.Run("resolve", place, handle[0]);
        Assert.True(said.ExitCode == 3 && said.Output.EndsWith($" is stale: {words}\n", StringComparison.Ordinal), said.ToString());
        JsonElement json = Resolve(place, handle[0]);
        Assert.Equal((reason, words), (json.GetProperty("stale").GetString(), json.GetProperty("why").GetString()));
    }
}
