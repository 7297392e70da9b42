using System.Globalization;
using Fuse4fs.Device;
using Fuse4fs.Protocol;

namespace Fuse4fs.Control;

/// <summary>
/// The supervisor's door, one Unix socket a mount, named by the mount's device minor: so commands find the supervisor from the mount table
/// and never touch the mount point. Today there is one thing to ask: tell me when it is over. Whoever is connected sees the
/// connection end when the image is closed.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    private const int MostCallers = 64;

    private readonly string _path;
    private readonly ulong _inode;
    private readonly List<Descriptor> _callers = [];

    private ControlSocket(string path, Descriptor listener)
    {
        _path = path;
        _inode = FileStatus.Of(path, out _)?.Inode ?? 0;
        Listener = listener;
    }

    /// <summary>Readable when somebody calls.</summary>
    public Descriptor Listener { get; }

    /// <summary>Opens the door of a mount. Null, and why, where that cannot be: the mount works without it.</summary>
    public static ControlSocket? TryOpen(uint mountMinor, out string problem)
    {
        string path = PathOf(mountMinor);
        string folder = Path.GetDirectoryName(path)!;
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (FileStatus.Of(folder, out _)?.UserId != Libc.GetEffectiveUserId())
            {
                problem = $"{folder} belongs to somebody else";
                return null;
            }
            File.Delete(path); // of a mount that had this number before and whose supervisor was killed
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
            return null;
        }
        Descriptor? listener = UnixSocket.TryListen(path, Libc.SOCK_STREAM, out Errno errno);
        problem = listener is null ? $"{path}: {SystemCall.Describe(errno)}" : "";
        return listener is null ? null : new ControlSocket(path, listener);
    }

    /// <summary>A connection to a mount's supervisor, or null when nobody answers.</summary>
    public static Descriptor? TryCall(uint mountMinor) => UnixSocket.TryConnect(PathOf(mountMinor), Libc.SOCK_STREAM);

    /// <summary>Takes a caller in.</summary>
    public void Accept()
    {
        _callers.RemoveAll(caller =>
        {
            bool gone = caller.WaitReadable(0); // callers say nothing: readable means closed
            if (gone)
                caller.Dispose();
            return gone;
        });
        Descriptor? newcomer = UnixSocket.TryAccept(Listener);
        if (newcomer is not null && _callers.Count < MostCallers)
            _callers.Add(newcomer);
        else
            newcomer?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Listener.Dispose();
        try
        {
            // The number may be another mount's by now, and the socket there, too.
            if (FileStatus.Of(_path, out _)?.Inode == _inode)
                File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is replaced by the next mount of this number.
        }
        foreach (Descriptor caller in _callers)
            caller.Dispose();
    }

    private static string PathOf(uint mountMinor)
    {
        string? personal = Libc.GetEffectiveUserId() == 0 ? null : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        string root = Libc.GetEffectiveUserId() == 0 ? "/run"
            : !string.IsNullOrEmpty(personal) ? personal
            : string.Create(CultureInfo.InvariantCulture, $"/tmp/fuse4fs-{Libc.GetEffectiveUserId()}"); // not TMPDIR: all commands must find the same
        return Path.Combine(root, "fuse4fs", string.Create(CultureInfo.InvariantCulture, $"{mountMinor}.sock"));
    }
}
