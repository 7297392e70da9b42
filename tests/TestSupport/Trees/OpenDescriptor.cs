using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Mono.Unix.Native;

namespace TestSupport.Trees;

/// <summary>What an open file or directory can be asked.</summary>
public sealed unsafe class OpenDescriptor : IDisposable
{
    private const int DirentHeader = 19; // d_ino 8, d_off 8, d_reclen 2, d_type 1

    internal OpenDescriptor(int number) => Number = number;

    public int Number { get; }

    public void Dispose() => _ = Libc.Close(Number);

    public FileStatus Status() => Posix.Status(Number, "", Libc.AtEmptyPath);

    /// <summary>The same, never from a cache.</summary>
    public FileStatus StatusFromServer() => Posix.Status(Number, "", Libc.AtEmptyPath | Libc.AtForceSync);

    /// <summary>Has the kernel drop what it has cached of the file's or the directory's contents and nobody uses.</summary>
    public void DropPages()
    {
        const int DontNeed = 4;
        _ = Libc.Advise(Number, 0, 0, DontNeed);
    }

    /// <summary>Reads into memory that starts on a page border, as a descriptor with O_DIRECT wants it.</summary>
    public byte[] ReadAligned(long offset, int count)
    {
        byte* buffer = (byte*)NativeMemory.AlignedAlloc((nuint)count, 4096);
        try
        {
            int got = (int)Posix.Check("pread", Libc.ReadAt(Number, buffer, count, offset));
            return new ReadOnlySpan<byte>(buffer, got).ToArray();
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    public byte[] Read(long offset, int count)
    {
        byte[] buffer = new byte[count];
        fixed (byte* start = buffer)
        {
            int total = 0;
            while (total < count)
            {
                nint got = (nint)Posix.Check("pread", Libc.ReadAt(Number, start + total, count - total, offset + total));
                if (got == 0)
                    break;
                total += (int)got;
            }
            return buffer[..total];
        }
    }

    /// <summary>SHA-256 of a range, in pieces of <paramref name="piece"/> bytes.</summary>
    public string Hash(long start, long end, int piece = 1 << 20)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long position = start; position < end;)
        {
            byte[] data = Read(position, (int)Math.Min(piece, end - position));
            if (data.Length == 0)
                return $"short at {position}";
            hash.AppendData(data);
            position += data.Length;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The data ranges by SEEK_DATA and SEEK_HOLE.</summary>
    public IReadOnlyList<(long Start, long End)> DataRanges(long size)
    {
        List<(long, long)> ranges = [];
        for (long position = 0; position < size;)
        {
            long start;
            try
            {
                start = Seek(position, Libc.SeekData);
            }
            catch (PosixException e) when (e.Error == Errno.ENXIO)
            {
                break;
            }
            long end = Seek(start, Libc.SeekHole);
            // A server that lies must not make us loop.
            if (start < position || end <= start)
                throw new InvalidDataException($"SEEK_DATA from {position} says {start}, SEEK_HOLE from there {end}");
            ranges.Add((start, end));
            position = end;
        }
        return ranges;
    }

    public long Seek(long offset, int whence) => Posix.Check("lseek", Libc.Seek(Number, offset, whence));

    /// <summary>An extended attribute of what is open.</summary>
    public byte[] Attribute(string name) => Posix.Grow("fgetxattr", (buffer, size) => Libc.GetAttributeOf(Number, Posix.Bytes(name), buffer, size), 65536);

    /// <summary>The target of a symbolic link that is open itself (O_PATH).</summary>
    public byte[] ReadLink() => Posix.Grow("readlinkat", (buffer, size) => Libc.ReadLinkAt(Number, Posix.Bytes(""), buffer, size), 4097);

    /// <summary>An ioctl that fills <paramref name="size"/> bytes.</summary>
    public byte[] Control(nuint request, int size)
    {
        byte[] argument = new byte[size];
        fixed (byte* start = argument)
            _ = Posix.Check("ioctl", Libc.IoControl(Number, request, start));
        return argument;
    }

    /// <summary>Lists on from where the descriptor stands, at most <paramref name="atMost"/> entries or to the end.</summary>
    public IReadOnlyList<ListedEntry> List(int bufferSize = 32768, int atMost = int.MaxValue)
    {
        List<ListedEntry> entries = [];
        byte[] buffer = new byte[bufferSize];
        fixed (byte* start = buffer)
        {
            long length;
            while (entries.Count < atMost && (length = Posix.Check("getdents64", Libc.ReadDirectory(Number, start, bufferSize))) > 0)
            {
                for (int offset = 0; offset < length; offset += BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(offset + 16)))
                    entries.Add(Entry(buffer.AsSpan(offset)));
            }
        }
        return entries;
    }

    private static ListedEntry Entry(ReadOnlySpan<byte> raw)
    {
        ReadOnlySpan<byte> name = raw[DirentHeader..];
        return new ListedEntry(
            Encoding.Latin1.GetString(name[..name.IndexOf((byte)0)]),
            BinaryPrimitives.ReadUInt64LittleEndian(raw), raw[18], BinaryPrimitives.ReadInt64LittleEndian(raw[8..]));
    }
}
