using Fuse4fs.State;

namespace Fuse4fs.Session;

/// <summary>
/// While requests that a crashed worker had in hand have not come again and been answered, all requests run one at a time: so a second crash names
/// the one to blame. The one that has crashed two workers is not run a third time. One poisonous file costs itself.
/// </summary>
internal sealed class Quarantine
{
    private const uint MostDeaths = 2;
    private const int PatienceMilliseconds = 10_000; // a caller that was killed meanwhile never comes again

    private readonly SessionState _state;
    private readonly Lock _alone = new();
    private readonly long _end = Environment.TickCount64 + PatienceMilliseconds;
    private int _suspects;

    public Quarantine(SessionState state)
    {
        _state = state;
        foreach (ref Suspect suspect in state.Suspects)
            if (suspect.Unique != 0)
                _suspects++;
    }

    /// <summary>Whether any request is under suspicion: otherwise nobody need ask.</summary>
    public bool IsActive => Volatile.Read(ref _suspects) != 0;

    /// <summary>Waits for the request's turn, to be ended with <see cref="Leave"/>. Answers whether it has crashed two workers already.</summary>
    /// <param name="unique">The request's, without the resend bit.</param>
    public bool Enter(ulong unique)
    {
        _alone.Enter();
        foreach (ref Suspect suspect in _state.Suspects)
            if (suspect.Unique == unique && suspect.Deaths >= MostDeaths)
                return true;
        return false;
    }

    /// <summary>The request is answered: it is under suspicion no more.</summary>
    /// <param name="unique">The request's, without the resend bit.</param>
    public void Leave(ulong unique)
    {
        foreach (ref Suspect suspect in _state.Suspects)
        {
            if (suspect.Unique != unique)
                continue;
            suspect = default;
            _suspects--;
        }
        if (Environment.TickCount64 > _end)
        {
            _state.Suspects.Clear();
            _suspects = 0;
        }
        _alone.Exit();
    }
}
