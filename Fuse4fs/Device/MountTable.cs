using System.Globalization;
using System.Text;

namespace Fuse4fs.Device;

/// <summary>One line of /proc/self/mountinfo (proc(5)).</summary>
internal sealed record MountEntry(int Id, int Parent, uint DeviceMajor, uint DeviceMinor, string Root, string MountPoint, string Options, string Type, string Source, string SuperOptions);

/// <summary>What is mounted where, without touching any of it: a stat of a mount point waits for a dead server.</summary>
internal static class MountTable
{
    /// <summary>All mounts that this process sees, in the order of mounting.</summary>
    public static IReadOnlyList<MountEntry> Read() => Parse(File.ReadAllText("/proc/self/mountinfo"));

    /// <summary>The uppermost mount on exactly this path, or null. The path is compared as text: absolute, without symbolic links.</summary>
    public static MountEntry? Find(string mountPoint)
    {
        MountEntry? found = null;
        foreach (MountEntry entry in Read())
            if (entry.MountPoint == mountPoint)
                found = entry;
        return found;
    }

    /// <summary>Parses the text of a mountinfo file. Lines that are not as documented are passed over.</summary>
    public static IReadOnlyList<MountEntry> Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // id parent major:minor root mountpoint options [optional …] - type source superoptions
            string[] field = line.Split(' ');
            int dash = Array.IndexOf(field, "-", Math.Min(6, field.Length));
            if (dash < 0 || field.Length < dash + 3)
                continue;
            string[] device = field[2].Split(':');
            entries.Add(new MountEntry(
                Number(field[0]), Number(field[1]), (uint)Number(device[0]), (uint)Number(device[^1]),
                Unescape(field[3]), Unescape(field[4]), field[5], Unescape(field[dash + 1]), Unescape(field[dash + 2]), field.Length > dash + 3 ? Unescape(field[dash + 3]) : ""));
        }
        return entries;
    }

    // Space, tab, newline and backslash are written as a backslash and three octal digits.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var plain = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] is >= '0' and <= '3')
            {
                plain.Append((char)(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0')));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }
        return plain.ToString();
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
