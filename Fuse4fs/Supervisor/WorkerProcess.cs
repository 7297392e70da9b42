using System.Text;
using Fuse4fs.Device;
using Fuse4fs.Diagnostics;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The worker as its supervisor sees it: a child process, a socket to it, and its log.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    private readonly ChildProcess _process;
    private readonly MessageSocket _channel;
    private readonly Descriptor _words;
    private readonly ILogger _log;
    private readonly byte[] _line = new byte[8192];
    private int _lineLength;

    /// <param name="process">The process.</param>
    /// <param name="channel">The socket to it.</param>
    /// <param name="words">Where its log comes from.</param>
    /// <param name="log">Where its log goes.</param>
    public WorkerProcess(ChildProcess process, MessageSocket channel, Descriptor words, ILogger log)
    {
        _process = process;
        _channel = channel;
        _words = words;
        _log = log;
    }

    /// <summary>When it was started, in milliseconds of the monotonic clock.</summary>
    public long Started { get; } = Environment.TickCount64;

    /// <summary>The worker's pid.</summary>
    public int Id => _process.Id;

    /// <summary>Readable when the worker has something to say, and when it has ended.</summary>
    public Descriptor Channel => _channel.Descriptor;

    /// <summary>Readable when the worker has logged something.</summary>
    public Descriptor Words => _words;

    /// <summary>Gives the worker what it is to serve. It begins.</summary>
    /// <param name="state">The memfd of the state.</param>
    /// <param name="image">The image, read-only.</param>
    /// <param name="journal">The external journal, read-only, or null.</param>
    /// <param name="root">An empty directory, the worker's whole filesystem; null where there is none.</param>
    public void Give(Descriptor state, Descriptor image, Descriptor? journal, Descriptor? root)
    {
        _ = _channel.Send([(byte)WorkerMessage.State], state);
        if (root is not null)
            _ = _channel.Send([(byte)WorkerMessage.Root], root);
        if (journal is not null)
            _ = _channel.Send([(byte)WorkerMessage.Journal], journal);
        _ = _channel.Send([(byte)WorkerMessage.Image], image); // one that has ended in the meantime shows by its end
    }

    /// <summary>Waits until the worker calls the image good. Null then; otherwise why not, in words for the user.</summary>
    public string? AwaitVerdict(int milliseconds)
    {
        long end = Environment.TickCount64 + milliseconds;
        while (!Channel.WaitReadable(20))
        {
            ForwardWords();
            if (Environment.TickCount64 >= end)
                return $"the worker has not said within {milliseconds / 1000} seconds whether the image is good";
        }
        switch (Receive(out string words))
        {
            case WorkerMessage.Ready:
                return null;
            case WorkerMessage.Refused or WorkerMessage.OtherVolume or WorkerMessage.OtherVersion:
                return words;
            default:
                _ = _process.HasEnded(milliseconds: 2000);
                ForwardWords();
                return $"the worker ended ({_process.DescribeEnd()}) before it could say whether the image is good";
        }
    }

    /// <summary>What the worker says, with the words behind it; null when it has ended. Waits if it has said nothing.</summary>
    public WorkerMessage? Receive(out string words)
    {
        Span<byte> message = _channel.Receive(new byte[4096], out Descriptor? file);
        file?.Dispose(); // nothing of the kind is expected
        words = message.Length > 1 ? Encoding.UTF8.GetString(message[1..]) : "";
        return message.IsEmpty ? null : (WorkerMessage)message[0];
    }

    /// <summary>Asks the worker to take no more requests.</summary>
    public void AskToStop() => _ = _channel.Send([(byte)WorkerMessage.Stop]);

    /// <summary>Whether the worker ended by SIGKILL, which says nothing about what it was doing.</summary>
    public bool WasKilled => (_process.Status & 0x7f) == Libc.SIGKILL;

    /// <summary>Hands the device over: from now on the worker answers requests.</summary>
    public void Go(FuseDevice device) => _ = _channel.Send([(byte)WorkerMessage.Go], device.Descriptor);

    /// <summary>Passes what the worker has written so far on to the log, line by line.</summary>
    public void ForwardWords()
    {
        while (_words.WaitReadable(0))
        {
            int count = _words.Read(_line.AsSpan(_lineLength), out _);
            if (count <= 0)
                return;
            _lineLength += count;
            int start = 0;
            int end;
            while ((end = _line.AsSpan(start, _lineLength - start).IndexOf((byte)'\n')) >= 0)
            {
                Forward(_line.AsSpan(start, end));
                start += end + 1;
            }
            if (start == 0 && _lineLength == _line.Length)
            {
                Forward(_line);
                start = _lineLength;
            }
            _line.AsSpan(start, _lineLength - start).CopyTo(_line);
            _lineLength -= start;
        }
    }

    /// <summary>Whether the worker has ended; waits for that at most this long.</summary>
    public bool HasEnded(int milliseconds = 0) => _process.HasEnded(milliseconds);

    /// <summary>How it ended, in words.</summary>
    public string DescribeEnd() => _process.DescribeEnd();

    /// <summary>Ends the worker for certain.</summary>
    public void Kill() => _process.Kill();

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        ForwardWords();
        _channel.Dispose();
        _words.Dispose();
    }

    private void Forward(ReadOnlySpan<byte> line)
    {
        (LogLevel level, string text) = SyslogPriority.Parse(Encoding.UTF8.GetString(line));
        if (text.Length != 0)
            WorkerSaid.Log(_log, level, text);
    }
}

/// <summary>A line that comes from a worker.</summary>
internal static partial class WorkerSaid
{
    [LoggerMessage("{Text}")]
    public static partial void Log(ILogger log, LogLevel level, string text);
}
