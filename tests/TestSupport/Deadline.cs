using System.Diagnostics;

namespace TestSupport;

/// <summary>A hard limit: a point in time after which waiting is a failure.</summary>
public sealed class Deadline
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly TimeSpan _limit;

    private Deadline(TimeSpan limit) => _limit = limit;

    public static Deadline In(double seconds) => new(TimeSpan.FromSeconds(seconds));

    public TimeSpan Remaining => _limit > _clock.Elapsed ? _limit - _clock.Elapsed : TimeSpan.Zero;

    public bool HasPassed => Remaining == TimeSpan.Zero;

    /// <summary>Asks again and again until <paramref name="condition"/> holds; throws when the time is over.</summary>
    public void WaitUntil(Func<bool> condition, string what)
    {
        if (!TryWaitUntil(condition))
            throw new TimeoutException($"not within {_limit.TotalSeconds:0.#} s: {what}");
    }

    /// <summary>The same, but answers false when the time is over. The condition is asked at least once, and once more at the end.</summary>
    public bool TryWaitUntil(Func<bool> condition)
    {
        while (!condition())
        {
            if (HasPassed)
                return condition();
            Thread.Sleep(10);
        }
        return true;
    }

    /// <summary>
    /// Runs <paramref name="action"/> on a thread of its own and gives up on it when the time is over. The thread stays behind, for
    /// nothing can end a system call from outside: whoever calls this for a mount aborts the connection, which does.
    /// </summary>
    public void Run(Action action, string what)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { IsBackground = true };
        thread.Start();
        if (!thread.Join(Remaining))
            throw new TimeoutException($"not within {_limit.TotalSeconds:0.#} s: {what}");
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }
}
