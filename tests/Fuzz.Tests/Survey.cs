using System.Text;
using Ext4Reader;
using Ext4Reader.OnDisk;
using Xunit;
using Xunit.Sdk;

namespace Fuzz.Tests;

/// <summary>All that an image shows of one inode, as a checksum, and how many answers were exceptions.</summary>
internal readonly record struct Shown(uint Digest, int Problems);

/// <summary>Does everything that can be done with an image, and notes what each inode showed.</summary>
internal sealed class Survey
{
    private const uint MostInodes = 5000;
    private const int MostRead = 1 << 20;
    private const int MostPieces = 100_000;
    private const int MostNames = 5000;

    // Tests of this project run side by side.
    [ThreadStatic]
    private static byte[]? _buffer;

    private readonly Dictionary<uint, Shown> _inodes = [];
    private readonly Ext4Image _image;
    private uint _digest;
    private int _problems;

    private Survey(Ext4Image image) => _image = image;

    private static byte[] Buffer => _buffer ??= new byte[MostRead];

    /// <summary>The inodes that exist, or would if they could be read.</summary>
    public IReadOnlyDictionary<uint, Shown> Inodes => _inodes;

    public static Survey Of(Ext4Image image)
    {
        var survey = new Survey(image);
        survey.Try(() => image.GetStatistics());
        survey.Try(() => image.GetRoot());
        uint most = Math.Min(image.Volume.InodeCount, MostInodes);
        for (uint number = 0; number <= most; number++)
            survey.Look(number);
        survey.Try(() => Assert.False(image.TryGetInode(uint.MaxValue, out _) && image.Volume.InodeCount < uint.MaxValue));
        return survey;
    }

    private void Look(uint number)
    {
        (_digest, _problems) = (Crc32c.Start, 0);
        Inode inode = default;
        bool exists = false;
        Try(() => exists = _image.TryGetInode(number, out inode));
        if (!exists && _problems == 0)
            return;
        if (exists)
            Look(inode);
        _inodes[number] = new Shown(_digest, _problems);
    }

    private void Look(Inode inode)
    {
        Note($"{inode.Number} {inode.Generation} {inode.Mode} {inode.UserId} {inode.GroupId} {inode.Size} {inode.LinkCount} {inode.Sectors} {inode.Flags} "
            + $"{inode.ProjectId} {inode.AccessTime} {inode.ChangeTime} {inode.ModificationTime} {inode.BirthTime} {inode.DeviceMajor} {inode.DeviceMinor}");
        Try(() => LookAtAttributes(inode));
        if (inode.Type == FileType.Regular)
            LookAtFile(inode);
        else if (inode.Type == FileType.SymbolicLink)
            Try(() => Note(Buffer.AsSpan(0, _image.ReadSymbolicLink(inode, Buffer))));
        else if (inode.Type == FileType.Directory)
            LookAtDirectory(inode);
    }

    private void LookAtAttributes(Inode inode)
    {
        byte[] names = new byte[_image.ListExtendedAttributes(inode, [])];
        Assert.Equal(names.Length, _image.ListExtendedAttributes(inode, names));
        Note(names);
        foreach (string name in Encoding.Latin1.GetString(names).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            Try(() =>
            {
                byte[] raw = Encoding.Latin1.GetBytes(name);
                if (!_image.TryGetExtendedAttribute(inode, raw, [], out int length))
                    return;
                byte[] value = new byte[length];
                Assert.True(_image.TryGetExtendedAttribute(inode, raw, value, out int again) && again == length);
                Note(value);
            });
        }
    }

    private void LookAtFile(Inode file)
    {
        foreach (long offset in (long[])[0, file.Size / 2, Math.Max(0, file.Size - 4096), file.Size, long.MaxValue - MostRead])
        {
            Try(() =>
            {
                int length = _image.Read(file, offset, offset == 0 ? Buffer : Buffer.AsSpan(0, 8192));
                Assert.Equal(Math.Clamp(file.Size - offset, 0, offset == 0 ? MostRead : 8192), length);
                Note(Buffer.AsSpan(0, length));
            });
        }

        Try(() =>
        {
            long offset = 0;
            for (int pieces = 0; pieces < MostPieces; pieces++)
            {
                long data = _image.SeekData(file, offset);
                if (data < 0)
                    break;
                Assert.True(data >= offset);
                long hole = _image.SeekHole(file, data);
                Assert.True(hole > data && hole <= file.Size);
                Note($"{data}-{hole}");
                offset = hole;
            }
        });
    }

    private void LookAtDirectory(Inode directory)
    {
        var names = new List<byte[]>();
        Try(() => List(directory, 0, MostNames, names));
        Try(() =>
        {
            ulong after = 0;
            var paged = new List<byte[]>();
            for (int pages = 0; pages < 500; pages++)
            {
                ulong next = List(directory, after, 23, paged);
                if (next == after)
                    break;
                after = next;
            }

            paged.ForEach(name => Note(name));
        });
        foreach (byte[] name in names)
        {
            Try(() =>
            {
                bool found = _image.TryLookup(directory, name, out uint number);
                Note($"{found} {number}");
            });
        }

        Try(() => _image.TryLookup(directory, "no such name"u8, out _));
    }

    private ulong List(Inode directory, ulong after, int most, List<byte[]> names)
    {
        var page = new Page(names, most, after);
        try
        {
            _image.List(directory, after, ref page);
        }
        finally
        {
            Note(page.Last, page.Taken);
        }

        return page.Last;
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception problem) when (problem is Ext4Exception or IOException)
        {
            _problems++;
            Note(problem.Message);
        }
        catch (Exception problem) when (problem is not XunitException)
        {
            throw new XunitException($"escaped: {problem}");
        }
    }

    private void Note(ReadOnlySpan<byte> bytes) => _digest = Crc32c.Append(Crc32c.Append(_digest, bytes), (uint)bytes.Length);

    private void Note(string text) => Note(Encoding.UTF8.GetBytes(text));

    private void Note(ulong cookie, int count) => _digest = Crc32c.Append(Crc32c.Append(_digest, cookie), (uint)count);

    /// <summary>Collects names and holds the listing to its promises.</summary>
    private struct Page(List<byte[]> names, int most, ulong after) : IDirectoryVisitor
    {
        public int Taken { get; private set; }

        public ulong Last { get; private set; } = after;

        public bool Visit(in ListedName entry)
        {
            if (Taken >= most)
                return false;
            Assert.True(entry.Cookie > Last && entry.Cookie < long.MaxValue, $"cookie {entry.Cookie} after {Last}");
            Assert.False(entry.Name.IsEmpty || entry.Name.Length > 255 || entry.Name.IndexOfAny((byte)'/', (byte)0) >= 0, "a name that nobody may get");
            names.Add(entry.Name.ToArray());
            (Last, Taken) = (entry.Cookie, Taken + 1);
            return true;
        }
    }
}
