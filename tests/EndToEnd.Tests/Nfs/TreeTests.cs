using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using EndToEnd.Tests.Recovery;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>Whole trees through NFS, against what the kernel's own ext4 shows of the same image.</summary>
public partial class TreeTests
{
    private static readonly string[] Compared = ["type", "mode", "links", "owner", "size", "inode", "atime", "mtime", "ctime", "target", "contents"];

    [NfsTheory]
    [InlineData("ext4")]
    [InlineData("ext3")]
    [InlineData("inline-data")]
    [InlineData("modes")]
    [InlineData("names")]
    [InlineData("symlinks")]
    [InlineData("hash-half-md4-signed")]
    public void A_tree_through_NFS_is_the_images(string recipe)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get(recipe));
        using var mounted = new Mounted(Images.Copy(recipe));
        using var exported = new Exported(mounted);
        SortedDictionary<string, string> expected = Fields(Tree.Read(kernel.MountPoint).Records), actual = [];
        exported.With(3, client => Visit((Nfs3Client)client, client.Find(""), "/", actual));
        Assert.Equal(expected.Select(pair => $"{pair.Key}: {pair.Value}"), actual.Select(pair => $"{pair.Key}: {pair.Value}"));
    }

    [NfsTheory]
    [InlineData(3, "sample")]
    [InlineData(4, "sample")]
    [InlineData(3, "ext4")]
    [InlineData(4, "ext4")]
    public void The_programs_of_libnfs_see_the_images_tree(int version, string recipe)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get(recipe));
        using var mounted = new Mounted(Images.Copy(recipe));
        using var exported = new Exported(mounted);
        using var folder = new ScratchFolder();
        IReadOnlyDictionary<string, SortedDictionary<string, string>> tree = Tree.Read(kernel.MountPoint).Records;
        exported.Run(() =>
        {
            string listed = Command.Run("nfs-ls", "-R", Ganesha.Url(version, "")).OrThrow().Output;
            Assert.Equal(
                tree.Where(pair => pair.Key != "/").Select(pair => Line(pair.Key, pair.Value)).Order(StringComparer.Ordinal),
                listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Spaces().Replace(line, " ")).Order(StringComparer.Ordinal));
            foreach ((string path, SortedDictionary<string, string> record) in tree.Where(pair => pair.Value["type"] == "f"))
            {
                CommandResult read = Command.Run("nfs-cat", Ganesha.Url(version, path)).OrThrow();
                Assert.Equal((path, record["contents"]), (path, Convert.ToHexStringLower(SHA256.HashData(Encoding.Latin1.GetBytes(read.Output)))));
                string copy = Path.Combine(folder.Path, "copy");
                File.Delete(copy);
                Command.Run("nfs-cp", Ganesha.Url(version, path), copy).OrThrow();
                Assert.Equal((path, record["contents"]), (path, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(copy)))));
            }
        });
    }

    private static SortedDictionary<string, string> Fields(IReadOnlyDictionary<string, SortedDictionary<string, string>> records) =>
        new(records.SelectMany(record => record.Value.Where(field => Compared.Contains(field.Key)).Select(field => ($"{record.Key} {field.Key}", field.Value)))
            .ToDictionary(pair => pair.Item1, pair => pair.Value), StringComparer.Ordinal);

    private static void Visit(Nfs3Client client, byte[] handle, string shown, SortedDictionary<string, string> fields)
    {
        SortedDictionary<string, string> record = client.Record(handle);
        if (record["type"] == "l")
            record["target"] = Tree.Shown(client.ReadLink(handle));
        if (record["type"] == "f")
            record["contents"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.Latin1.GetBytes(client.ReadAll(handle))));
        foreach ((string field, string value) in record.Where(pair => Compared.Contains(pair.Key)))
            fields.Add($"{shown} {field}", value);
        if (record["type"] == "d")
        {
            foreach (string name in client.ListAll(handle).ToList())
                Visit(client, client.Lookup(handle, name), $"{shown.TrimEnd('/')}/{Tree.Shown(name)}", fields);
        }
    }

    // As nfs-ls writes it, with one space between two fields.
    private static string Line(string path, SortedDictionary<string, string> record)
    {
        int mode = Convert.ToInt32(record["mode"], 8);
        string bits = string.Concat(Enumerable.Range(0, 9).Select(bit => (mode & (0x100 >> bit)) != 0 ? "rwx"[bit % 3] : '-'));
        string type = record["type"] == "f" ? "-" : record["type"];
        return $"{type}{bits} {record["links"]} {record["owner"].Replace(':', ' ')} {record["size"]} {path[1..]}";
    }

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
