using Fuse4fs.Protocol;

namespace Fuse4fs.Device;

/// <summary>
/// A piece of memory that several processes see: a memfd whose size is sealed, so that no process can make another's access
/// fault (memfd_create(2), F_SEAL_SHRINK). What nobody has written to is a hole and costs nothing.
/// </summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private void* _start;

    private SharedMemory(Descriptor descriptor, void* start, int length)
    {
        Descriptor = descriptor;
        _start = start;
        Length = length;
    }

    /// <summary>The memfd, to be handed to other processes.</summary>
    public Descriptor Descriptor { get; }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes. Valid until <see cref="Dispose"/>.</summary>
    public Span<byte> Span => new(_start, Length);

    /// <summary>Zeroed memory of its own.</summary>
    public static SharedMemory Create(string name, int length)
    {
        var descriptor = new Descriptor(SystemCall.Check(Libc.MemFdCreate(name, Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING), "memfd_create"));
        SystemCall.Check(Libc.FTruncate(descriptor.Number, length), "ftruncate");
        SystemCall.Check(Libc.FControl(descriptor.Number, Libc.F_ADD_SEALS, Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW | Libc.F_SEAL_SEAL), "fcntl(F_ADD_SEALS)");
        return Attach(descriptor, length);
    }

    /// <summary>The memory behind a memfd that another process made; it must be at least this long.</summary>
    public static SharedMemory Attach(Descriptor descriptor, int length)
    {
        void* start = Libc.MMap(null, (nuint)length, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, descriptor.Number, 0);
        if ((nint)start == -1)
            throw new SystemCallException("mmap", SystemCall.LastError);
        return new SharedMemory(descriptor, start, length);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_start is null)
            return;
        _ = Libc.MUnmap(_start, (nuint)Length);
        _start = null;
        Descriptor.Dispose();
    }
}
