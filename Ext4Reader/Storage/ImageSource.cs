using Microsoft.Win32.SafeHandles;

namespace Ext4Reader.Storage;

/// <summary>Positioned reads of the bytes of one filesystem, which may start anywhere in a file or block device.</summary>
internal sealed class ImageSource : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly long _start;
    private readonly long _length;

    /// <summary>Takes ownership of the handle.</summary>
    /// <param name="file">A file or block device open for reading.</param>
    /// <param name="start">The byte at which the filesystem starts.</param>
    /// <param name="length">The number of bytes that are the filesystem's; 0 for all to the end.</param>
    internal ImageSource(SafeFileHandle file, long start, long length = 0)
    {
        _file = file;
        _start = start;
        // So that no offset within it overflows.
        _length = length == 0 ? long.MaxValue - start : Math.Min(length, long.MaxValue - start);
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Fills the whole destination from a byte offset in the filesystem.</summary>
    /// <exception cref="IOException">The device failed, or the image ends before.</exception>
    internal void Read(long offset, Span<byte> destination)
    {
        int got = ReadUpTo(offset, destination);
        if (got < destination.Length)
            throw new EndOfStreamException($"the image ends at byte {offset + got}, within the {destination.Length} bytes at {offset}");
    }

    /// <summary>Reads as much as there is, up to the length of the destination.</summary>
    internal int ReadUpTo(long offset, Span<byte> destination)
    {
        if (offset >= _length)
            return 0;
        if (destination.Length > _length - offset)
            destination = destination[..(int)(_length - offset)];
        int done = 0;
        while (done < destination.Length)
        {
            int got = RandomAccess.Read(_file, destination[done..], _start + offset + done);
            if (got == 0)
                break;
            done += got;
        }

        return done;
    }

    /// <summary>The number of bytes from the start of the filesystem to where it must end, or to the end of the file or device if that comes first.</summary>
    internal long Length()
    {
        long length = RandomAccess.GetLength(_file);
        return Math.Clamp((length > 0 ? length : ProbeLength()) - _start, 0, _length);
    }

    /// <summary>
    /// A block device has a length of 0 for fstat; where reads begin to return nothing is found by bisection, which
    /// needs no ioctl.
    /// </summary>
    private long ProbeLength()
    {
        Span<byte> one = stackalloc byte[1];
        long readable = 0;
        long unreadable = long.MaxValue;
        while (readable < unreadable)
        {
            long middle = readable + (unreadable - readable) / 2;
            if (CanRead(middle, one))
                readable = middle + 1;
            else
                unreadable = middle;
        }

        return readable;
    }

    private bool CanRead(long offset, Span<byte> one)
    {
        try
        {
            return RandomAccess.Read(_file, one, offset) > 0;
        }
        catch (IOException)
        {
            // Far beyond the end some devices answer EINVAL instead of nothing.
            return false;
        }
    }
}
