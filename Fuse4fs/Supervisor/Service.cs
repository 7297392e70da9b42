using System.Diagnostics;
using Fuse4fs.Device;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The life of the workers behind one mount: started, ended, replaced, with e2fsck in between where that is wanted. Driven by the supervisor's loop;
/// nothing here waits for a worker or for e2fsck.
/// </summary>
internal sealed partial class Service : IDisposable
{
    private const int VerdictPatience = 60_000;
    private const int StopPatience = 500;
    private const int LookAgain = 200;
    private const int CensusPatience = 500; // on top of the start of a worker, and only after a write to the image
    private const int WatchInterval = 500;

    private readonly MountRequest _request;
    private readonly WorkerStarter _starter;
    private readonly FuseDevice _device;
    private readonly uint _mountMinor;
    private readonly ILogger _log;
    private readonly RestartPolicy _policy;
    private readonly RequestLedger _ledger;
    private readonly ServedImage _image;
    private HolderCensus? _census;
    private long _waitedSince; // until the worker in service; as WaitingSince
    private string _turnedDown = "";

    /// <param name="request">What the user asked for.</param>
    /// <param name="starter">Starts workers.</param>
    /// <param name="image">The image, open.</param>
    /// <param name="state">The state.</param>
    /// <param name="worker">The first worker, which answers.</param>
    /// <param name="mount">The mount.</param>
    /// <param name="log">The log.</param>
    public Service(MountRequest request, WorkerStarter starter, ServedImage image, SessionState state, WorkerProcess worker, FuseMount mount, ILogger log)
    {
        _request = request;
        _starter = starter;
        _image = image;
        State = state;
        Worker = worker;
        _device = mount.Device;
        _mountMinor = mount.Minor;
        _ledger = new RequestLedger(state, mount.Device);
        _log = log;
        _policy = new RestartPolicy(request.MaxRestarts);
        Enter(Phase.Serving, ""); // the first worker is watched like every other
    }

    /// <summary>The state that all workers share.</summary>
    public SessionState State { get; }

    /// <summary>The worker, if there is one.</summary>
    public WorkerProcess? Worker { get; private set; }

    /// <summary>What works on the image, if anything does.</summary>
    public FilesystemCheck? Check { get; private set; }

    /// <summary>What becomes of requests.</summary>
    public Phase Phase { get; private set; } = Phase.Serving;

    /// <summary>Why it is so, in words; empty where it is as it should be.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>When something is due by itself, in milliseconds of the monotonic clock; <see cref="long.MaxValue"/> for never.</summary>
    public long NextTime { get; private set; } = long.MaxValue;

    /// <summary>Why no more worker will be started; null while there is hope.</summary>
    public string? GivenUp { get; private set; }

    /// <summary>The last times that requests had to wait.</summary>
    public RestartHistory History { get; } = new();

    /// <summary>Who held what changed or went stale when the image was last found written.</summary>
    public IReadOnlyList<HolderReport> Holders { get; private set; } = [];

    /// <summary>Whether none was left out, as far as /proc shows.</summary>
    public bool HoldersAreAll { get; private set; } = true;

    /// <summary>Workers started so far. Ours: what the state says can be a worker's invention.</summary>
    public uint Starts { get; private set; } = 1;

    /// <summary>Deaths of workers so far.</summary>
    public int Deaths { get; private set; }

    /// <summary>What the last e2fsck or command said.</summary>
    public string LastCheckOutput { get; private set; } = "";

    /// <summary>What is served: the image's absolute path, and its partition if one was named.</summary>
    public string ImageName => _image.Name;

    /// <summary>The image's absolute path alone.</summary>
    public string ImagePath => _image.Path;

    /// <summary>Where the filesystem starts in it, in bytes.</summary>
    public long FilesystemStart => _image.FilesystemStart;

    /// <summary>The external journal's absolute path; null where there is none.</summary>
    public string? JournalPath => _image.JournalPath;

    /// <summary>Whether nothing former is visible any more.</summary>
    public bool IsCurrent => Phase == Phase.Serving && State.Resume.CurrentSince == Starts;

    /// <summary>Since when requests have been waiting, in milliseconds of the monotonic clock; 0 while they are answered.</summary>
    public long WaitingSince { get; private set; }

    /// <summary>How long requests waited the last time, in milliseconds.</summary>
    public long LastWait { get; private set; }

