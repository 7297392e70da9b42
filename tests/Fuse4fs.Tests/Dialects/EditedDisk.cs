using System.Buffers.Binary;
using System.Text;
using Ext4Reader;
using TestSupport;

namespace Fuse4fs.Tests.Dialects;

/// <summary>
/// The image of the recipe "identity" with a model of what is on it. Its inodes are freed, used again, renamed and written in place: what e2fsck or another
/// mount does while no worker runs. Each use of an inode number has a birth, a number of its own that shows in its owner and in its contents.
/// </summary>
internal sealed class EditedDisk : IDisposable
{
    public const int Slots = 12;

    private const uint RootInode = 2;
    private const int BlockSize = 1024, InodeSize = 256;
    private const uint Past = 1_600_000_000;

    private readonly ImageCopy _copy = Images.Copy("identity");
    private readonly FileStream _file;
    private readonly byte[] _record = new byte[InodeSize];
    private readonly byte[] _block = new byte[BlockSize];
    private readonly (uint Inode, long Record, long Block)[] _places;
    private readonly (long Record, long Block) _root;
    private readonly uint _lostAndFound;
    private readonly Use?[] _uses = new Use?[Slots];
    private readonly Dictionary<ulong, Use> _births = [];
    private readonly SortedDictionary<string, int> _rootNames = new(StringComparer.Ordinal);
    private int _birth;

    public EditedDisk()
    {
        _file = new FileStream(ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        using Ext4Image image = Ext4Image.Open(ImagePath);
        Inode root = image.GetRoot();
        image.TryLookup(root, "lost+found"u8, out _lostAndFound);
        byte[] descriptor = new byte[32];
        RandomAccess.Read(_file.SafeFileHandle, descriptor, 2 * BlockSize);
        long table = (long)BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(8)) * BlockSize;
        _root = Place(table, RootInode);
        _places = [.. Enumerable.Range(0, Slots).Select(slot =>
        {
            if (!image.TryLookup(root, Encoding.UTF8.GetBytes($"slot-{slot:00}"), out uint number))
                throw new InvalidOperationException("the recipe makes other files");
            (long record, long block) = Place(table, number);
            return (number, record, block);
        })];
    }

    /// <summary>One use of an inode number, from its making to its end.</summary>
    public sealed class Use(int slot, int birth, uint type)
    {
        public int Slot { get; } = slot;

        public int Birth { get; } = birth;

        public uint Type { get; } = type;

        /// <summary>Which contents it has.</summary>
        public int Version { get; set; }

        /// <summary>Which times it has: not always others when the contents change.</summary>
        public int Stamp { get; set; }

        /// <summary>Of a directory: name to slot.</summary>
        public SortedDictionary<string, int> Names { get; } = new(StringComparer.Ordinal);

        public bool IsDirectory => Type == 0x4000;

        // Longer than what fits into an inode, so that links have a block, too.
        public string Contents => $"birth {Birth} version {Version} " + new string('-', 60);
    }

    public string ImagePath => _copy.ImagePath;

    public IReadOnlyDictionary<string, int> RootNames => _rootNames;

    /// <summary>What is on the disk under a slot's number; null when it is free.</summary>
    public Use? this[int slot] => _uses[slot];

    /// <summary>What a nodeid was made for; null when nobody ever could see such a one.</summary>
    public Use? Meaning(ulong node) => _births.GetValueOrDefault(node);

    /// <summary>Whether that is still there.</summary>
    public bool IsThere(Use use) => _uses[use.Slot] == use;

    public uint NumberOf(int slot) => _places[slot].Inode;

    /// <summary>The names of a directory; of the root for null.</summary>
    public IReadOnlyDictionary<string, int> NamesIn(Use? directory) => directory?.Names ?? _rootNames;

    /// <summary>The same disk as ever.</summary>
    public void Reset()
    {
        Array.Clear(_uses);
        _births.Clear();
        _rootNames.Clear();
        _birth = 0;
        Make(0, 0x4000, null, "a");
        Make(1, 0x4000, null, "b");
        Make(2, 0x8000, _uses[0], "f2");
        Make(3, 0x8000, _uses[0], "f3");
        Make(4, 0x8000, _uses[1], "f4");
        Make(5, 0x8000, _uses[1], "f5");
        Make(6, 0x8000, null, "f6");
        Make(7, 0x8000, null, "f7");
        Make(8, 0xa000, _uses[0], "l8");
        Make(9, 0xa000, null, "l9");
        for (int slot = 0; slot < Slots; slot++)
            Write(slot);
        WriteNames(null);
    }

    /// <summary>An edit that a number stands for. Some of them find nothing to do.</summary>
    public void Edit(uint code)
    {
        int slot = (int)(code / 16 % Slots);
        uint rest = code / 16 / Slots;
        switch (code % 16)
        {
            case < 3:
                Remove(slot);
                break;
            case < 8: // another file by the same number
                Remove(slot);
                bool isDirectory = rest % 4 == 0;
                uint type = isDirectory ? 0x4000u : rest % 4 == 1 ? 0xa000u : 0x8000u;
                Make(slot, type, isDirectory ? null : Directory(rest / 4), (rest / 16 % 2) == 0 ? $"f{slot}" : $"n{rest / 32 % 4}");
                break;
            case < 11: // written; or, as when e2fsck gives a file a block of its own, changed behind its times
                if (_uses[slot] is { IsDirectory: false } written)
                {
                    written.Version++;
                    written.Stamp += rest % 2 == 0 ? 1 : 0;
                }
                break;
            case < 14: // moved, or given a second name
                if (_uses[slot] is { IsDirectory: false } moved)
                {
                    if (rest % 4 != 0)
                        RemoveNames(slot);
                    NamesOf(Directory(rest / 4))[(rest / 16 % 2) == 0 ? $"f{slot}" : $"n{rest / 32 % 4}"] = slot;
                    Tidy();
                    moved.Stamp += (int)(rest / 128 % 2);
                }
                break;
            default: // two names change places
                Swap(NamesOf(Directory(rest)), rest / 4);
                break;
        }
        for (int each = 0; each < Slots; each++)
            Write(each);
        WriteNames(null);
    }

