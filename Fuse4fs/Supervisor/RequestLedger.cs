using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The requests that workers have in hand, as their threads note them in the state, and what becomes of them when a worker has ended: the kernel queues them
/// again for whoever reads next; where it cannot, their callers get an error. What a crashed worker had in hand is remembered as suspect.
/// Workers can write anything into the state: no number from there may overflow here.
/// </summary>
/// <param name="state">The state.</param>
/// <param name="device">The connection.</param>
internal sealed class RequestLedger(SessionState state, FuseDevice device) : IDisposable
{
    private readonly ResidentBuffer _message = new(4096);

    /// <summary>Requests answered so far, by all workers.</summary>
    public ulong Answers
    {
        get
        {
            ulong sum = 0;
            for (int i = 0; i < SessionState.MostThreads; i++)
                sum = unchecked(sum + state.Thread(i).Answers); // a worker can write anything there
            return sum;
        }
    }

    /// <summary>Whether any request is in hand at this moment.</summary>
    public bool HasRequestInHand
    {
        get
        {
            for (int i = 0; i < SessionState.MostThreads; i++)
                if (Volatile.Read(ref state.Thread(i).Unique) != 0)
                    return true;
            return false;
        }
    }

    /// <summary>Whether one request has been in hand for longer than this.</summary>
    public bool HasRequestOlderThan(int seconds)
    {
        long now = Environment.TickCount64;
        for (int i = 0; i < SessionState.MostThreads; i++)
        {
            ref ThreadRecord record = ref state.Thread(i);
            if (Volatile.Read(ref record.Unique) != 0 && unchecked(now - record.Since) > seconds * 1000L)
                return true;
        }
        return false;
    }

    /// <summary>
    /// The worker has ended: its requests go back to the kernel's queue at once, whatever comes next. Then their callers can at least be killed, and whoever
    /// reads next has them.
    /// </summary>
    /// <param name="crashed">By its own doing: one of the requests may be to blame. Otherwise nobody is.</param>
    public void Close(bool crashed)
    {
        int length = Notification.Resend(_message.Span);
        bool resent = state.Negotiated.HasResend && device.Write(_message.Span[..length]);
        for (int i = 0; i < SessionState.MostThreads; i++)
        {
            ref ThreadRecord record = ref state.Thread(i);
            if (record.Unique == 0)
                continue;
            if (crashed)
                Suspect(record);
            if (!resent)
                Fail(record.Unique);
            record.Unique = 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _message.Dispose();

    // Before Linux 6.9 what a dead worker had taken cannot be had again: an error is better than a caller that waits for ever.
    private void Fail(ulong unique)
    {
        int length = new ReplyWriter(_message.Span, unique).Send(Errno.EIO);
        _ = device.Write(_message.Span[..length]);
    }

    private void Suspect(in ThreadRecord record)
    {
        Span<Suspect> suspects = state.Suspects;
        int place = -1;
        for (int i = 0; i < suspects.Length; i++)
        {
            if (suspects[i].Unique == record.Unique)
            {
                suspects[i].Deaths = unchecked(Math.Max(suspects[i].Deaths, suspects[i].Deaths + 1));
                return;
            }
            if (suspects[i].Unique == 0 && place < 0)
                place = i;
        }
        if (place >= 0)
            suspects[place] = new Suspect { Unique = record.Unique, NodeId = record.NodeId, Opcode = record.Opcode, Deaths = 1 };
    }
}
