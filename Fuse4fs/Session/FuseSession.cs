using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Session;

/// <summary>
/// Reads requests, has them answered and writes the replies, in several plain threads, until the mount is gone. A thread runs one request
/// from its first byte to its last; a stack trace shows the whole of it.
/// </summary>
internal sealed partial class FuseSession(FuseDevice device, Dispatcher dispatcher, SessionState state, Gate gate, ILogger log)
{
    private const int PageSize = 4096;
    private const int LeastRequestBuffer = 64 * 1024; // long enough for a BATCH_FORGET of thousands
    private const int StackSize = 512 * 1024;
    private const ulong ResendBit = 1UL << 63;

    private readonly Quarantine _quarantine = new(state);
    private readonly ListingAhead _ahead = new(dispatcher);
    private int _badReplies;
    private volatile bool _stopping;

    /// <summary>Threads for a machine: one more than it has processors, as measured on two (docs/performance.md), and no more than a slow disk can use.</summary>
    private static int DefaultThreads => Math.Clamp(Environment.ProcessorCount + 1, 2, 8);

    /// <summary>Threads for a mount.</summary>
    public static int ThreadsFor(ServeOptions options) => options.Threads != 0 ? Math.Min(options.Threads, SessionState.MostThreads - 1) : DefaultThreads;

    /// <summary>Serves with this many threads; returns when the mount is gone. A thread that fails ends the process: the next worker takes over.</summary>
    public void Run(int threads)
    {
        var readers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            // All memory is there before the first request is taken.
            Buffers buffers = NewBuffers();
            int number = i;
            readers[i] = new Thread(() => Serve(number, buffers), StackSize) { Name = $"fuse-{i}" };
        }
        foreach (Thread reader in readers)
            reader.Start();
        foreach (Thread reader in readers)
            reader.Join();
    }

    /// <summary>Takes no more requests: those in hand are finished. A thread that waits for one goes on waiting.</summary>
    public void Stop() => _stopping = true;

    /// <summary>Opens the gate and answers, on this thread, what was parked behind it.</summary>
    /// <param name="number">Which record of the state this thread has for itself.</param>
    public void AnswerParked(int number)
    {
        Buffers buffers = NewBuffers();
        foreach (byte[] request in gate.Open())
        {
            request.CopyTo(buffers.Request.Span);
            Answer(buffers.Request.Span[..request.Length], Reply(buffers), ref state.Thread(number));
        }
    }

    private static Span<byte> Reply(Buffers buffers) => buffers.Reply.Span[(PageSize - ReplyWriter.HeaderSize)..];

    // The kernel refuses a read with less room than its largest request: max_write, its headers, and never less than 8 KiB. The reply's
    // payload starts on a page border, the header right before it.
    private Buffers NewBuffers() => new(
        new ResidentBuffer(Math.Max(LeastRequestBuffer, (int)state.Negotiated.MaxWrite + PageSize)),
        new ResidentBuffer(PageSize + (Math.Max((int)state.Negotiated.MaxPages, 32) * PageSize)));

    private void Serve(int number, Buffers buffers)
    {
        Span<byte> request = buffers.Request.Span;
        Span<byte> reply = Reply(buffers);
        ref ThreadRecord record = ref state.Thread(number);
        while (!_stopping)
        {
            int length = device.Read(request);
            if (length < 0)
                return;
            if (length != 0 && !gate.Parks(request[..length]))
                Answer(request[..length], reply, ref record);
        }
    }

    private void Answer(ReadOnlySpan<byte> request, Span<byte> reply, ref ThreadRecord record)
    {
        if (request.Length < Unsafe.SizeOf<InHeader>())
        {
            _ = dispatcher.Dispatch(request, reply); // says so
            return;
        }
        ref readonly InHeader header = ref MemoryMarshal.AsRef<InHeader>(request);
        ulong unique = header.Unique & ~ResendBit;
        bool quarantined = _quarantine.IsActive;
        bool isPoison = quarantined && _quarantine.Enter(unique);
        record.Begin(unique, header.NodeId, (uint)header.Opcode);
        bool isListing = header.Opcode == Opcode.ReadDirPlus;
        int answer = 0;
        if (isPoison)
            answer = Refuse(header, reply);
        else if (!isListing || !_ahead.TryTake(request, reply, out answer))
            answer = dispatcher.Dispatch(request, reply);
        int error = answer == 0 ? 0 : -MemoryMarshal.Read<OutHeader>(reply).Error;
        if (answer != 0 && !device.Write(reply[..answer]) && Interlocked.Increment(ref _badReplies) == 1)
            ReplyRefused(log, header.Opcode, answer);
        record.End((uint)header.Opcode, error);
        if (quarantined)
            _quarantine.Leave(unique);
        if (isListing && answer != 0 && !_stopping)
            _ahead.Prepare(request, reply[..answer]);
    }

    private int Refuse(in InHeader header, Span<byte> reply)
    {
        Poison(log, header.Opcode, new Handles.NodeId(header.NodeId).ToString());
        return new ReplyWriter(reply, header.Unique).Send(Errno.EIO);
    }

    private sealed record Buffers(ResidentBuffer Request, ResidentBuffer Reply);

    [LoggerMessage(LogLevel.Error, "the kernel refused a reply of {Length} bytes to {Opcode} (please report)")]
    private static partial void ReplyRefused(ILogger log, Opcode opcode, int length);

    [LoggerMessage(LogLevel.Error, "{Opcode} of node {Node} has crashed two workers and is answered EIO (please report)")]
    private static partial void Poison(ILogger log, Opcode opcode, string node);
}
