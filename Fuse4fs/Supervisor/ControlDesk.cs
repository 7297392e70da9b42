using Fuse4fs.Control;

namespace Fuse4fs.Supervisor;

/// <summary>Does what callers at the control socket ask for, and tells them when it is done.</summary>
/// <param name="control">The socket.</param>
/// <param name="service">The workers' life.</param>
/// <param name="mount">The mount.</param>
/// <param name="program">What workers are started with.</param>
internal sealed class ControlDesk(ControlSocket control, Service service, FuseMount mount, string[] program)
{
    private readonly long _started = Environment.TickCount64;
    private readonly List<(ControlCaller Caller, string Done)> _expectant = [];

    /// <summary>A caller has sent something, or is gone.</summary>
    public void Attend(ControlCaller caller)
    {
        if (!caller.Read())
        {
            _expectant.RemoveAll(entry => entry.Caller == caller);
            control.Remove(caller);
            return;
        }
        if (caller.Request is not ControlRequest request)
            return;
        switch (request.Verb)
        {
            case ControlVerb.Wait:
                break;
            case ControlVerb.Status:
                Reply(caller, null, null);
                break;
            case ControlVerb.Pause:
                if (request.ThenResume)
                {
                    if (BreaksOverlay(caller, request))
                        break;
                    GoOn(caller, "resumed", () => service.Restart(request.Kill, "fuse4fs pause --resume"));
                    break;
                }
                service.Pause(request.Kill, "paused by fuse4fs pause");
                Reply(caller, "paused; requests wait until fuse4fs resume", null);
                break;
            case ControlVerb.Resume:
                if (service.IsCurrent)
                    Reply(caller, "running already", null);
                else if (!BreaksOverlay(caller, request))
                    GoOn(caller, "resumed", service.Phase is Phase.Paused or Phase.Waiting ? () => service.Resume() : null);
                break;
            case ControlVerb.Restart:
                Restart(caller, request);
                break;
        }
    }

    private void Restart(ControlCaller caller, ControlRequest request)
    {
        if (BreaksOverlay(caller, request))
            return;
        // With nobody serving there is nothing to lose by a try.
        if (service.Worker is not null && InstalledProgram.Objection(program, service.State.Version) is string objection)
        {
            Reply(caller, null, $"{objection}; the running worker goes on");
            return;
        }
        if (request.DropCaches)
        {
            service.State.Resume.DropsAll = true;
            service.State.Resume.IsTouched = true;
        }
        string[] arguments = request.FsckArguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        GoOn(caller, "restarted", () =>
        {
            if (request.Fsck)
            {
                service.RestartAfter("fuse4fs restart --fsck", (path, offset) => FilesystemCheck.StartFsck(path, offset, arguments));
            }
            else if (request.Exec.Length != 0)
            {
                service.RestartAfter("fuse4fs restart --exec", (path, _) => FilesystemCheck.StartCommand(request.Exec, path));
            }
            else
            {
                service.Restart(kill: false, request.DropCaches ? "fuse4fs restart --drop-caches" : "fuse4fs restart");
            }
        });
    }

    // What makes the next worker drop names is refused while an overlayfs stands on the mount: that has them for good. A crash asks nobody.
    private bool BreaksOverlay(ControlCaller caller, ControlRequest request)
    {
        bool writes = request.Fsck || request.Exec.Length != 0 || request.DropCaches;
        if (request.Force || mount.OverlayAbove() is not string overlay || !(writes || service.IsImageTouched()))
            return false;
        string why = writes ? "" : "the image was written, and ";
        Reply(caller, null, $"{why}an overlayfs on {overlay} stands on this mount and would not survive it; unmount it first, or use --force");
        return true;
    }

    private void GoOn(ControlCaller caller, string done, Action? action)
    {
        action?.Invoke();
        _expectant.Add((caller, done));
    }

    /// <summary>Whoever waits for a worker that answers is told at once when there will be none for now.</summary>
    public void TellThoseWhoWaitInVain()
    {
        if (_expectant.Count != 0 && service.Phase is Phase.Waiting or Phase.Paused && service.Reason.Length != 0)
            TellAll(service.Phase == Phase.Paused ? service.Reason : null);
    }

    /// <summary>Tells all who wait that it is done, or why it is not.</summary>
    public void TellAll(string? problem)
    {
        foreach ((ControlCaller caller, string done) in _expectant)
            Reply(caller, service.Phase == Phase.Serving ? done : service.Reason, problem);
        _expectant.Clear();
    }

    private void Reply(ControlCaller caller, string? message, string? problem) =>
        caller.Reply(StatusReport.Write(service, mount, _started, message, problem));
}
