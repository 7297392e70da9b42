using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>What cannot be mounted is refused in one line that says what, where and what to do, and leaves nothing behind.</summary>
public sealed class BadInputTests : IDisposable
{
    private const int Usage = 1, Failure = 32;

    private readonly ScratchFolder _folder = new();
    private readonly string _mountPoint;

    public BadInputTests() => _mountPoint = _folder.Folder("mount");

    public void Dispose() => _folder.Dispose();

    [MountFact]
    public void A_file_that_is_no_filesystem_is_refused() =>
        Refused(Failure, File("text", "This is no filesystem.\n", 65536), _mountPoint, "ext");

    [MountFact]
    public void An_empty_file_is_refused() => Refused(Failure, File("empty", "", 0), _mountPoint, "");

    [MountFact]
    public void A_truncated_image_is_refused()
    {
        using ImageCopy copy = Images.Copy("ext4");
        using (FileStream file = System.IO.File.OpenWrite(copy.ImagePath))
            file.SetLength(file.Length / 2);
        Refused(Failure, copy.ImagePath, _mountPoint, "8388608");
    }

    [MountFact]
    public void An_image_cut_off_within_the_superblock_is_refused()
    {
        using ImageCopy copy = Images.Copy("ext4");
        using (FileStream file = System.IO.File.OpenWrite(copy.ImagePath))
            file.SetLength(1500);
        Refused(Failure, copy.ImagePath, _mountPoint, "");
    }

    [MountFact]
    public void A_folder_as_image_is_refused() => Refused(Failure, _folder.Folder("image"), _mountPoint, "directory");

    [MountFact]
    public void A_missing_image_is_refused() => Refused(Failure, Path.Combine(_folder.Path, "missing.img"), _mountPoint, "o such file");

    [MountFact]
    public void A_missing_mount_point_is_refused() =>
        Refused(Failure, Images.Get("ext4"), Path.Combine(_folder.Path, "missing"), "does not exist", subject: Path.Combine(_folder.Path, "missing"));

    [MountFact]
    public void A_mount_point_that_is_no_directory_is_refused()
    {
        string file = File("file", "", 0);
        Refused(Failure, Images.Get("ext4"), file, "directory", subject: file);
    }

    [MountFact]
    public void A_feature_that_is_not_read_is_refused_by_name() =>
        Refused(Failure, Images.Get("unknown-feature"), _mountPoint, "FEATURE_I31");

    [MountFact]
    public void An_image_that_somebody_holds_for_writing_is_refused_with_the_holder()
    {
        using ImageCopy copy = Images.Copy("ext4");
        // FileShare.None is an exclusive flock(2); the holder is this process.
        using FileStream holder = new(copy.ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Refused(Failure, copy.ImagePath, _mountPoint, Environment.ProcessId.ToString());
    }

    [MountFact]
    public void An_image_that_lies_beyond_the_end_is_refused() =>
        Refused(Failure, Images.Get("ext4"), _mountPoint, "", options: "offset=1099511627776");

    [MountTheory]
    [InlineData("frobnicate")]
    [InlineData("frobnicate=3")]
    [InlineData("ro,nonsense,nodev", "nonsense")]
    public void An_unknown_option_is_refused_by_name(string options, string? name = null) =>
        Refused(Usage, Images.Get("ext4"), _mountPoint, name ?? "frobnicate", options, subject: "");

    [MountTheory]
    [InlineData("offset=many")]
    [InlineData("offset=-1")]
    [InlineData("uid=nobody-of-this-name")]
    [InlineData("readdirplus=perhaps")]
    public void An_option_with_a_value_that_makes_no_sense_is_refused_by_name(string option) =>
        Refused(Usage, Images.Get("ext4"), _mountPoint, option.Split('=')[0], option, subject: "");

    [MountTheory]
    [InlineData]
    [InlineData("mount")]
    [InlineData("mount", "only-one-argument")]
    [InlineData("umount")]
    [InlineData("mount", "--no-such-switch", "image", "mountpoint")]
    public void Missing_or_unknown_arguments_are_a_usage_error(params string[] arguments)
    {
        CommandResult result = FuseServer.Run(arguments);
        Assert.Equal(Usage, result.ExitCode);
        Assert.NotEqual("", result.Output + result.Errors);
    }

    [MountFact]
    public void Unmounting_what_is_not_mounted_fails_and_says_so()
    {
        CommandResult result = FuseServer.Run("umount", _mountPoint);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(_mountPoint, result.Errors, StringComparison.Ordinal);
    }

    [MountFact]
    public void Help_and_version_are_no_errors()
    {
        Assert.Contains("mount", FuseServer.Run("--help").OrThrow().Output, StringComparison.Ordinal);
        Assert.Matches(@"\d+\.\d+\.\d+", FuseServer.Run("--version").OrThrow().Output);
    }

    private static void Refused(int exitCode, string image, string mountPoint, string words, string? options = null, string? subject = null)
    {
        string[] command = ["mount", image, mountPoint, .. options is null ? (string[])[] : ["-o", options]];
        foreach (string[] form in (string[][])[command, [.. command, "--foreground"]])
        {
            CommandResult result = FuseServer.Run(form);
            string said = result.ToString();
            Assert.True(exitCode == result.ExitCode, said);
            Assert.True(result.Errors.StartsWith("fuse4fs: ", StringComparison.Ordinal), said);
            Assert.True(result.Errors.Contains(words, StringComparison.Ordinal), said);
            Assert.True(result.Errors.Contains(subject ?? image, StringComparison.Ordinal), said);
            Assert.True(result.Errors.TrimEnd('\n').Split('\n').Length == 1, $"more than one line: {said}");
            Assert.Null(MountTable.Find(mountPoint));
            Assert.Empty(FuseServer.ProcessesOf(mountPoint));
        }
    }

    private string File(string name, string text, long length)
    {
        string path = Path.Combine(_folder.Path, name);
        System.IO.File.WriteAllText(path, text);
        using FileStream file = System.IO.File.OpenWrite(path);
        file.SetLength(Math.Max(length, file.Length));
        return path;
    }
}
