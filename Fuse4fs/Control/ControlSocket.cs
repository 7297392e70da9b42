using System.Globalization;
using Fuse4fs.Device;
using Fuse4fs.Protocol;

namespace Fuse4fs.Control;

/// <summary>
/// The supervisor's door, one Unix socket a mount, named by the mount's device minor: so commands find the supervisor from the mount table
/// and never touch the mount point. A caller sends one line and gets one line; whoever stays connected sees the connection end when the
/// image is closed.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    private const int MostCallers = 64;

    private readonly string _path;
    private readonly ulong _inode;
    private readonly List<ControlCaller> _callers = [];

    private ControlSocket(string path, Descriptor listener)
    {
        _path = path;
        _inode = FileStatus.Of(path, out _)?.Inode ?? 0;
        Listener = listener;
    }

    /// <summary>Readable when somebody calls.</summary>
    public Descriptor Listener { get; }

    /// <summary>Those who are connected.</summary>
    public IReadOnlyList<ControlCaller> Callers => _callers;

    /// <summary>Opens the door of a mount. Null, and why, where that cannot be: the mount works without it.</summary>
    public static ControlSocket? TryOpen(uint mountMinor, out string problem)
    {
        if (RuntimeFolder.TryMake(out problem) is not string folder)
            return null;
        string path = PathOf(folder, mountMinor);
        try
        {
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
    public static Descriptor? TryCall(MountEntry mount) =>
        RuntimeFolder.Find(OwnerOf(mount)).Select(folder => UnixSocket.TryConnect(PathOf(folder, mount.DeviceMinor), Libc.SOCK_STREAM)).FirstOrDefault(socket => socket is not null);

    /// <summary>Takes a caller in.</summary>
    public void Accept()
    {
        Descriptor? newcomer = UnixSocket.TryAccept(Listener);
        if (newcomer is not null && _callers.Count < MostCallers)
            _callers.Add(new ControlCaller(newcomer));
        else
            newcomer?.Dispose();
    }

    /// <summary>Lets a caller go.</summary>
    public void Remove(ControlCaller caller)
    {
        _callers.Remove(caller);
        caller.Dispose();
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
        foreach (ControlCaller caller in _callers)
            caller.Dispose();
    }

    private static string PathOf(string folder, uint mountMinor) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{mountMinor}.sock"));

    // fuse(4): user_id is the user whose process opened the device.
    private static uint OwnerOf(MountEntry mount)
    {
        string? owner = Array.Find(mount.SuperOptions.Split(','), option => option.StartsWith("user_id=", StringComparison.Ordinal));
        return uint.TryParse(owner.AsSpan(owner is null ? 0 : "user_id=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint user) ? user : Libc.GetEffectiveUserId();
    }
}

/// <summary>Somebody at the door.</summary>
internal sealed class ControlCaller(Descriptor socket) : IDisposable
{
    private readonly byte[] _line = new byte[8192];
    private int _length;

    /// <summary>Readable when there is more of a request, and when the caller is gone.</summary>
    public Descriptor Socket => socket;

    /// <summary>What was asked, once it is all here.</summary>
    public ControlRequest? Request { get; private set; }

    /// <summary>Takes what has come. False when the caller is gone or sends what is no request.</summary>
    public bool Read()
    {
        int count = socket.Read(_line.AsSpan(_length), out _);
        if (count <= 0 || Request is not null)
            return false;
        _length += count;
        int end = _line.AsSpan(0, _length).IndexOf((byte)'\n');
        if (end < 0)
            return _length < _line.Length;
        Request = ControlRequest.TryParse(_line.AsMemory(0, end));
        return Request is not null;
    }

    /// <summary>Answers. A caller that reads slowly, or not at all, is nobody's concern: the answer fits the socket's buffer.</summary>
    public void Reply(ReadOnlySpan<byte> line) => _ = socket.Write(line);

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();
}
