using System.Text;
using Fuse4fs.Device;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Diagnostics;

/// <summary>Lines to the system's log, as datagrams to /dev/log (syslog(3), RFC 3164). Without a system log they are lost, as with syslog(3).</summary>
internal sealed class SyslogSink : ILogSink
{
    private const int DaemonFacility = 3 << 3;

    private Descriptor? _socket;

    /// <inheritdoc/>
    public void Write(LogLevel level, string text)
    {
        byte[] datagram = Encoding.UTF8.GetBytes($"<{DaemonFacility | SyslogPriority.Of(level)}>fuse4fs[{Environment.ProcessId}]: {text}");
        // The log may have been restarted since: then the socket is no longer connected, and one more try is due.
        for (int attempt = 0; attempt < 2; attempt++)
        {
            _socket ??= UnixSocket.TryConnect("/dev/log", Libc.SOCK_DGRAM);
            if (_socket is null || _socket.Write(datagram) == Protocol.Errno.Ok)
                return;
            _socket.Dispose();
            _socket = null;
        }
    }
}
