using Microsoft.Win32.SafeHandles;
using TestSupport.Trees;

namespace TestSupport;

/// <summary>
/// A network of our own, with nothing but a loopback interface: whatever listens in it, on every port, is out of everybody else's sight, and nothing of the
/// machine is in the way. A network belongs to threads, and to the processes that they start.
/// </summary>
public sealed class PrivateNetwork : IDisposable
{
    private const int NewNetwork = 0x40000000; // CLONE_NEWNET
    private readonly SafeFileHandle _namespace;

    public PrivateNetwork()
    {
        SafeFileHandle? made = null;
        Deadline.In(10).Run(
            () =>
            {
                _ = Posix.Check("unshare", Libc.Unshare(NewNetwork));
                Command.Run("ip", "link", "set", "lo", "up").OrThrow();
                made = File.OpenHandle("/proc/thread-self/ns/net");
            },
            "a network of our own");
        _namespace = made!;
    }

    /// <summary>Runs <paramref name="action"/> in the network, on a thread of its own: the sockets it opens and the programs it starts are in there for good.</summary>
    public void Run(double seconds, Action action, string what) =>
        Deadline.In(seconds).Run(
            () =>
            {
                _ = Posix.Check("setns", Libc.SetNamespace((int)_namespace.DangerousGetHandle(), NewNetwork));
                action();
            },
            what);

    public void Dispose() => _namespace.Dispose();
}
