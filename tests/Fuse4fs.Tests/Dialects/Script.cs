using System.Globalization;
using TestSupport.FakeKernel;

namespace Fuse4fs.Tests.Dialects;

/// <summary>What a script did, so that it can be seen that it did something.</summary>
internal sealed class ScriptCounts
{
    public int Restarts { get; set; }

    public int Deaths { get; set; }

    public int StaleUses { get; set; }

    public int GoodUses { get; set; }

    public long Requests { get; set; }
}

/// <summary>
/// Applications that use a mount while its server dies, its image is edited and the server comes back; after each step it is checked that what they see is what was
/// there when they got hold of it, or an error if that is gone.
/// </summary>
internal sealed class Script : IDisposable
{
    private const long Past = 1_600_000_000;
    private const int MostHeld = 12;

    private readonly EditedDisk _disk;
    private readonly ScriptCounts _counts;
    private readonly ServerUnderTest _server;
    private readonly KernelModel _kernel;
    private readonly List<KernelInode> _held = [];
    private readonly List<(ulong Node, uint Generation, byte[]? Handle)> _exported = [];
    private uint[] _editsAtDeath = [];
    private int _written; // how often the image was, while somebody waits for an answer included

    public Script(KernelForm form, EditedDisk disk, Sabotage sabotage, ScriptCounts counts)
    {
        _disk = disk;
        _counts = counts;
        disk.Reset();
        _server = new ServerUnderTest(disk.ImagePath, form, sabotage, Died);
        _kernel = _server.Kernel;
    }

    /// <summary>Runs steps, each a number that stands for one, and looks at everything once more at the end.</summary>
    public void Run(IEnumerable<int> codes)
    {
        foreach (int code in codes)
            Step((uint)code % 100, (uint)code / 100);
        _server.Doom(int.MaxValue, false);
        foreach (KernelInode inode in _held)
            Use(inode);
        _counts.Requests += _kernel.Requests;
    }

    public void Dispose() => _server.Dispose();

    /// <summary>A step in words.</summary>
    public static string Describe(int code) => string.Create(CultureInfo.InvariantCulture, $"{code}:{Kind((uint)code % 100)}");

    private static string Kind(uint kind) => kind switch
    {
        < 26 => "walk",
        < 32 => "lookup in held",
        < 52 => "use held",
        < 58 => "list root",
        < 62 => "mkdir",
        < 66 => "drop caches",
        < 70 => "release",
        < 74 => "export",
        < 76 => "time",
        < 82 => "crash",
        < 92 => "crash and edit",
        _ => "crash in request",
    };

    private void Step(uint kind, uint rest)
    {
        switch (Kind(kind))
        {
            case "walk":
                Walk(rest);
                break;
            case "lookup in held":
                if (Held(rest) is { IsDirectory: true } directory)
                    LookUp(directory, NameOf(rest / 16));
                break;
            case "use held":
                if (Held(rest) is KernelInode used)
                    Use(used);
                break;
            case "list root":
                List(_kernel.Root, null);
                break;
            case "mkdir":
                if (Held(rest) is { IsDirectory: true } parent)
                    MakeDirectory(parent);
                break;
            case "drop caches":
                _kernel.DropCaches(_held);
                break;
            case "release":
                if (Held(rest) is KernelInode released)
                    _held.Remove(released);
                break;
            case "export":
                Export(rest);
                break;
            case "time":
                _kernel.Now += 2;
                break;
            case "crash":
                _server.Kill();
                Restart([]);
                break;
            case "crash and edit":
                _server.Kill();
                Restart(Edits(rest));
                break;
            default:
                _server.Doom((int)(rest % 4) + 1, afterwards: rest / 4 % 2 == 0);
                _editsAtDeath = rest / 8 % 4 == 0 ? [] : Edits(rest / 32);
                break;
        }
    }

    private static uint[] Edits(uint rest) => [.. Enumerable.Range(0, 1 + (int)(rest % 3)).Select(i => unchecked((rest / 3 * 2654435761u) + ((uint)i * 40503u * 977u)) >> 4)];

    private void Died()
    {
        _counts.Deaths++;
        Restart(_editsAtDeath);
        _editsAtDeath = [];
    }

