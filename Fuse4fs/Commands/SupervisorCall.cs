using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;

namespace Fuse4fs.Commands;

/// <summary>Asks the supervisor of a mount over its socket. The mount itself is not touched.</summary>
internal static class SupervisorCall
{
    // Longer than any pass over the caches takes; what cannot succeed is answered at once.
    private const int Patience = 600_000;

    /// <summary>The supervisor's answer; null when there is none, which the user has been told.</summary>
    /// <param name="mount">The mount, as the mount table has it; null if there is none.</param>
    /// <param name="shown">What the user calls it.</param>
    /// <param name="request">The request.</param>
    public static JsonDocument? Ask(MountEntry? mount, string shown, ControlRequest request)
    {
        if (mount is null || !mount.Type.StartsWith("fuse", StringComparison.Ordinal))
        {
            MountCommand.Say($"{shown}: is not a mount of fuse4fs");
            return null;
        }
        using Descriptor? socket = ControlSocket.TryCall(mount);
        if (socket is null || socket.Write(request.ToLine()) != Protocol.Errno.Ok)
        {
            MountCommand.Say($"{shown}: its supervisor does not answer; is it gone? fuse4fs umount {shown} cleans up");
            return null;
        }
        var line = new List<byte>();
        byte[] buffer = new byte[4096];
        int count;
        while (socket.WaitReadable(Patience) && (count = socket.Read(buffer, out _)) > 0)
        {
            line.AddRange(buffer.AsSpan(0, count));
            if (buffer[count - 1] == (byte)'\n')
                return JsonDocument.Parse(line.ToArray());
        }
        MountCommand.Say($"{shown}: its supervisor ended before it answered");
        return null;
    }
}
