using System.Globalization;
using System.Text;

namespace TestSupport;

/// <summary>One line of /proc/self/mountinfo.</summary>
public sealed record MountEntry(int DeviceMinor, string MountPoint, string Options, string Type, string Source, string SuperOptions);

/// <summary>What is mounted, read without touching any mount.</summary>
public static class MountTable
{
    public static IReadOnlyList<MountEntry> Read() =>
        [.. File.ReadAllLines("/proc/self/mountinfo", Encoding.Latin1).Select(Parse)];

    /// <summary>The topmost mount on a folder, or null.</summary>
    public static MountEntry? Find(string mountPoint) => Read().LastOrDefault(mount => mount.MountPoint == mountPoint);

    private static MountEntry Parse(string line)
    {
        // "36 35 98:0 /root /mount/point options optional-field… - type source super-options" (proc_pid_mountinfo(5))
        string[] fields = line.Split(' ');
        int dash = Array.IndexOf(fields, "-", 6);
        int minor = int.Parse(fields[2].Split(':')[1], CultureInfo.InvariantCulture);
        return new MountEntry(minor, Unescape(fields[4]), fields[5], fields[dash + 1], Unescape(fields[dash + 2]), fields[dash + 3]);
    }

    private static string Unescape(string field) =>
        field.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);
}
