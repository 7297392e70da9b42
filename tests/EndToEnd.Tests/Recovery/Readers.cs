using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Threads of which each does one thing over and over. What goes wrong is kept, and ends its thread.</summary>
internal sealed class Readers : IDisposable
{
    private readonly List<string> _complaints = [];
    private readonly Thread[] _threads;
    private readonly int[] _rounds;
    private volatile bool _stop;

    /// <param name="what">Each gets the number of its round.</param>
    public Readers(params Action<int>[] what)
    {
        _rounds = new int[what.Length];
        _threads = [.. what.Select((one, number) => new Thread(() => Repeat(one, number)) { IsBackground = true })];
        foreach (Thread thread in _threads)
            thread.Start();
    }

    /// <summary>How often each has been through.</summary>
    public IReadOnlyList<int> Rounds => _rounds;

    public bool HaveComplaints
    {
        get
        {
            lock (_complaints)
                return _complaints.Count > 0;
        }
    }

    /// <summary>Ends them after their present round, and fails with what has gone wrong.</summary>
    public void Stop()
    {
        _stop = true;
        Assert.All(_threads, thread => Assert.True(thread.Join(30_000), "a reader hangs"));
        Assert.Empty(_complaints);
    }

    public void Dispose() => _stop = true;

    private void Repeat(Action<int> what, int number)
    {
        while (!_stop)
        {
            try
            {
                what(_rounds[number]);
                _rounds[number]++;
            }
#pragma warning disable CA1031 // whatever it is, it must not be; the first of them fails the test
            catch (Exception e)
#pragma warning restore CA1031
            {
                lock (_complaints)
                    _complaints.Add(e.Message);
                return;
            }
        }
    }
}
