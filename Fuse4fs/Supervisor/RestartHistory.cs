using System.Diagnostics;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>One time that requests had to wait: why, and when what happened. Times are ticks of the monotonic clock, 0 for not yet.</summary>
internal sealed class RestartRecord(string why)
{
    /// <summary>What set it off, in words.</summary>
    public string Why { get; } = why;

    /// <summary>When, by the calendar.</summary>
    public DateTimeOffset At { get; } = DateTimeOffset.UtcNow;

    /// <summary>The supervisor saw the worker's end, or set about ending it.</summary>
    public long Noticed { get; } = Stopwatch.GetTimestamp();

    /// <summary>The process of the next worker was started: the last one, where several were.</summary>
    public long Spawned { get; set; }

    /// <summary>It called the image good.</summary>
    public long Ready { get; set; }

    /// <summary>It was told to go.</summary>
    public long Going { get; set; }

    /// <summary>Nothing former is visible any more.</summary>
    public long Current { get; set; }

    /// <summary>The worker's own account.</summary>
    public Milestones Worker { get; set; }
}

/// <summary>The last times that requests had to wait. From a worker's end to the next one that answers is one, whatever happens in between.</summary>
internal sealed class RestartHistory
{
    private const int Most = 10;

    private readonly List<RestartRecord> _records = [];

    /// <summary>The last ones, oldest first.</summary>
    public IReadOnlyList<RestartRecord> Records => _records;

    /// <summary>The one that is under way, or the last one.</summary>
    public RestartRecord? Last => _records.Count == 0 ? null : _records[^1];

    /// <summary>A worker is at its end. Another one that ends before any has answered belongs to the same record.</summary>
    public void Begin(string why)
    {
        if (Last is { Going: 0 })
            return;
        if (_records.Count == Most)
            _records.RemoveAt(0);
        _records.Add(new RestartRecord(why));
    }
}
