using TestSupport;

namespace EndToEnd.Tests;

/// <summary>Runs programs as a user without any privilege (uid and gid 65534).</summary>
internal static class Nobody
{
    public const int Id = 65534;

    /// <summary>Why a user without privileges cannot mount here even when everything of ours is right; null if he can.</summary>
    public static string? CannotMount
    {
        get
        {
            string fusermount = Command.Find("fusermount3")!;
            if (!File.GetUnixFileMode(fusermount).HasFlag(UnixFileMode.SetUser))
                return "needs a setuid fusermount3";
            return Run("test", "-x", FuseServer.Environment["DOTNET_ROOT"]!).ExitCode == 0 ? null : "needs a .NET runtime that every user may read";
        }
    }

    public static CommandResult Run(params string[] command) =>
        Command.Run(30, FuseServer.Environment, ["setpriv", $"--reuid={Id}", $"--regid={Id}", "--clear-groups", .. command]);
}