    /// <summary>Ends the worker, if there is one, and gives the image up. Requests wait.</summary>
    /// <param name="kill">At once, whatever it is doing; otherwise what is in hand is finished, for half a second.</param>
    /// <param name="reason">Why, for status.</param>
    public void Pause(bool kill, string reason)
    {
        EndWorker(kill, reason);
        EndCheck();
        _image.Release();
        Enter(Phase.Paused, reason);
    }

    /// <summary>Starts the next worker now.</summary>
    public void Resume()
    {
        EndCheck();
        EndWorker(kill: true, "resumed");
        StartWorker();
    }

    /// <summary>Ends the worker, if there is one, and starts the next.</summary>
    /// <param name="kill">As with <see cref="Pause"/>.</param>
    /// <param name="reason">Why, for status.</param>
    public void Restart(bool kill, string reason)
    {
        EndCheck();
        EndWorker(kill, reason);
        StartWorker(); // nothing happens in between, so a device stays claimed and is proved untouched
    }

    /// <summary>Whether the next worker, started now, would have to take the image for written. A look only: what it finds when it starts is what counts.</summary>
    public bool IsImageTouched() => State.Resume.IsTouched || _image.IsTouched();

    /// <summary>Pauses, has e2fsck or a command work on the image, and goes on.</summary>
    /// <param name="reason">Why, for status.</param>
    /// <param name="start">Starts it: the image's path, and where the filesystem starts in it.</param>
    public void RestartAfter(string reason, Func<string, long, FilesystemCheck> start)
    {
        EndWorker(kill: false, reason);
        EndCheck();
        _image.Release();
        try
        {
            Check = start(_image.Path, _image.FilesystemStart);
            Enter(Phase.Checking, "the image is being checked");
        }
        catch (SystemCallException e)
        {
            Enter(Phase.Paused, e.Message);
        }
    }

    /// <summary>The worker has said something, or has ended. True when nothing former is visible any more.</summary>
    public bool OnWorker()
    {
        switch (Worker!.Receive(out string words))
        {
            case WorkerMessage.Ready when Phase == Phase.Starting:
                _census?.Submit(State, CensusPatience);
                History.Last?.Ready = Stopwatch.GetTimestamp();
                _turnedDown = "";
                History.Last?.Going = Stopwatch.GetTimestamp(); // before, as below
                Worker.Go(_device);
                Enter(Phase.Serving, "");
                return false;
            case WorkerMessage.Answering when Phase == Phase.Serving && _waitedSince != 0:
                LastWait = Environment.TickCount64 - _waitedSince;
                _waitedSince = 0; // said once: a worker can say anything
                return false;
            case WorkerMessage.Current:
                if (History.Last is RestartRecord last)
                    (last.Current, last.Worker) = (Stopwatch.GetTimestamp(), State.Milestones);
                if (_census is not null)
                    (Holders, HoldersAreAll) = (_census.Read(State), _census.IsComplete);
                return true;
            case WorkerMessage.Refused or WorkerMessage.OtherVolume:
                // Nothing is served from an image that is not what was mounted; it may become so again.
                TurnDown($"{_image.Path} {words}");
                _image.Release();
                return false;
            case WorkerMessage.OtherVersion:
                TurnDown(words);
                return false;
            case null:
                OnDeath();
                return false;
            default:
                return false;
        }
    }

    /// <summary>What works on the image has said something, or has ended.</summary>
    public void OnCheck()
    {
        if (Check!.Read())
            return;
        string? objection = Check.Verdict();
        LastCheckOutput = Check.Output;
        EndCheck();
        if (objection is null)
        {
            StartWorker();
            return;
        }
        CheckFailed(_log, objection);
        Enter(Phase.Paused, objection);
    }

    /// <summary>Something is due by itself.</summary>
    public void OnTime()
    {
        NextTime = long.MaxValue;
        if (Phase == Phase.Waiting)
            StartWorker();
        else if (Phase == Phase.Starting)
            Replace("has not said within a minute whether the image is good");
        else if (Phase == Phase.Serving && _request.Watchdog > 0)
            Watch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        EndCheck();
        Worker?.Dispose();
        Worker = null;
        _image.Dispose();
        _ledger.Dispose();
    }

    // It is tried again and again, but said once.
    private void TurnDown(string why)
    {
        if (why != _turnedDown)
            NotServed(_log, why);
        _turnedDown = why;
        EndWorker(kill: true, why);
        Enter(Phase.Waiting, why, LookAgain * 5);
    }

