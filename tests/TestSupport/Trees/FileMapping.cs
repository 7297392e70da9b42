namespace TestSupport.Trees;

/// <summary>
/// A file mapped into memory. Its bytes are copied by the kernel, to which a page that cannot be had is EFAULT: a touch of our own would be SIGBUS, and the
/// end of all tests.
/// </summary>
public sealed unsafe class FileMapping : IDisposable
{
    private readonly nint _start;
    private readonly int _length;

    public FileMapping(OpenDescriptor file, int length)
    {
        const int Readable = 1, Shared = 1;
        _length = length;
        _start = Libc.Map(0, length, Readable, Shared, file.Number, 0);
        if (_start == -1)
            throw new PosixException("mmap", System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
    }

    /// <summary>Touches a page or more and answers what is there.</summary>
    public byte[] Touch(int offset, int count)
    {
        using var copy = new OpenDescriptor(Posix.Check("memfd_create", Libc.MemoryFile(Posix.Bytes("copy"), 0)));
        long copied = Posix.Check("write", Libc.Write(copy.Number, (byte*)_start + offset, count));
        return copy.Read(0, (int)copied);
    }

    public void Dispose() => _ = Libc.Unmap(_start, _length);
}
