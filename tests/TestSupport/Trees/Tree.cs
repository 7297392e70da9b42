using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Mono.Unix.Native;

namespace TestSupport.Trees;

/// <summary>
/// Everything that applications can learn of a mounted tree, as text: one record a path, one value a field. An error is a value too
/// ("ENOENT"), so that two mounts can be compared whatever they do.
/// </summary>
public sealed class Tree
{
    private const long HashWhole = 64L << 20;   // larger files are hashed at the edges of their data only: a hole can have 16 TiB
    private const long EdgeLength = 1 << 20;
    private const int RestartsPerDirectory = 150;

    // Request numbers of x86-64, arm64 and all others with the generic layout (include/uapi/linux/fs.h).
    private const nuint GetFlags = 0x80086601, GetVersion = 0x80087601, GetExtendedFlags = 0x801C581F, GetLabel = 0x81009431;

    private readonly SortedDictionary<string, SortedDictionary<string, string>> _records = new(StringComparer.Ordinal);

    /// <summary>Fields by path; the path of the root is "/".</summary>
    public IReadOnlyDictionary<string, SortedDictionary<string, string>> Records => _records;

    /// <summary>Walks all of a mount, asking for everything.</summary>
    public static Tree Read(string mountPoint)
    {
        Tree tree = new();
        string root = Posix.FromNet(mountPoint);
        SortedDictionary<string, string> record = tree.Visit(root, "/");
        record["statfs"] = Try(() => Posix.Filesystem(root));
        return tree;
    }

    private SortedDictionary<string, string> Visit(string path, string shown)
    {
        SortedDictionary<string, string> record = new(StringComparer.Ordinal);
        _records.Add(shown, record);
        FileStatus status;
        try
        {
            status = Posix.Status(path);
        }
        catch (PosixException e)
        {
            record["stat"] = e.Error.ToString();
            return record;
        }
        AddStatus(record, status);
        record["xattrs"] = Try(() => string.Join(", ", Posix.AttributeNames(path).Select(name => $"{Shown(name)}={Try(() => Hex(Posix.Attribute(path, name)))}")));
        record["absent xattr"] = Try(() => Hex(Posix.Attribute(path, "user.there-is-no-such-attribute")));
        if (status.Type == 'l')
            record["target"] = Try(() => Shown(Encoding.Latin1.GetString(Posix.ReadLink(path))));
        if (status.Type is 'f' or 'd')
            AddContents(record, path, shown, status);
        return record;
    }

    private static void AddStatus(SortedDictionary<string, string> record, FileStatus status)
    {
        record["type"] = status.Type.ToString();
        record["mode"] = Convert.ToString(status.Mode & 0xFFF, 8);
        record["owner"] = $"{status.UserId}:{status.GroupId}";
        record["links"] = status.Links.ToString(CultureInfo.InvariantCulture);
        record["size"] = status.Size.ToString(CultureInfo.InvariantCulture);
        record["blocks"] = status.Blocks.ToString(CultureInfo.InvariantCulture);
        record["blksize"] = status.BlockSize.ToString(CultureInfo.InvariantCulture);
        record["inode"] = status.Inode.ToString(CultureInfo.InvariantCulture);
        record["atime"] = status.AccessTime;
        record["btime"] = status.BirthTime;
        record["ctime"] = status.ChangeTime;
        record["mtime"] = status.ModificationTime;
        record["device"] = status.Device;
    }

    private void AddContents(SortedDictionary<string, string> record, string path, string shown, FileStatus status)
    {
        try
        {
            using OpenDescriptor file = Posix.Open(path);
            record["flags"] = Try(() => Hex(file.Control(GetFlags, 8)[..4]));
            record["generation"] = Try(() => Hex(file.Control(GetVersion, 8)[..4]));
            record["fsxattr"] = Try(() => Hex(file.Control(GetExtendedFlags, 28)));
            if (shown == "/")
                record["label"] = Try(() => Encoding.Latin1.GetString(file.Control(GetLabel, 256)).TrimEnd('\0'));
            if (status.Type == 'f')
                AddFile(record, file, status.Size);
            else
                AddDirectory(record, file, path, shown);
        }
        catch (PosixException e)
        {
            record["open"] = e.Error.ToString();
        }
    }

