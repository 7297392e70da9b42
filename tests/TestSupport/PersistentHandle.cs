using System.Buffers.Binary;
using TestSupport.Trees;

namespace TestSupport;

/// <summary>A file handle as name_to_handle_at(2) gives it.</summary>
public sealed unsafe record PersistentHandle(int Type, IReadOnlyList<uint> Words)
{
    private const int HeaderSize = 8, MaximumSize = 128;

    /// <summary>The kernel's struct file_handle.</summary>
    public byte[] Bytes => [.. BitConverter.GetBytes(Words.Count * 4), .. BitConverter.GetBytes(Type), .. Words.SelectMany(BitConverter.GetBytes)];

    public static PersistentHandle Of(string path)
    {
        byte* raw = stackalloc byte[HeaderSize + MaximumSize];
        Span<byte> handle = new(raw, HeaderSize + MaximumSize);
        BinaryPrimitives.WriteInt32LittleEndian(handle, MaximumSize);
        _ = Posix.Check("name_to_handle_at", Libc.NameToHandle(Libc.AtCurrentFolder, Posix.Bytes(Posix.FromNet(path)), raw, out _, 0));
        int length = BinaryPrimitives.ReadInt32LittleEndian(handle);
        uint[] words = [.. Enumerable.Range(0, length / 4).Select(index => Word(raw, index))];
        return new PersistentHandle(BinaryPrimitives.ReadInt32LittleEndian(handle[4..]), words);
    }

    /// <summary>Opens by handle on the filesystem mounted at <paramref name="mountPoint"/>.</summary>
    public OpenDescriptor Open(string mountPoint)
    {
        byte* raw = stackalloc byte[HeaderSize + MaximumSize];
        Span<byte> handle = new(raw, HeaderSize + MaximumSize);
        BinaryPrimitives.WriteInt32LittleEndian(handle, Words.Count * 4);
        BinaryPrimitives.WriteInt32LittleEndian(handle[4..], Type);
        for (int index = 0; index < Words.Count; index++)
            BinaryPrimitives.WriteUInt32LittleEndian(handle[(HeaderSize + index * 4)..], Words[index]);
        using OpenDescriptor mount = Posix.Open(Posix.FromNet(mountPoint), Libc.OpenDirectory);
        return new OpenDescriptor(Posix.Check("open_by_handle_at", Libc.OpenByHandle(mount.Number, raw, 0)));
    }

    private static uint Word(byte* raw, int index) => BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(raw + HeaderSize + index * 4, 4));
}
