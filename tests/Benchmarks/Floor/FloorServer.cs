using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benchmarks.Floor;

/// <summary>
/// Serves a mount from a tape: what fuse4fs could reach at the most if all that it does with an image took no time. The kernel, the messages, their order
/// and size, the system calls and the number of threads are those of fuse4fs; a reply is found by its request and copied, nothing is parsed.
/// </summary>
/// <remarks>
/// A request that is not on the tape is answered from the image, and recorded when the mount ends. So the first mount makes the tape.
/// </remarks>
internal sealed class FloorServer(Tape tape, Dispatcher dispatcher, FuseDevice device, int mostReply)
{
    private const int RequestBuffer = 64 * 1024;

    private readonly Lock _recording = new();
    private readonly List<(byte[] Request, byte[] Reply)> _recorded = [];

    /// <summary>Serves until the mount is gone; the exit code.</summary>
    public static int Run(string imagePath, string mountPoint, string tapePath)
    {
        Tape tape = Tape.Load(tapePath);
        var request = new MountRequest { Image = imagePath, MountPoint = mountPoint };
        using SessionState state = SessionState.Create(request.Serve);
        using Ext4Image image = Ext4Image.Open(imagePath);
        MountSpecification specification = FuseMount.Specify(request, root: true) with { Source = imagePath, Subtype = "floor" };
        using FuseMount mount = FuseMount.Create(specification, FuseMount.OpenDevice(), root: true);
        mount.Negotiate(request.ReadDirPlus, request.Acl, ref state.Negotiated);
        mount.RaiseReadahead();
        var dispatcher = new Dispatcher(new Ext4FileSystem(image, state), new FaultLog(NullLogger.Instance));
        var server = new FloorServer(tape, dispatcher, mount.Device, ((int)state.Negotiated.MaxPages + 1) * 4096);
        server.Serve(FuseSession.ThreadsFor(request.Serve));
        if (server._recorded.Count != 0)
        {
            foreach ((byte[] asked, byte[] reply) in server._recorded)
                tape.Add(asked, reply);
            tape.Save(tapePath);
        }
        return 0;
    }

    private void Serve(int threads)
    {
        Thread[] readers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Serve))];
        foreach (Thread reader in readers)
            reader.Start();
        foreach (Thread reader in readers)
            reader.Join();
    }

    private void Serve()
    {
        using var requests = new ResidentBuffer(RequestBuffer);
        using var replies = new ResidentBuffer(mostReply);
        int length;
        while ((length = device.Read(requests.Span)) >= 0)
        {
            int answer = length == 0 ? 0 : Answer(requests.Span[..length], replies.Span);
            if (answer != 0)
                _ = device.Write(replies.Span[..answer]);
        }
    }

    private int Answer(ReadOnlySpan<byte> request, Span<byte> reply)
    {
        InHeader header = MemoryMarshal.Read<InHeader>(request);
        if (header.Opcode is Opcode.Forget or Opcode.BatchForget or Opcode.Interrupt)
            return 0;
        Span<byte> key = stackalloc byte[512];
        key = key[..WriteKey(header, request[Unsafe.SizeOf<InHeader>()..], key)];
        if (tape.TryGet(key, out byte[]? known))
        {
            known.CopyTo(reply);
            MemoryMarshal.AsRef<OutHeader>(reply).Unique = header.Unique;
            return known.Length;
        }
        int length = dispatcher.Dispatch(request, reply);
        lock (_recording)
            _recorded.Add((key.ToArray(), reply[..length].ToArray()));
        return length;
    }

    // What the answer depends on: not who asks, nor for whom a page is read.
    private static int WriteKey(in InHeader header, ReadOnlySpan<byte> arguments, Span<byte> key)
    {
        MemoryMarshal.Write(key, header.Opcode);
        MemoryMarshal.Write(key[4..], header.NodeId);
        if (header.Opcode is Opcode.Read or Opcode.ReadDir or Opcode.ReadDirPlus)
            arguments = arguments.Slice((int)Marshal.OffsetOf<ReadIn>(nameof(ReadIn.Offset)), sizeof(ulong) + sizeof(uint));
        arguments.CopyTo(key[12..]);
        return 12 + arguments.Length;
    }
}
