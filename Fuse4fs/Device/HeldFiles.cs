using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Fuse4fs.Device;

/// <summary>A file of a mount that a process has open or works in.</summary>
/// <param name="Node">Its nodeid.</param>
/// <param name="Path">Where it is, as far as the kernel knows.</param>
/// <param name="Process">The process's pid.</param>
/// <param name="Command">The process's name.</param>
/// <param name="Holding">How: "fd 3", "cwd" or "root".</param>
internal sealed record HeldFile(ulong Node, string Path, int Process, string Command, string Holding);

/// <summary>
/// Who has what open on a FUSE mount, from /proc and by name_to_handle_at(2) on its links. None of it asks the mount's server: links there are not looked up by name,
/// and a handle is made of what the kernel has in memory. Nothing here takes the lock of a process's memory, which one that waits for a page of ours may
/// hold: so what is only mapped is not found.
/// </summary>
internal static unsafe class HeldFiles
{
    private const int Follow = 0x400; // AT_SYMLINK_FOLLOW
    private const int FuseHandle = 0x81; // fileid_type FILEID_INO64_GEN
    private const int HandleBytes = 12; // nodeid, upper half first, and generation
    private static readonly string[] NeverOurs = ["/dev/", "/memfd:", "/proc/", "/sys/"];

    /// <summary>Collects them until it is through or told to stop.</summary>
    /// <param name="deviceMinor">The mount's device minor; the major of FUSE mounts is 0.</param>
    /// <param name="found">Where they go.</param>
    /// <param name="mostFound">How many at the most.</param>
    /// <param name="stop">Asked between any two processes and files.</param>
    /// <returns>Whether all of them were looked at.</returns>
    public static bool Collect(uint deviceMinor, ConcurrentQueue<HeldFile> found, int mostFound, Func<bool> stop)
    {
        var namespaces = new Dictionary<string, IReadOnlyList<MountEntry>>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int process))
                continue;
            try
            {
                string space = LinkOf(folder + "/ns/mnt") ?? "";
                if (!namespaces.TryGetValue(space, out IReadOnlyList<MountEntry>? mounts))
                    namespaces[space] = mounts = [.. MountTable.Parse(File.ReadAllText(folder + "/mountinfo")).Where(entry => entry.DeviceMajor == 0 && entry.DeviceMinor == deviceMinor)];
                if (mounts.Count != 0 && !CollectOf(process, folder, mounts, found, mostFound, stop))
                    return false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process has ended, or is somebody else's.
            }
        }
        return true;
    }

    private static bool CollectOf(int process, string folder, IReadOnlyList<MountEntry> mounts, ConcurrentQueue<HeldFile> found, int mostFound, Func<bool> stop)
    {
        foreach (string place in (string[])["cwd", "root"])
        {
            // By name first: a handle of what lies elsewhere is none of our business, and might ask another server.
            if (LinkOf($"{folder}/{place}") is string path && mounts.Any(mount => path == mount.MountPoint || path.StartsWith(mount.MountPoint + "/", StringComparison.Ordinal)))
                Add($"{folder}/{place}", path, place);
        }
        foreach (string file in Directory.EnumerateFiles(folder + "/fd"))
        {
            if (stop() || found.Count >= mostFound)
                return false;
            string number = Path.GetFileName(file);
            if (LinkOf(file) is string path && path.StartsWith('/') && !NeverOurs.Any(start => path.StartsWith(start, StringComparison.Ordinal)) && IsOn(mounts, $"{folder}/fdinfo/{number}"))
                Add(file, path, "fd " + number);
        }
        return true;

        void Add(string link, string path, string holding)
        {
            if (TryGetNode(link, mounts, out ulong node))
                found.Enqueue(new HeldFile(node, path, process, File.ReadAllText(folder + "/comm").TrimEnd('\n'), holding));
        }
    }

    // proc(5), fdinfo: "mnt_id:" and the mount's number in the process's mountinfo.
    private static bool IsOn(IReadOnlyList<MountEntry> mounts, string descriptorInfo)
    {
        foreach (string line in File.ReadLines(descriptorInfo))
            if (line.StartsWith("mnt_id:", StringComparison.Ordinal))
                return int.TryParse(line.AsSpan("mnt_id:".Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && mounts.Any(mount => mount.Id == id);
        return false;
    }

    // What the link says, without following it; null where there is none.
    private static string? LinkOf(string path) => new FileInfo(path).LinkTarget;

    private static bool TryGetNode(string link, IReadOnlyList<MountEntry> mounts, out ulong node)
    {
        // struct file_handle: u32 bytes, s32 type, the handle
        Span<uint> handle = [HandleBytes, 0, 0, 0, 0];
        byte[] path = [.. Encoding.UTF8.GetBytes(link), 0];
        int number;
        fixed (uint* raw = handle)
        fixed (byte* name = path)
        {
            if (Libc.NameToHandle(Libc.AT_FDCWD, name, raw, &number, Follow) != 0 || handle[1] != FuseHandle)
            {
                node = 0;
                return false;
            }
        }
        node = (ulong)handle[2] << 32 | handle[3];
        int mount = number;
        return mounts.Any(entry => entry.Id == mount);
    }
}
