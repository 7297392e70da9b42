using System.Collections.Concurrent;
using Fuse4fs.Device;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>What became of a file that somebody holds.</summary>
internal sealed record HolderReport(HeldFile File, HeldVerdict Verdict);

/// <summary>
/// Who holds what on the mount at the moment when its image is found written, so that an administrator learns whom it concerns: stale and changed inodes by their last
/// known paths. Taken on a thread of its own while the next worker starts; that one judges, for it can read the image.
/// </summary>
internal sealed class HolderCensus
{
    private readonly ConcurrentQueue<HeldFile> _found = new();
    private readonly Thread _thread;
    private volatile bool _stop;
    private volatile bool _complete;
    private IReadOnlyList<HeldFile> _taken = [];

    private HolderCensus(uint deviceMinor) => _thread = new Thread(() => Collect(deviceMinor)) { IsBackground = true, Name = "census" };

    /// <summary>Whether nobody was left out for want of time or room.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Begins one.</summary>
    public static HolderCensus Start(uint deviceMinor)
    {
        var census = new HolderCensus(deviceMinor);
        census._thread.Start();
        return census;
    }

    /// <summary>Ends it, and lays what was found before the worker that is about to judge.</summary>
    /// <param name="state">Where the worker finds it.</param>
    /// <param name="milliseconds">How long requests may wait for this.</param>
    public void Submit(SessionState state, int milliseconds)
    {
        IsComplete = _thread.Join(milliseconds) && _complete;
        _stop = true;
        _taken = [.. _found.Take(SessionState.MostHeld)];
        Span<HeldNode> held = state.Held;
        held.Clear();
        for (int i = 0; i < _taken.Count; i++)
            held[i].Node = _taken[i].Node;
    }

    /// <summary>What the worker has found, worst first.</summary>
    public IReadOnlyList<HolderReport> Read(SessionState state)
    {
        var reports = new List<HolderReport>();
        for (int i = 0; i < _taken.Count; i++)
            if (state.Held[i].Verdict is HeldVerdict.Changed or HeldVerdict.Stale)
                reports.Add(new HolderReport(_taken[i], state.Held[i].Verdict));
        return [.. reports.OrderByDescending(report => report.Verdict).ThenBy(report => report.File.Path, StringComparer.Ordinal)];
    }

    private void Collect(uint deviceMinor)
    {
        try
        {
            _complete = HeldFiles.Collect(deviceMinor, _found, SessionState.MostHeld, () => _stop);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No /proc, or not for us: then nobody is named.
        }
    }
}
