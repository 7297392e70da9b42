using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// The open file of /dev/fuse behind a mount. One read is one request, one write one reply. Supervisor and workers share the same open
/// file: what a dead worker had taken is then queued again, whereas closing a private clone would end it with ECONNABORTED.
/// </summary>
internal sealed class FuseDevice : IDisposable
{
    /// <summary>The device's path.</summary>
    public const string Path = "/dev/fuse";

    private readonly Descriptor _descriptor;

    /// <param name="descriptor">The open file, which this object owns from now on.</param>
    public FuseDevice(Descriptor descriptor) => _descriptor = descriptor;

    /// <summary>The descriptor.</summary>
    public Descriptor Descriptor => _descriptor;

    /// <summary>
    /// Waits for a request and reads it. Bytes read; 0 when there is none after all (ask again); -1 when the mount is gone.
    /// </summary>
    /// <param name="buffer">Resident, at least as large as the negotiated max_write and 4 KiB, and 8 KiB.</param>
    public int Read(Span<byte> buffer)
    {
        int count = _descriptor.Read(buffer, out Errno errno);
        return errno switch
        {
            Errno.Ok => count > 0 ? count : -1, // an empty read is how a socket in its place hangs up
            // ENOENT: the request was withdrawn while it was handed over.
            Errno.ENOENT or Errno.EAGAIN => 0,
            // ENODEV: unmounted. ECONNABORTED: the connection was aborted. EPERM: it never was mounted.
            Errno.ENODEV or Errno.ECONNABORTED or Errno.ENOTCONN or Errno.EPERM => -1,
            _ => throw new SystemCallException("read " + Path, errno),
        };
    }

    /// <summary>
    /// Writes a reply or a notification. False when it was refused for its form, which is a bug of ours: the caller gets EIO.
    /// A request that nobody waits for any more (ENOENT) and a mount that is gone are normal.
    /// </summary>
    /// <param name="message">From a resident buffer.</param>
    public bool Write(ReadOnlySpan<byte> message) => _descriptor.Write(message) is not Errno.EINVAL;

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();
}
