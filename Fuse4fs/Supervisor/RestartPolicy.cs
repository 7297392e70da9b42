namespace Fuse4fs.Supervisor;

/// <summary>What to do when a worker dies by itself.</summary>
internal enum OnCrash
{
    /// <summary>Start the next one.</summary>
    Restart,

    /// <summary>Have e2fsck look at the image first.</summary>
    Fsck,

    /// <summary>End the mount.</summary>
    Stop,
}

/// <summary>When the next worker starts after a death, and when there is no sense in another. Pure arithmetic.</summary>
/// <param name="mostDeaths">Deaths without a single answer between them after which to give up; 0: never.</param>
internal sealed class RestartPolicy(int mostDeaths)
{
    private const int FirstDelay = 20;
    private const int LongestDelay = 5000;

    private int _deaths;
    private ulong _answers;

    /// <summary>Deaths since the last answer.</summary>
    public int DeathsWithoutAnswer => _deaths;

    /// <summary>Takes note of a death.</summary>
    /// <param name="answers">Requests answered so far, by all workers.</param>
    /// <returns>Milliseconds to wait before the next start; null to give up.</returns>
    public int? NoteDeath(ulong answers)
    {
        if (answers != _answers)
            _deaths = 0;
        _answers = answers;
        _deaths++;
        if (mostDeaths != 0 && _deaths >= mostDeaths)
            return null;
        // The first at once: a crash under load must be over before anybody notices. Then twice as long each time.
        return _deaths == 1 ? 0 : Math.Min(LongestDelay, FirstDelay << Math.Min(_deaths - 2, 16));
    }
}
