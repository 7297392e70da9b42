using Mono.Unix.Native;
using TestSupport.Trees;

namespace EndToEnd.Tests.Hostile;

/// <summary>Asks a mount for everything, and notes which errors came for which path; bounded, whatever the image says.</summary>
internal sealed class Walk
{
    private const int Deepest = 8;
    private const int MostNames = 1000;
    private const int MostRead = 1 << 20;

    private readonly SortedDictionary<string, string> _errors = new(StringComparer.Ordinal);

    /// <summary>The first error for each path that had one.</summary>
    public IReadOnlyDictionary<string, string> Errors => _errors;

    /// <summary>How many paths were looked at.</summary>
    public int Paths { get; private set; }

    public static Walk Of(string mountPoint)
    {
        var walk = new Walk();
        walk.Visit(Posix.FromNet(mountPoint), "/", 0);
        return walk;
    }

    private void Visit(string path, string shown, int depth)
    {
        Paths++;
        FileStatus? status = null;
        Try(shown, () => status = Posix.Status(path));
        if (status is null)
            return;
        Try(shown, () =>
        {
            foreach (string name in Posix.AttributeNames(path))
                _ = Posix.Attribute(path, name);
        });
        if (status.Type == 'l')
            Try(shown, () => _ = Posix.ReadLink(path));
        if (status.Type == 'f')
            Try(shown, () => Read(path, status.Size));
        if (status.Type == 'd' && depth < Deepest)
            List(path, shown, depth);
    }

    private static void Read(string path, long size)
    {
        using OpenDescriptor file = Posix.Open(path);
        _ = file.Read(0, MostRead);
        _ = file.Read(Math.Max(0, size - 4096), 4096);
        _ = file.DataRanges(Math.Min(size, MostRead));
    }

    private void List(string path, string shown, int depth)
    {
        IReadOnlyList<ListedEntry> entries = [];
        Try(shown, () =>
        {
            using OpenDescriptor directory = Posix.Open(path);
            entries = directory.List(atMost: MostNames);
        });
        try
        {
            _ = Posix.Status(path + "/there-is-no-such-name");
        }
        catch (PosixException e) when (e.Error == Errno.ENOENT)
        {
            // As it must be.
        }
        catch (PosixException e)
        {
            _errors.TryAdd(shown, e.Error.ToString());
        }

        foreach (ListedEntry entry in entries)
        {
            if (entry.Name is not ("." or ".."))
                Visit($"{path}/{entry.Name}", $"{shown.TrimEnd('/')}/{entry.Name}", depth + 1);
        }
    }

    private void Try(string shown, Action action)
    {
        try
        {
            action();
        }
        catch (PosixException e)
        {
            _errors.TryAdd(shown, e.Error.ToString());
        }
        catch (InvalidDataException e)
        {
            _errors.TryAdd(shown, e.Message);
        }
    }
}
