using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>
/// <c>restart</c>, <c>pause</c>, <c>resume</c> and <c>status</c>: they talk to the supervisor over its socket. None touches the mount point.
/// </summary>
internal static class ServiceCommands
{
    /// <summary>All four.</summary>
    public static IEnumerable<Command> Build() => [Restart(), Pause(), Resume(), Status()];

    private static Command Restart()
    {
        Argument<string> mountPoint = MountPoint();
        var fsck = new Option<string?>("--fsck") { Description = "Run e2fsck in between, with these arguments (default: -p).", HelpName = "arguments", Arity = ArgumentArity.ZeroOrOne };
        var exec = new Option<string?>("--exec") { Description = "Run this shell command in between; $IMAGE is the image.", HelpName = "command" };
        var drop = new Option<bool>("--drop-caches") { Description = "Have the kernel drop all it has cached." };
        Option<bool> force = Force();
        Option<bool> asJson = Json();
        var command = new Command("restart", "Ends the worker and starts the next one; requests wait meanwhile.") { mountPoint, fsck, exec, drop, force, asJson };
        command.SetAction(parsed => Ask(parsed.GetValue(mountPoint)!, new ControlRequest(ControlVerb.Restart)
        {
            Fsck = parsed.GetResult(fsck) is not null,
            FsckArguments = parsed.GetValue(fsck) ?? "",
            Exec = parsed.GetValue(exec) ?? "",
            DropCaches = parsed.GetValue(drop),
            Force = parsed.GetValue(force),
        }, parsed.GetValue(asJson)));
        return command;
    }

    private static Command Pause()
    {
        Argument<string> mountPoint = MountPoint();
        var kill = new Option<bool>("--kill") { Description = "By SIGKILL, whatever the worker is doing." };
        var resume = new Option<bool>("--resume") { Description = "Start the next worker at once." };
        Option<bool> force = Force();
        var command = new Command("pause", "Ends the worker and gives the image up; requests wait until resume.") { mountPoint, kill, resume, force };
        command.SetAction(parsed => Ask(parsed.GetValue(mountPoint)!, new ControlRequest(ControlVerb.Pause)
        {
            Kill = parsed.GetValue(kill),
            ThenResume = parsed.GetValue(resume),
            Force = parsed.GetValue(force),
        }));
        return command;
    }

    private static Command Resume()
    {
        Argument<string> mountPoint = MountPoint();
        Option<bool> force = Force();
        Option<bool> asJson = Json();
        var command = new Command("resume", "Starts the next worker; returns when nothing former is visible any more.") { mountPoint, force, asJson };
        command.SetAction(parsed => Ask(parsed.GetValue(mountPoint)!, new ControlRequest(ControlVerb.Resume) { Force = parsed.GetValue(force) }, parsed.GetValue(asJson)));
        return command;
    }

    private static Command Status()
    {
        var mountPoint = new Argument<string?>("MOUNTPOINT") { Description = "Where an image is mounted; all mounts of fuse4fs where none is named.", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> asJson = Json();
        var command = new Command("status", "How mounts stand; works while no worker runs, too.") { mountPoint, asJson };
        command.SetAction(parsed =>
        {
            string? only = parsed.GetValue(mountPoint);
            string[] targets = only is not null ? [NativePath.OfMountPoint(only)] : [.. MountTable.Read().Where(mount => mount.Type == "fuse.fuse4fs").Select(mount => mount.MountPoint)];
            int code = ExitCode.Success;
            foreach (string target in targets)
                code = Math.Max(code, ShowStatus(target, parsed.GetValue(asJson)));
            return code;
        });
        return command;
    }

    private static Argument<string> MountPoint() => new("MOUNTPOINT") { Description = "Where the image is mounted." };

    private static Option<bool> Force() => new("--force") { Description = "Though an overlayfs stands on the mount, which does not survive it if the image was written." };

    private static Option<bool> Json() => new("--json") { Description = "For programs: one JSON object, as of status." };

    private static int Ask(string mountPoint, ControlRequest request, bool asJson = false)
    {
        using JsonDocument? reply = Call(NativePath.OfMountPoint(mountPoint), mountPoint, request);
        if (reply is null)
            return ExitCode.MountFailure;
        JsonElement json = reply.RootElement;
        if (asJson)
        {
            Output.Print(json.GetRawText() + "\n");
            return json.GetProperty("ok").GetBoolean() ? ExitCode.Success : ExitCode.MountFailure;
        }
        string message = json.TryGetProperty("message", out JsonElement words) ? words.GetString()! : "done";
        if (!json.GetProperty("ok").GetBoolean())
        {
            // What was refused at once has had no check: the report there is would be an older one's.
            if (message == json.GetProperty("reason").GetString())
                Output.Print(json.GetProperty("lastCheck").GetString()!);
            MountCommand.Say($"{mountPoint}: {message}");
            return ExitCode.MountFailure;
        }
        var text = new StringBuilder($"{mountPoint}: {message}\n");
        if (request.Fsck || request.Exec.Length != 0)
            text.Append(json.GetProperty("lastCheck").GetString());
        if (request.Verb is ControlVerb.Restart or ControlVerb.Resume)
            text.Append(StatusText.OfRestart(json));
        Output.Print(text.ToString());
        return ExitCode.Success;
    }

    private static int ShowStatus(string target, bool asJson)
    {
        using JsonDocument? reply = Call(target, target, new ControlRequest(ControlVerb.Status));
        if (reply is null)
            return ExitCode.MountFailure;
        JsonElement json = reply.RootElement;
        if (asJson)
        {
            Output.Print(json.GetRawText() + "\n");
            return ExitCode.Success;
        }
        Output.Print(StatusText.Of(target, json));
        return ExitCode.Success;
    }

    private static JsonDocument? Call(string target, string shown, ControlRequest request) => SupervisorCall.Ask(MountTable.Find(target), shown, request);
}