    private static void AddFile(SortedDictionary<string, string> record, OpenDescriptor file, long size)
    {
        IReadOnlyList<(long Start, long End)> ranges = [];
        record["data"] = Try(() =>
        {
            ranges = file.DataRanges(size);
            string map = string.Join(' ', ranges.Select(range => $"{range.Start}-{range.End}"));
            return ranges.Count <= 100 ? map : $"{ranges.Count} ranges, {Hex(SHA256.HashData(Encoding.ASCII.GetBytes(map)))}";
        });
        record["seek past end"] = Try(() => file.Seek(size, Libc.SeekHole).ToString(CultureInfo.InvariantCulture));
        record["contents"] = Try(() => size <= HashWhole
            ? file.Hash(0, size)
            : string.Join(' ', ranges.Select(range => $"{Edge(file, range.Start)} {Edge(file, range.End - EdgeLength)}")));
        record["last bytes"] = Try(() => Hex(file.Read(Math.Max(0, size - 7), 100)));
        record["past end"] = Try(() => Hex(file.Read(size, 100)));
        // Small reads at odd places take other paths through a server than large ones in order.
        if (size is > 0 and <= 1 << 20)
            record["in small pieces"] = Try(() => file.Hash(size / 3, size, 4093));
    }

    private static string Edge(OpenDescriptor file, long start) => file.Hash(Math.Max(0, start), Math.Max(0, start) + EdgeLength);

    private void AddDirectory(SortedDictionary<string, string> record, OpenDescriptor directory, string path, string shown)
    {
        IReadOnlyList<ListedEntry> entries = directory.List();
        string[] lines = [.. entries.Select(entry => $"{Shown(entry.Name)} {entry.Inode} {entry.Type}").Order(StringComparer.Ordinal)];
        record["entries"] = string.Join('\n', lines);
        record["entries in small pieces"] = Try(() => { _ = directory.Seek(0, Libc.SeekSet); return Same(entries, directory.List(bufferSize: 600)); });
        record["restart"] = Try(() => Restart(directory, entries));
        record["absent name"] = Try(() => Posix.Status(path + "/there-is-no-such-name").Type.ToString());
        record["overlong name"] = Try(() => Posix.Status(path + "/" + new string('n', 256)).Type.ToString());
        foreach (ListedEntry entry in entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            // A name listed twice is in the listing already; walking it twice would only hide it behind an exception.
            string child = $"{shown.TrimEnd('/')}/{Shown(entry.Name)}";
            if (entry.Name is not ("." or "..") && !_records.ContainsKey(child))
                Visit($"{path}/{entry.Name}", child);
        }
    }

    /// <summary>Every position that was given out must lead to what followed it.</summary>
    private static string Restart(OpenDescriptor directory, IReadOnlyList<ListedEntry> entries)
    {
        int step = Math.Max(1, entries.Count / RestartsPerDirectory);
        for (int index = 0; index < entries.Count; index += step)
        {
            _ = directory.Seek(entries[index].NextPosition, Libc.SeekSet);
            string? next = directory.List(bufferSize: 600, atMost: 1) is [ListedEntry first, ..] ? first.Name : null;
            string? expected = index + 1 < entries.Count ? entries[index + 1].Name : null;
            if (next != expected)
                return $"after {Shown(entries[index].Name)} comes {Shown(next ?? "nothing")}, not {Shown(expected ?? "nothing")}";
        }
        return "right";
    }

    private static string Same(IReadOnlyList<ListedEntry> first, IReadOnlyList<ListedEntry> second) =>
        first.SequenceEqual(second) ? "the same" : $"{second.Count} entries, not {first.Count}, or others";

    private static string Try(Func<string> field)
    {
        try
        {
            return field();
        }
        catch (PosixException e)
        {
            return e.Error.ToString();
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    private static string Hex(byte[] bytes) =>
        bytes.Length <= 64 ? Convert.ToHexStringLower(bytes) : $"{bytes.Length} bytes {Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    /// <summary>Printable: everything outside visible ASCII as \xNN.</summary>
    public static string Shown(string bytes) =>
        string.Concat(bytes.Select(c => c is > ' ' and <= '~' and not '\\' ? c.ToString() : $"\\x{(int)c:x2}"));
}
