using System.Diagnostics;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.State;
using TestSupport;

namespace EndToEnd.Tests.Recovery;

/// <summary>Kills worker after worker: shortly after it has answered, in the midst of a request of a chosen kind, and the next one before it can answer.</summary>
internal sealed class Storm : IDisposable
{
    private readonly Mounted _mounted;
    private readonly SessionState _state;
    private readonly Random _random = new(1);
    private int _worker;

    public Storm(Mounted mounted)
    {
        _mounted = mounted;
        // The supervisor's own memory: what each thread of the worker has in hand can be seen there at once.
        string memory = Directory.EnumerateFiles($"/proc/{mounted.Mount.Supervisor}/fd").First(file => new FileInfo(file).LinkTarget?.StartsWith("/memfd:fuse4fs-state", StringComparison.Ordinal) == true);
        Descriptor descriptor = Descriptor.TryOpen(memory, Libc.O_RDWR, out _) ?? throw new InvalidOperationException("the state cannot be opened");
        _state = SessionState.TryAttach(descriptor, out string? problem) ?? throw new InvalidOperationException(problem);
    }

    /// <summary>Kills shortly after an answer.</summary>
    public int AfterAnswers { get; private set; }

    /// <summary>Kills in the midst of a READDIRPLUS.</summary>
    public int InListings { get; private set; }

    /// <summary>Kills in the midst of a READ.</summary>
    public int InReads { get; private set; }

    /// <summary>Kills of a worker whose predecessor was killed a moment before.</summary>
    public int Again { get; private set; }

    public int All => AfterAnswers + InListings + InReads + Again;

    /// <summary>One kill, or two.</summary>
    public void Strike()
    {
        AwaitAnswers();
        switch (_random.Next(4))
        {
            case 0:
                InListings += KillDuring(Opcode.ReadDirPlus);
                break;
            case 1:
                InReads += KillDuring(Opcode.Read);
                break;
            case 2:
                Pause();
                AfterAnswers += Kill();
                break;
            default:
                Pause();
                AfterAnswers += Kill();
                int former = _worker;
                _ = Deadline.In(1).TryWaitUntil(() => (_worker = Worker()) != former && _worker != 0);
                Pause();
                Again += Kill();
                break;
        }
    }

    public void Dispose() => _state.Dispose();

    private void Pause() => Thread.Sleep(_random.Next(2, 11));

    private int Worker() => Mounted.Ask(_mounted.Mount)?.GetProperty("worker").GetInt32() ?? 0;

    private ulong Answers()
    {
        ulong sum = 0;
        for (int i = 0; i < SessionState.MostThreads; i++)
            sum += _state.Thread(i).Answers;
        return sum;
    }

    // The next worker has begun to answer.
    private void AwaitAnswers()
    {
        ulong before = Answers();
        var clock = Stopwatch.StartNew();
        while (Answers() < before + 4)
        {
            if (clock.Elapsed.TotalSeconds > 20)
                throw new TimeoutException("nobody answers: " + _mounted.Mount.Log);
            Thread.Sleep(1);
        }
        _worker = Worker();
    }

    private int KillDuring(Opcode opcode)
    {
        var clock = Stopwatch.StartNew();
        while (clock.ElapsedMilliseconds < 200)
        {
            for (int i = 0; i < SessionState.MostThreads; i++)
            {
                ref ThreadRecord record = ref _state.Thread(i);
                if (Volatile.Read(ref record.Unique) != 0 && record.Opcode == (uint)opcode)
                    return Kill();
            }
        }
        return 0;
    }

    private int Kill()
    {
        if (_worker == 0 || !FuseServer.IsWorker(_worker))
            return 0;
        try
        {
            FuseServer.Signal(_worker, 9);
            return 1;
        }
        catch (IOException)
        {
            return 0; // it has ended by itself since
        }
    }
}
