using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// Mounting and unmounting without root, through the set-user-id helper of libfuse (fusermount3(1)). It hands back the device's open file, which
/// is then held and passed on like one that we opened.
/// </summary>
internal static class UserMount
{
    private const string Helper = "fusermount3";

    /// <summary>Mounts. Null, and the helper's own words, when it refuses.</summary>
    public static FuseDevice? TryMount(MountSpecification mount, out string problem)
    {
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_STREAM);
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        using var socket = new MessageSocket(ours);
        using (words)
        {
            string options = string.Join(',',
            [
                "ro",
                mount.NoSetUserId ? "nosuid" : "suid",
                mount.NoDevices ? "nodev" : "dev",
                .. mount.NoExecute ? ["noexec"] : (string[])[],
                .. mount.NoAccessTime ? ["noatime"] : (string[])[],
                .. mount.NoDirectoryAccessTime ? ["nodiratime"] : (string[])[],
                .. mount.AllowOther ? ["allow_other"] : (string[])[],
                .. mount.DefaultPermissions ? ["default_permissions"] : (string[])[],
                "subtype=" + mount.Subtype,
                "fsname=" + Escape(mount.Source),
            ]);
            ChildProcess helper;
            try
            {
                const int Socket = 3;
                List<string> environment = ChildProcess.OwnEnvironment();
                environment.RemoveAll(variable => variable.StartsWith("_FUSE_COMMFD=", StringComparison.Ordinal));
                environment.Add($"_FUSE_COMMFD={Socket}");
                helper = ChildProcess.Start([Helper, "-o", options, "--", mount.Target], [.. environment], [(theirs, Socket), (speaker, 2)], newSession: false);
            }
            catch (SystemCallException e)
            {
                problem = e.Errno == Errno.ENOENT ? $"{Helper} is needed to mount without root and is not there; install the package fuse3" : e.Message;
                return null;
            }
            finally
            {
                theirs.Dispose();
                speaker.Dispose();
            }
            _ = socket.Receive(stackalloc byte[1], out Descriptor? device);
            problem = device is null ? ReadAll(words) : "";
            _ = helper.HasEnded(milliseconds: 5000);
            return device is null ? null : new FuseDevice(device);
        }
    }

    /// <summary>Unmounts. Null on success, otherwise the helper's own words.</summary>
    public static string? Unmount(string target, bool lazily)
    {
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        using (words)
        {
            ChildProcess helper;
            try
            {
                helper = ChildProcess.Start([Helper, lazily ? "-uz" : "-u", "--", target], environment: null, [(speaker, 2)], newSession: false);
            }
            catch (SystemCallException e)
            {
                return e.Message;
            }
            finally
            {
                speaker.Dispose();
            }
            string said = ReadAll(words);
            return helper.HasEnded(milliseconds: 10_000) && helper.ExitCode == 0 ? null : said;
        }
    }

    // A comma ends an option; the helper takes a backslash before it.
    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    private static string ReadAll(Descriptor pipe)
    {
        var text = new System.Text.StringBuilder();
        Span<byte> buffer = stackalloc byte[1024];
        int count;
        while (text.Length < 4096 && (count = pipe.Read(buffer, out _)) > 0)
            text.Append(System.Text.Encoding.UTF8.GetString(buffer[..count]));
        return text.ToString().Trim().ReplaceLineEndings(" ");
    }
}