    private void Restart(uint[] edits)
    {
        _counts.Restarts++;
        foreach (uint edit in edits)
            _disk.Edit(edit);
        if (edits.Length != 0)
            _written++;
        if (edits.Length != 0 && edits[0] % 4 == 0)
        {
            _server.Start(touched: true, diesInPass: true);
            _server.Kill();
        }
        _server.Start(touched: edits.Length != 0);
    }

    private KernelInode? Held(uint choice) => _held.Count == 0 ? null : _held[(int)(choice % _held.Count)];

    private void Hold(KernelInode inode)
    {
        if (inode == _kernel.Root || _held.Contains(inode))
            return;
        if (_held.Count == MostHeld)
            _held.RemoveAt(0);
        _held.Add(inode);
    }

    // Names that are there now and then.
    private static string NameOf(uint choice) => (choice % 5) switch
    {
        0 => $"n{choice / 5 % 4}",
        1 => choice / 5 % 2 == 0 ? "a" : "b",
        _ => $"f{choice / 5 % EditedDisk.Slots}",
    };

    private string PathOf(uint choice)
    {
        uint rest = choice / 4;
        if (choice % 4 == 0)
            return rest % 2 == 0 ? NameOf(rest / 2) : NameOf(rest / 2) + "/" + NameOf(rest / 4);
        // One that is there.
        if (_disk.RootNames.Count == 0)
            return "a";
        (string name, int slot) = _disk.RootNames.ElementAt((int)(rest % _disk.RootNames.Count));
        IReadOnlyDictionary<string, int> below = _disk.NamesIn(_disk[slot]!);
        return _disk[slot]!.IsDirectory && below.Count != 0 && choice % 4 != 1 ? $"{name}/{below.Keys.ElementAt((int)(rest / 16 % below.Count))}" : name;
    }

    private EditedDisk.Use? Resolve(string path)
    {
        EditedDisk.Use? at = null;
        foreach (string name in path.Split('/'))
        {
            if (at is { IsDirectory: false } || !_disk.NamesIn(at).TryGetValue(name, out int slot))
                return null;
            at = _disk[slot];
        }
        return at;
    }

    private void Walk(uint rest)
    {
        string path = PathOf(rest);
        int written = _written;
        int error = _kernel.Walk(path, out KernelInode? found);
        Found(path, error, found, written, Resolve(path));
    }

    private void LookUp(KernelInode directory, string name)
    {
        EditedDisk.Use use = Meaning(directory);
        bool wasThere = _disk.IsThere(use);
        int written = _written;
        int error = _kernel.Lookup(directory, name, out KernelInode? found);
        if (!wasThere)
            Fails(directory, error, wasThere, $"lookup of {name}");
        else
            Found(name, error, found, written, _disk.IsThere(use) && use.Names.TryGetValue(name, out int slot) ? _disk[slot] : null);
    }

    private void Found(string path, int error, KernelInode? found, int written, EditedDisk.Use? expected)
    {
        EditedDisk.Use? use = error == KernelModel.Ok ? Meaning(found!) : null;
        if (error == KernelModel.Ok)
            Hold(found!);
        if (written != _written)
            return; // names came and went meanwhile
        Demand(use == expected, $"{path} is {Words(use)} with error {error}, not {Words(expected)}");
        Demand(error is KernelModel.Ok or KernelModel.NotFound or KernelModel.NotDirectory, $"{path} fails with {error}");
    }

    // Whatever can be done with an inode that is held.
    private void Use(KernelInode inode)
    {
        EditedDisk.Use use = Meaning(inode);
        bool wasThere = _disk.IsThere(use);
        int stamp = use.Stamp;
        int error = _kernel.Stat(inode, out Attributes attributes);
        if (Judge(inode, use, wasThere, error, "stat"))
        {
            Demand(attributes.UserId == use.Birth && (attributes.Mode & 0xf000) == use.Type, $"stat of {Words(use)} shows birth {attributes.UserId}");
            long shown = (attributes.Modified / 1_000_000_000) - Past;
            Demand(use.IsDirectory || (shown >= stamp && shown <= use.Stamp), $"stat of {Words(use)} shows time {shown}, not {stamp}");
        }

        wasThere = _disk.IsThere(use);
        int version = use.Version;
        if (use.IsDirectory)
        {
            List(inode, use);
            return;
        }
        error = _kernel.Read(inode, out string contents);
        if (!Judge(inode, use, wasThere, error, "read"))
            return;
        string[] words = contents.Split(' ');
        Demand(words is ["birth", _, "version", _, _] && words[1] == use.Birth.ToString(CultureInfo.InvariantCulture), $"read of {Words(use)} shows: {contents}");
        int read = int.Parse(words[3], CultureInfo.InvariantCulture);
        Demand(read >= version && read <= use.Version, $"read of {Words(use)}, version {version}, shows version {read}");
    }

