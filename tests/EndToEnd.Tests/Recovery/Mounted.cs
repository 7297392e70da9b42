using System.Diagnostics;
using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>A private copy of an image, mounted, with what the recovery tests do to it.</summary>
internal sealed class Mounted : IDisposable
{
    private readonly ImageCopy _copy;
    private readonly List<Process> _holders = [];
    private readonly Func<LiveMount> _mountImage;
    private LiveMount _mount;

    public Mounted(string? options = null, double limitSeconds = 120, params string[] arguments)
        : this(Images.Copy("sample"), options, limitSeconds, arguments)
    {
    }

    /// <param name="image">Ours from now on.</param>
    /// <param name="options">Mount options.</param>
    /// <param name="limitSeconds">When the mount is aborted, whatever the test is doing.</param>
    /// <param name="arguments">More arguments.</param>
    public Mounted(ImageCopy image, string? options = null, double limitSeconds = 120, params string[] arguments)
    {
        _copy = image;
        _mountImage = () => LiveMount.Foregrounded(image.ImagePath, options, limitSeconds, arguments);
        _mount = _mountImage();
        AwaitSupervisor(_mount);
    }

    /// <summary>
    /// Mounts with a switch for tests in the environment of the mount command, which is ours: tests that mount run one at a time.
    /// </summary>
    public static T Switched<T>(string name, string value, Func<T> mount)
    {
        Environment.SetEnvironmentVariable(name, value);
        try
        {
            return mount();
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, null);
        }
    }

    /// <summary>Waits for what comes just after the mount: the supervisor's socket, and its first opens and closes.</summary>
    public static void AwaitSupervisor(LiveMount mount) =>
        Deadline.In(10).WaitUntil(() => Ask(mount) is JsonElement status && status.GetProperty("errors").TryGetProperty("ENOSYS", out JsonElement primed) && primed.GetInt32() >= 3, "mounted and primed");

    /// <summary>How a mount stands, asked without starting a program; null if nobody answers.</summary>
    public static JsonElement? Ask(LiveMount mount)
    {
        using Descriptor? socket = Fuse4fs.Device.MountTable.Find(mount.MountPoint) is Fuse4fs.Device.MountEntry entry ? ControlSocket.TryCall(entry) : null;
        byte[] answer = new byte[65536];
        if (socket is null || socket.Write(new ControlRequest(ControlVerb.Status).ToLine()) != Errno.Ok || !socket.WaitReadable(5000))
            return null;
        int count = socket.Read(answer, out _);
        if (count <= 0)
            return null;
        using JsonDocument document = JsonDocument.Parse(answer.AsMemory(0, count));
        return document.RootElement.Clone();
    }

    public string Image => _copy.ImagePath;

    public string MountPoint => _mount.MountPoint;

    public LiveMount Mount => _mount;

    public JsonElement Status => JsonDocument.Parse(FuseServer.Run("status", MountPoint, "--json").OrThrow().Output).RootElement.Clone();

    public int Worker => Status.GetProperty("worker").GetInt32();

    public string Phase => Status.GetProperty("phase").GetString()!;

    /// <summary>Ends the holders, unmounts, and mounts the image again: on another folder, with another device number, as after a boot.</summary>
    public void Remount()
    {
        int device = _mount.Entry!.DeviceMinor;
        EndHolders();
        _mount.Dispose();
        _mount = _mountImage();
        if (_mount.Entry!.DeviceMinor == device)
        {
            using LiveMount inItsPlace = _mount; // or the next one would get it again
            _mount = _mountImage();
        }
        AwaitSupervisor(_mount);
    }

    /// <summary>
    /// How many requests of each kind there were: all but STATFS, which no kernel caches, FORGET, which comes when the kernel likes, and some more.
    /// </summary>
    public string Requests(params string[] except) => string.Join(", ", Status.GetProperty("requests").EnumerateObject()
        .Where(kind => kind.Name is not ("StatFs" or "Forget" or "BatchForget") && !except.Contains(kind.Name)).Select(kind => $"{kind.Name} {kind.Value.GetInt64()}"));

    public void KillWorker() => FuseServer.Signal(Worker, 9);

    public CommandResult Tell(params string[] words) => FuseServer.Run([words[0], MountPoint, .. words[1..]]);

    public string PathOf(string name) => _mount.PathOf(name);

    public void Debugfs(params string[] commands) => _copy.Debugfs(commands);

    /// <summary>Reads a file by another process: a mount that hangs must not hang the tests.</summary>
    public CommandResult Cat(string name) => Command.Run(20, null, "cat", $"{MountPoint}/{name}");

    /// <summary>A process that has a file open, of which it has read nothing.</summary>
    public Process Hold(string name) => Start("sh", "-c", "exec 3< \"$0\"; echo open; read go; cat <&3", $"{MountPoint}/{name}");

    /// <summary>A process that works in a folder, and runs <paramref name="script"/> there once it is told to.</summary>
    public Process WorkIn(string folder, string script) =>
        Start("sh", "-c", "cd \"$0\" && ls > /dev/null && echo open; read go; " + script, $"{MountPoint}/{folder}");

    /// <summary>A process that says "open" when it holds what it is to hold, and goes on when it is told to.</summary>
    public Process Start(params string[] command)
    {
        Process holder = Command.Start(null, command);
        _holders.Add(holder);
        Assert.Equal("open", holder.StandardOutput.ReadLine());
        return holder;
    }

    /// <summary>Has a holder go on; what it says is waited for by <see cref="End"/>.</summary>
    public static void Tell(Process holder)
    {
        holder.StandardInput.WriteLine("go");
        holder.StandardInput.Close();
    }

    /// <summary>Has a holder read all of its file.</summary>
    public static CommandResult Read(Process holder)
    {
        Tell(holder);
        return End(holder);
    }

    /// <summary>What a holder has said, once it has ended.</summary>
    public static CommandResult End(Process holder)
    {
        string output = "", errors = "";
        Deadline.In(20).Run(() => (output, errors) = (holder.StandardOutput.ReadToEnd(), holder.StandardError.ReadToEnd()), "the holder has read its file");
        holder.WaitForExit();
        return new CommandResult("holder", holder.ExitCode, output, errors);
    }

    public void Dispose()
    {
        try
        {
            _mount.Dispose();
        }
        finally
        {
            EndHolders();
            _copy.Dispose();
        }
    }

    private void EndHolders()
    {
        foreach (Process holder in _holders)
        {
            if (!holder.HasExited)
                holder.Kill();
            holder.Dispose();
        }
        _holders.Clear();
    }
}
