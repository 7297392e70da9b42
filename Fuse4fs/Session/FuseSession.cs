using Fuse4fs.Device;
using Fuse4fs.Server;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Session;

/// <summary>
/// Reads requests, has them answered and writes the replies, in several plain threads, until the mount is gone. A thread runs one request
/// from its first byte to its last; a stack trace shows the whole of it.
/// </summary>
internal sealed partial class FuseSession(FuseDevice device, Dispatcher dispatcher, Negotiated negotiated, ILogger log)
{
    private const int PageSize = 4096;
    private const int LeastRequestBuffer = 64 * 1024; // long enough for a BATCH_FORGET of thousands
    private const int StackSize = 512 * 1024;

    private int _badReplies;

    /// <summary>Threads for a machine: measured on two cores, and enough elsewhere that one slow disk read does not stop the rest.</summary>
    public static int DefaultThreads => Math.Clamp(Environment.ProcessorCount, 2, 8);

    /// <summary>Serves with this many threads; returns when the mount is gone. A thread that fails ends the process: the next worker takes over.</summary>
    public void Run(int threads)
    {
        var readers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            // All memory is there before the first request is taken.
            var buffers = new Buffers(RequestBufferSize, ReplyBufferSize);
            readers[i] = new Thread(() => Serve(buffers), StackSize) { Name = $"fuse-{i}" };
        }
        foreach (Thread reader in readers)
            reader.Start();
        foreach (Thread reader in readers)
            reader.Join();
    }

    // The kernel refuses a read with less room than its largest request: max_write, its headers, and never less than 8 KiB.
    private int RequestBufferSize => Math.Max(LeastRequestBuffer, (int)negotiated.MaxWrite + PageSize);

    // The payload starts on a page border, the header right before it.
    private int ReplyBufferSize => PageSize + (Math.Max((int)negotiated.MaxPages, 32) * PageSize);

    private void Serve(Buffers buffers)
    {
        Span<byte> request = buffers.Request.Span;
        Span<byte> reply = buffers.Reply.Span[(PageSize - Protocol.ReplyWriter.HeaderSize)..];
        while (true)
        {
            int length = device.Read(request);
            if (length < 0)
                return;
            if (length == 0)
                continue;
            int answer = dispatcher.Dispatch(request[..length], reply);
            if (answer != 0 && !device.Write(reply[..answer]) && Interlocked.Increment(ref _badReplies) == 1)
                ReplyRefused(log, BitConverter.ToUInt32(request[4..8]), answer);
        }
    }

    private sealed record Buffers(ResidentBuffer Request, ResidentBuffer Reply)
    {
        public Buffers(int request, int reply)
            : this(new ResidentBuffer(request), new ResidentBuffer(reply))
        {
        }
    }

    [LoggerMessage(LogLevel.Error, "the kernel refused a reply of {Length} bytes to opcode {Opcode} (please report)")]
    private static partial void ReplyRefused(ILogger log, uint opcode, int length);
}
