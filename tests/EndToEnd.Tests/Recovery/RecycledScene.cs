using System.Diagnostics;
using System.Globalization;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// Files that are held in every way, then an outage in which their inodes are cleared, e2fsck drops their names, and another mount gives their numbers to
/// new files; then the next worker. Made once, looked at by many tests.
/// </summary>
internal sealed class RecycledScene : IDisposable
{
    // In this order they get ascending inode numbers, and in the same order their successors take them: the kernel gives out the lowest free one.
    public static readonly IReadOnlyList<string> Victims = ["cold", "warm", "waited", "mapped", "handled", "tagged", "turncoat", "same", "folder", "flat", "link"];
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    private readonly Mounted _mounted;
    private bool _letGo;

    /// <param name="alsoHold">Holds what it likes, before anything is changed.</param>
    public RecycledScene(Action<Mounted>? alsoHold = null)
    {
        ImageCopy image = Images.Copy("room");
        string populate = $$"""
            {{OwnText.Function}}
            own steady > steady
            for name in cold warm waited mapped handled tagged turncoat same; do own $name > $name; done
            setfattr -n user.owner -v old tagged
            mkdir folder flat
            ln -s steady link
            own spare > spare; own spare > spare2
            own freed > freed
            own inside > folder/inside
            stat -c '%n %i' {{string.Join(' ', Victims)}} freed
            """;
        Dictionary<string, string> number = KernelWrites.Run(image.ImagePath, populate).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(line => line.Split(' ')[0], line => line.Split(' ')[1]);
        _mounted = new Mounted(image);
        try
        {
            Hold();
            alsoHold?.Invoke(_mounted);
            _mounted.Tell("pause", "--kill").OrThrow();
            Mounted.Tell(Waiter);
            _mounted.Debugfs([.. Victims.Append("freed").Select(name => "clri /" + name)]);
            Assert.InRange(Command.Run("e2fsck", "-fy", image.ImagePath).ExitCode, 1, 2);
            KernelWrites.Run(image.ImagePath, Successors(number));
            _mounted.Tell("resume").OrThrow();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Mounted Mounted => _mounted;

    public OpenDescriptor Cold { get; private set; } = null!;

    public OpenDescriptor Warm { get; private set; } = null!;

    public OpenDescriptor Tagged { get; private set; } = null!;

    public OpenDescriptor Turncoat { get; private set; } = null!;

    public OpenDescriptor Flat { get; private set; } = null!;

    public OpenDescriptor Link { get; private set; } = null!;

    public OpenDescriptor Freed { get; private set; } = null!;

    public OpenDescriptor Inside { get; private set; } = null!;

    public OpenDescriptor Steady { get; private set; } = null!;

    public FileMapping Mapping { get; private set; } = null!;

    /// <summary>Has the same file mapped and touches it itself.</summary>
    public Process Toucher { get; private set; } = null!;

    public OpenDescriptor OpenedByHandle { get; private set; } = null!;

    public PersistentHandle Handle { get; private set; } = null!;

    public PersistentHandle SteadyHandle { get; private set; } = null!;

    /// <summary>Reads while no worker runs: the new one's first answer.</summary>
    public Process Waiter { get; private set; } = null!;

    public Process InFolder { get; private set; } = null!;

    public Process InRoot { get; private set; } = null!;

    public void Dispose()
    {
        LetGo();
        _mounted.Dispose();
    }

    /// <summary>Ends the descriptors and mappings, so that the mount can be unmounted.</summary>
    public void LetGo()
    {
        if (_letGo)
            return; // the numbers may be others' by now
        _letGo = true;
        foreach (IDisposable? held in (IDisposable?[])[Cold, Warm, Tagged, Turncoat, Flat, Link, Freed, Inside, Steady, OpenedByHandle, Mapping])
            held?.Dispose();
    }

    private void Hold()
    {
        Cold = Posix.Open(_mounted.PathOf("cold"));
        Warm = Posix.Open(_mounted.PathOf("warm"));
        Assert.Equal(OwnText.Of("warm"), OwnText.Text(Warm.Read(0, OwnText.Size)));
        Waiter = _mounted.Hold("waited");
        using (OpenDescriptor mapped = Posix.Open(_mounted.PathOf("mapped")))
            Mapping = new FileMapping(mapped, OwnText.Size);
        Assert.Equal(OwnText.Of("mapped")[..100], OwnText.Text(Mapping.Touch(0, 100)));
        Toucher = _mounted.Start(Program.Command(Program.Touch, _mounted.PathOf("mapped")));
        OpenedByHandle = PersistentHandle.Of(_mounted.PathOf("same")).Open(_mounted.MountPoint);
        Handle = PersistentHandle.Of(_mounted.PathOf("handled"));
        SteadyHandle = PersistentHandle.Of(_mounted.PathOf("steady"));
        Tagged = Posix.Open(_mounted.PathOf("tagged"));
        Assert.Equal("old", OwnText.Text(Tagged.Attribute("user.owner")));
        Turncoat = Posix.Open(_mounted.PathOf("turncoat"));
        Assert.NotEmpty(Turncoat.Read(0, 4096));
        Assert.Equal(OwnText.Of("same"), _mounted.Cat("same").OrThrow().Output);
        InFolder = _mounted.WorkIn("folder", "ls; echo listed $?; cat inside; echo read $?; cat ../steady | head -c 6; echo up $?");
        InRoot = _mounted.WorkIn(".", "cat steady | head -c 6");
        Flat = Posix.Open(_mounted.PathOf("flat"));
        Assert.Equal(2, Flat.List().Count);
        Link = Posix.OpenLink(_mounted.PathOf("link"));
        Assert.Equal("steady", OwnText.Text(Link.ReadLink()));
        Assert.Equal("steady", OwnText.Text(Posix.ReadLink(_mounted.PathOf("link"))));
        Freed = Posix.Open(_mounted.PathOf("freed"));
        Assert.NotEmpty(Freed.Read(0, 4096));
        Inside = Posix.Open(_mounted.PathOf("folder/inside"));
        Steady = Posix.Open(_mounted.PathOf("steady"));
        Assert.Contains("No such file", _mounted.Cat("new-cold").Errors, StringComparison.Ordinal); // the absence is cached
    }

    // What takes the number of "same" has its name as well; a file becomes a folder, and a folder a file.
    private static string Successors(Dictionary<string, string> number)
    {
        var script = new System.Text.StringBuilder(OwnText.Function);
        foreach (string name in Victims)
        {
            (string successor, string command) = name switch
            {
                "same" => ("same", "own foreign > same"),
                "folder" => ("folder", "mkdir folder"),
                "turncoat" => ("new-turncoat", "mkdir new-turncoat"),
                "flat" => ("new-flat", "own foreign > new-flat"),
                "link" => ("link", "ln -s elsewhere link"),
                _ => ("new-" + name, $"own foreign > new-{name}"),
            };
            script.Append(Plain, $"{command}; [ \"$(stat -c %i {successor})\" = {number[name]} ] || {{ echo {name} was not reused >&2; exit 1; }}\n");
        }
        return script.Append("rm spare spare2; sync; own foreign > folder/inside; own foreign > new-turncoat/inside; setfattr -n user.owner -v foreign new-tagged\n").ToString();
    }
}