    private void List(KernelInode inode, EditedDisk.Use? use)
    {
        bool wasThere = use is null || _disk.IsThere(use);
        int written = _written;
        int error = _kernel.List(inode, out IReadOnlyList<string> names);
        if (use is not null && !Judge(inode, use, wasThere, error, "list"))
            return;
        Demand(error == KernelModel.Ok, $"the root cannot be listed: {error}");
        if (written == _written)
            Demand(names.Where(name => name != "lost+found").Order(StringComparer.Ordinal).SequenceEqual(_disk.NamesIn(use).Keys), $"list of {Words(use)} shows {string.Join(' ', names)}");
    }

    private void MakeDirectory(KernelInode parent)
    {
        EditedDisk.Use use = Meaning(parent);
        bool wasThere = _disk.IsThere(use);
        int error = _kernel.MakeDirectory(parent, "new");
        if (_disk.IsThere(use))
            Demand(error == KernelModel.ReadOnly, $"mkdir in {Words(use)} fails with {error}");
        else if (!wasThere)
            Demand(error != KernelModel.Ok, $"mkdir in {Words(use)} succeeds");
    }

    private void Export(uint rest)
    {
        if (_exported.Count == 0 || rest % 2 == 0)
        {
            if (Held(rest / 2) is KernelInode exported)
                _exported.Add((exported.Node, exported.Generation, exported.Handle));
            return;
        }
        (ulong node, uint generation, byte[]? handle) = _exported[(int)(rest / 2 % _exported.Count)];
        EditedDisk.Use use = _disk.Meaning(node)!;
        bool wasThere = _disk.IsThere(use);
        int error = _kernel.OpenByHandle(node, generation, handle, out KernelInode? found);
        if (error == KernelModel.Ok)
        {
            // A kernel that does not ask finds what it has cached; it is stale when it is used.
            Demand(found!.Node == node && (wasThere || _kernel.Form != KernelForm.RfcV2Finished), $"the handle of {Words(use)} opens, though it is gone");
            Hold(found);
        }
        else
        {
            Demand(error == KernelModel.Stale && (_kernel.Form == KernelForm.RfcV2 || !_disk.IsThere(use)), $"the handle of {Words(use)} fails with {error}");
        }
    }

    // Whether it succeeded, as it must where the inode is there all the time.
    private bool Judge(KernelInode inode, EditedDisk.Use use, bool wasThere, int error, string what)
    {
        if (error == KernelModel.Ok)
        {
            Demand(wasThere, $"{what} of {Words(use)} succeeds, though it is gone");
            _counts.GoodUses++;
            return true;
        }
        Demand(!_disk.IsThere(use), $"{what} of {Words(use)} fails with {error}, though it is there");
        Fails(inode, error, wasThere, what);
        return false;
    }

    // What went while somebody waited for an answer is known to be gone at its next use.
    private void Fails(KernelInode inode, int error, bool wasThere, string what)
    {
        _counts.StaleUses++;
        Demand(error is KernelModel.Stale or KernelModel.InputOutput, $"{what} of what is gone fails with {error}");
        Demand(wasThere || inode.IsBad || _kernel.Form != KernelForm.RfcV2Finished, $"{what} leaves what is gone as if it could be used");
    }

    private EditedDisk.Use Meaning(KernelInode inode)
    {
        EditedDisk.Use? use = _disk.Meaning(inode.Node);
        Demand(use is not null, $"node {inode.Node:x} never was");
        Demand(inode.Node >> 32 == inode.Generation, $"node {inode.Node:x} has generation {inode.Generation:x}");
        return use!;
    }

    private static string Words(EditedDisk.Use? use) => use is null ? "nothing" : $"birth {use.Birth} (slot {use.Slot}, type {use.Type:x})";

    private static void Demand(bool condition, string otherwise)
    {
        if (!condition)
            throw new InvalidOperationException(otherwise);
    }
}
