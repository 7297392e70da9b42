namespace Fuse4fs.Device;

/// <summary>
/// Native memory whose pages are there before it is used, and stay where the system allows it. All that is handed to read(2) and write(2) on
/// /dev/fuse lives in one: a SIGKILL while the kernel copies from or to an absent page ends the request with EIO, which no RESEND brings back.
/// </summary>
internal sealed unsafe class ResidentBuffer : IDisposable
{
    private void* _start;

    /// <param name="length">Bytes; rounded up to whole pages by the system.</param>
    public ResidentBuffer(int length)
    {
        _start = Libc.MMap(null, (nuint)length, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS | Libc.MAP_POPULATE, -1, 0);
        if ((nint)_start == -1)
        {
            _start = null;
            throw new SystemCallException("mmap", SystemCall.LastError);
        }
        Length = length;
        // A hint: without the right to lock memory the pages are populated all the same and go only to swap.
        _ = Libc.MLock(_start, (nuint)length);
    }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>The memory. Valid until <see cref="Dispose"/>.</summary>
    public Span<byte> Span => new(_start, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_start is null)
            return;
        _ = Libc.MUnmap(_start, (nuint)Length);
        _start = null;
    }
}
