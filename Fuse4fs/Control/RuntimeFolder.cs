using System.Globalization;
using Fuse4fs.Device;

namespace Fuse4fs.Control;

/// <summary>
/// The folder for what lives as long as a mount: /run/fuse4fs for root; for others one in XDG_RUNTIME_DIR, /run/user/UID or, where there is neither, in /tmp.
/// Commands look in all of them that can be the mounting user's: their environment may be another than that of the mount.
/// </summary>
internal static class RuntimeFolder
{
    private const uint WritableByOthers = 0x12; // S_IWGRP | S_IWOTH

    /// <summary>Makes ours. Null, and why, when it cannot be, or is not safely ours.</summary>
    public static string? TryMake(out string problem)
    {
        uint user = Libc.GetEffectiveUserId();
        problem = "";
        foreach (string folder in PlacesOf(user))
        {
            try
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problem = e.Message;
                continue;
            }
            if (IsOf(user, folder))
                return folder;
            problem = $"{folder} belongs to somebody else, or others can write to it";
        }
        return null;
    }

    /// <summary>The folders where this user's supervisors can be found: only such as nobody else can have put there.</summary>
    public static IEnumerable<string> Find(uint user) => PlacesOf(user).Where(folder => IsOf(user, folder));

    private static IEnumerable<string> PlacesOf(uint user)
    {
        if (user == 0)
            return ["/run/fuse4fs"];
        string? own = user == Libc.GetEffectiveUserId() ? Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") : null;
        string usual = string.Create(CultureInfo.InvariantCulture, $"/run/user/{user}");
        string last = string.Create(CultureInfo.InvariantCulture, $"/tmp/fuse4fs-{user}"); // not TMPDIR: all commands must find the same
        IEnumerable<string> personal = new[] { own, usual }.Where(folder => !string.IsNullOrEmpty(folder) && Directory.Exists(folder)).Select(folder => folder + "/fuse4fs");
        return [.. personal.Distinct(), last];
    }

    // A symbolic link is nobody's folder: in /tmp anybody could have made it.
    private static bool IsOf(uint user, string folder) =>
        FileStatus.OfEntry(folder) is { IsDirectory: true } status && status.UserId == user && (status.Mode & WritableByOthers) == 0;
}
