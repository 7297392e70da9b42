using System.Globalization;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Images that the kernel may be unable to mount look as debugfs shows them: inode numbers, modes, owners, names, sizes, contents.</summary>
public class DebugfsOracleTests
{
    // The last one any kernel mounts: it shows that this comparison and the other one agree.
    public static TheoryData<string> Compared => ["blocks-64k", "casefold", "verity", "ext4"];

    [MountTheory]
    [MemberData(nameof(Compared))]
    public void Directories_list_what_debugfs_lists(string recipe)
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get(recipe));
        int compared = 0;
        Compare(Images.Get(recipe), mount, "/", ref compared);
        Assert.True(compared > 15, $"only {compared} names");
    }

    [MountTheory]
    [MemberData(nameof(Compared))]
    public void Files_and_links_hold_what_debugfs_extracts(string recipe)
    {
        using ScratchFolder folder = new();
        string extracted = folder.Folder("extracted");
        Command.Run("debugfs", "-R", $"rdump / {extracted}", Images.Get(recipe)).OrThrow();
        using LiveMount mount = LiveMount.Foregrounded(Images.Get(recipe));
        int compared = 0;
        foreach (string path in Directory.EnumerateFileSystemEntries(extracted, "*", SearchOption.AllDirectories))
        {
            string ours = mount.PathOf(Path.GetRelativePath(extracted, path));
            FileInfo expected = new(path), actual = new(ours);
            Assert.Equal(expected.LinkTarget, actual.LinkTarget);
            if (expected.LinkTarget is not null || !expected.Exists)
                continue;
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(ours));
            compared++;
        }

        Assert.True(compared > 10, $"only {compared} files");
    }

    [MountTheory]
    [InlineData("Straße", "STRASSE")]
    [InlineData("Straße", "straſſe")]
    [InlineData("ΜΆΪΟΣ", "μάϊος")]
    [InlineData("e\u0301", "\u00C9")]
    [InlineData("plain", "Plain")]
    public void Names_without_case_are_found_in_any_spelling(string stored, string spelling)
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("casefold"));
        Assert.Equal(stored + "\n", File.ReadAllText(mount.PathOf($"any-case/{spelling}")));
        Assert.False(File.Exists(mount.PathOf("DOCS"))); // where case matters
    }

    private static void Compare(string image, LiveMount mount, string folder, ref int compared)
    {
        // ls -p: /inode/mode/owner/group/name/size/, free entries included
        string[][] lines =
        [
            .. Command.Run("debugfs", "-R", $"ls -p {folder}", image).OrThrow().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split('/')).Where(line => line[1] != "0"),
        ];
        string place = mount.MountPoint + folder.TrimEnd('/');
        using OpenDescriptor directory = Posix.Open(Posix.FromNet(place));
        Assert.Equal(lines.Select(line => line[5]).Order(StringComparer.Ordinal), directory.List().Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (string[] line in lines)
        {
            FileStatus status = Posix.Status($"{Posix.FromNet(place)}/{line[5]}");
            string ours = string.Create(CultureInfo.InvariantCulture, $"{status.Inode} {Convert.ToString(status.Mode, 8).PadLeft(6, '0')} {status.UserId} {status.GroupId}");
            if (line[5] == ".." && folder == "/")
                continue; // above the root of a mount is the folder it lies in
            Assert.Equal($"{line[1]} {line[2]} {line[3]} {line[4]}", ours);
            if (status.Type == 'd' && line[5] is not ("." or ".."))
                Compare(image, mount, $"{folder.TrimEnd('/')}/{line[5]}", ref compared);
            else if (status.Type != 'd')
                Assert.Equal(line[6], status.Size.ToString(CultureInfo.InvariantCulture));
            compared++;
        }
    }
}