    private void StartWorker()
    {
        try
        {
            _image.Reopen();
        }
        catch (MountException e)
        {
            if (Phase != Phase.Waiting || Reason.Length == 0)
                NoImage(_log, _image.Path, e.Message);
            Enter(Phase.Waiting, $"waiting for {_image.Path}: {e.Message}", LookAgain);
            return;
        }
        _census = State.Resume.IsTouched ? HolderCensus.Start(_mountMinor) : null;
        State.Resume.Start = ++Starts;
        try
        {
            History.Last?.Spawned = Stopwatch.GetTimestamp(); // before: the worker may be further than we are when we have done it
            Worker = _starter.Start();
            _starter.Give(Worker, _image.Image, _image.Journal);
            Enter(Phase.Starting, "", VerdictPatience);
        }
        catch (SystemCallException e)
        {
            Enter(Phase.Waiting, e.Message, 1000);
        }
    }

    private void OnDeath()
    {
        _ = Worker!.HasEnded(milliseconds: 2000);
        History.Begin($"worker {Worker.Id} died ({Worker.DescribeEnd()})");
        Deaths++;
        bool crashed = !Worker.WasKilled;
        WorkerDied(_log, Worker.Id, Worker.DescribeEnd());
        CloseAccount(crashed);
        int? delay = _policy.NoteDeath(_ledger.Answers);
        if (delay is null)
            GivenUp = $"{_policy.DeathsWithoutAnswer} workers have died without an answer between them (--max-restarts)";
        else if (_request.OnCrash == OnCrash.Stop)
            GivenUp = "a worker died (--on-crash=stop)";
        else if (_request.OnCrash == OnCrash.Fsck)
            RestartAfter("", (path, offset) => FilesystemCheck.StartFsck(path, offset, []));
        else if (delay == 0)
            StartWorker();
        else
            Enter(Phase.Waiting, "", delay.Value);
    }

    // Ends the worker, if there is one, on purpose: nobody is to blame for what it had in hand.
    private void EndWorker(bool kill, string reason)
    {
        if (Worker is null)
            return;
        History.Begin(reason);
        if (!kill)
        {
            Worker.AskToStop();
            long end = Environment.TickCount64 + StopPatience;
            while (_ledger.HasRequestInHand && Environment.TickCount64 < end && !Worker.HasEnded(milliseconds: 2))
            {
                // what is in hand is finished
            }
        }
        Worker.Kill();
        CloseAccount(crashed: false);
    }

    private void Replace(string why)
    {
        Stuck(_log, Worker!.Id, why);
        History.Begin($"worker {Worker.Id} {why}");
        Worker.Kill();
        Deaths++;
        CloseAccount(crashed: true);
        if (_policy.NoteDeath(_ledger.Answers) is int delay)
            Enter(Phase.Waiting, "", delay);
        else
            GivenUp = $"worker after worker {why}";
    }

    private void Watch()
    {
        if (_ledger.HasRequestOlderThan(_request.Watchdog))
            Replace($"has been at one request for {_request.Watchdog} seconds (--watchdog)");
        else
            NextTime = Environment.TickCount64 + WatchInterval;
    }

    private void CloseAccount(bool crashed)
    {
        _ledger.Close(crashed);
        Worker!.Dispose();
        Worker = null;
    }

    private void EndCheck()
    {
        Check?.Dispose();
        Check = null;
    }

    private void Enter(Phase phase, string reason, int milliseconds = -1)
    {
        long now = Environment.TickCount64;
        if (phase == Phase.Serving)
        {
            LastWait = WaitingSince == 0 ? 0 : now - WaitingSince;
            _waitedSince = WaitingSince;
            WaitingSince = 0;
            if (_request.Watchdog > 0)
                milliseconds = WatchInterval;
        }
        else if (WaitingSince == 0)
        {
            WaitingSince = now;
        }
        Phase = phase;
        Reason = reason;
        NextTime = milliseconds < 0 ? long.MaxValue : now + milliseconds;
    }

    [LoggerMessage(LogLevel.Warning, "worker {Id} died ({End}); requests wait for the next one")]
    private static partial void WorkerDied(ILogger log, int id, string end);

    [LoggerMessage(LogLevel.Error, "worker {Id} {Why}; it is replaced")]
    private static partial void Stuck(ILogger log, int id, string why);

    [LoggerMessage(LogLevel.Error, "{Reason}; requests wait until that has changed")]
    private static partial void NotServed(ILogger log, string reason);

    [LoggerMessage(LogLevel.Warning, "{Image}: {Reason}; requests wait until it is there")]
    private static partial void NoImage(ILogger log, string image, string reason);

    [LoggerMessage(LogLevel.Error, "not served again: {Reason}")]
    private static partial void CheckFailed(ILogger log, string reason);
}
