using EndToEnd.Tests.Recovery;
using TestSupport;

namespace EndToEnd.Tests.Nfs;

/// <summary>A mounted image that nfs-ganesha exports, in a network of its own.</summary>
internal sealed class Exported : IDisposable
{
    private const double LimitSeconds = 240;
    private readonly PrivateNetwork _network = new();
    private Ganesha? _server;

    /// <param name="mounted">What is exported; stays its owner's.</param>
    public Exported(Mounted mounted)
    {
        Mounted = mounted;
        try
        {
            _server = new Ganesha(_network, mounted.MountPoint);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public Mounted Mounted { get; }

    /// <summary>What the server has logged.</summary>
    public string Log => _server?.Log ?? "";

    /// <summary>Runs something that talks to the server: whatever does has to be started in here.</summary>
    public void Run(Action action, double seconds = LimitSeconds) => _network.Run(seconds, action, "what talks to the NFS server is done; its log: " + Log);

    /// <summary>Runs something with a new client.</summary>
    public void With(int version, Action<NfsClient> action) => Run(() =>
    {
        using NfsClient client = Ganesha.Connect(version);
        action(client);
    });

    /// <summary>Ends the server as a crash would, lets <paramref name="meanwhile"/> happen and starts another.</summary>
    public void RestartServer(Action? meanwhile = null)
    {
        _server?.Dispose();
        _server = null;
        meanwhile?.Invoke();
        _server = new Ganesha(_network, Mounted.MountPoint);
    }

    public void Dispose()
    {
        _server?.Dispose();
        _server = null;
        _network.Dispose();
    }
}
