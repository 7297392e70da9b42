using Fuse4fs.Protocol;

namespace Fuse4fs.Session;

/// <summary>
/// Stands between the device and the dispatcher while caches are being dropped: READs pass, because the dropping waits for the pages that they
/// fill; everything else is parked until nothing former can be seen any more.
/// </summary>
internal sealed class Gate(bool isOpen)
{
    private readonly Lock _lock = new();
    private Queue<byte[]>? _parked = isOpen ? null : new();

    /// <summary>Whether a request has to wait; then it is kept, as a copy.</summary>
    public bool Parks(ReadOnlySpan<byte> request)
    {
        if (Volatile.Read(ref _parked) is null || Passes((Opcode)BitConverter.ToUInt32(request[4..])))
            return false;
        lock (_lock)
        {
            if (_parked is null)
                return false;
            _parked.Enqueue(request.ToArray());
            return true;
        }
    }

    /// <summary>Lets all pass from now on. Those that were parked, in the order of their coming.</summary>
    public Queue<byte[]> Open()
    {
        lock (_lock)
        {
            Queue<byte[]> parked = _parked ?? new();
            _parked = null;
            return parked;
        }
    }

    private static bool Passes(Opcode opcode) =>
        opcode is Opcode.Read or Opcode.ReadLink or Opcode.Forget or Opcode.BatchForget or Opcode.Interrupt;
}