    public void Dispose()
    {
        _file.Dispose();
        _copy.Dispose();
    }

    // Root, or one of the directories there are.
    private Use? Directory(uint choice)
    {
        Use[] directories = [.. _uses.OfType<Use>().Where(use => use.IsDirectory)];
        return choice % 3 == 0 || directories.Length == 0 ? null : directories[choice / 3 % directories.Length];
    }

    private SortedDictionary<string, int> NamesOf(Use? directory) => directory?.Names ?? _rootNames;

    private void Make(int slot, uint type, Use? directory, string name)
    {
        var use = new Use(slot, ++_birth, type);
        _uses[slot] = use;
        _births.Add((ulong)Generation(use) << 32 | _places[slot].Inode, use);
        NamesOf(directory)[name] = slot;
        Tidy();
    }

    private void Remove(int slot)
    {
        RemoveNames(slot);
        _uses[slot] = null;
        Tidy();
    }

    private void RemoveNames(int slot)
    {
        foreach (SortedDictionary<string, int> names in _uses.OfType<Use>().Select(use => use.Names).Append(_rootNames))
            foreach (string name in names.Where(pair => pair.Value == slot).Select(pair => pair.Key).ToArray())
                names.Remove(name);
    }

    // What has no name any more is gone, and what was in it.
    private void Tidy()
    {
        bool again = true;
        while (again)
        {
            again = false;
            for (int slot = 0; slot < Slots; slot++)
            {
                if (_uses[slot] is null || _rootNames.ContainsValue(slot) || _uses.OfType<Use>().Any(use => use.Names.ContainsValue(slot)))
                    continue;
                _uses[slot] = null;
                again = true;
            }
        }
    }

    private static void Swap(SortedDictionary<string, int> names, uint choice)
    {
        if (names.Count < 2)
            return;
        string first = names.Keys.ElementAt((int)(choice % names.Count)), second = names.Keys.ElementAt((int)((choice + 1) % names.Count));
        (names[first], names[second]) = (names[second], names[first]);
    }

    private static uint Generation(Use use) => (uint)use.Birth * 0x01000193;

    private void Write(int slot)
    {
        (_, long record, long block) = _places[slot];
        Use? use = _uses[slot];
        RandomAccess.Read(_file.SafeFileHandle, _record, record);
        Span<byte> raw = _record;
        void U16(int at, uint value) => BinaryPrimitives.WriteUInt16LittleEndian(_record.AsSpan(at), (ushort)(value & 0xffff));
        void U32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_record.AsSpan(at), value);
        if (use is null)
        {
            U16(0x1a, 0); // i_links_count
            U32(0x14, Past); // i_dtime
            RandomAccess.Write(_file.SafeFileHandle, raw, record);
            return;
        }
        U16(0x00, use.Type | 0x1ff);
        U16(0x02, (uint)use.Birth); // i_uid
        U32(0x04, use.IsDirectory ? BlockSize : (uint)use.Contents.Length);
        U32(0x14, 0);
        U16(0x1a, use.IsDirectory ? 2u : 1u);
        U32(0x24, (uint)use.Version); // l_i_version, in place of a map that is another one
        U32(0x64, Generation(use));
        foreach ((int seconds, int extra) in ((int, int)[])[(0x0c, 0x84), (0x10, 0x88), (0x90, 0x94)]) // i_ctime, i_mtime, i_crtime
        {
            U32(seconds, Past + (uint)(seconds == 0x90 ? 0 : use.Stamp));
            U32(extra, 12345 << 2);
        }
        RandomAccess.Write(_file.SafeFileHandle, raw, record);
        if (use.IsDirectory)
        {
            WriteNames(use);
            return;
        }
        _block.AsSpan().Clear();
        Encoding.UTF8.GetBytes(use.Contents, _block);
        RandomAccess.Write(_file.SafeFileHandle, _block, block);
    }

    private void WriteNames(Use? directory)
    {
        _block.AsSpan().Clear();
        int at = 0;
        uint self = directory is null ? RootInode : _places[directory.Slot].Inode;
        List<(string Name, uint Inode)> names = [(".", self), ("..", RootInode)];
        if (directory is null)
            names.Add(("lost+found", _lostAndFound));
        names.AddRange(NamesOf(directory).Select(pair => (pair.Key, _places[pair.Value].Inode)));
        for (int i = 0; i < names.Count; i++)
        {
            int length = i == names.Count - 1 ? BlockSize - at : (8 + names[i].Name.Length + 3) & ~3;
            Span<byte> entry = _block.AsSpan(at, length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, names[i].Inode);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], (ushort)length);
            entry[6] = (byte)names[i].Name.Length;
            Encoding.UTF8.GetBytes(names[i].Name, entry[8..]);
            at += length;
        }
        RandomAccess.Write(_file.SafeFileHandle, _block, directory is null ? _root.Block : _places[directory.Slot].Block);
    }

    // Where an inode's record and its only block are.
    private (long Record, long Block) Place(long table, uint number)
    {
        long record = table + ((number - 1) * InodeSize);
        RandomAccess.Read(_file.SafeFileHandle, _record, record);
        return (record, (long)BinaryPrimitives.ReadUInt32LittleEndian(_record.AsSpan(0x28 + 12 + 8)) * BlockSize); // i_block: header, ee_start_lo
    }
}
