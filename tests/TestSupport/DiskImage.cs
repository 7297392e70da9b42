using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace TestSupport;

/// <summary>An entry of a GPT: sectors inclusive, as the table has them.</summary>
public sealed record GptEntry(ulong First, ulong Last, string Name = "", string Type = "0fc63daf-8483-4772-8e79-3d69d8477de4", string? Unique = null);

/// <summary>An entry of a boot record, as the record has it.</summary>
public sealed record MbrEntry(byte Type, uint First, uint Sectors, byte Status = 0);

/// <summary>A sparse file that is a whole disk, its tables written byte by byte, so that each of them can lie.</summary>
public sealed class DiskImage : IDisposable
{
    public const int Mebibyte = 1 << 20;

    private const int EntryCount = 128;
    private const int EntrySize = 128;

    private readonly ScratchFolder _folder = new();
    private readonly SafeFileHandle _file;

    public DiskImage(long length, int sectorSize = 512)
    {
        Length = length;
        SectorSize = sectorSize;
        ImagePath = Path.Combine(_folder.Path, "disk.img");
        _file = File.OpenHandle(ImagePath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.SetLength(_file, length);
    }

    public string ImagePath { get; }

    public long Length { get; }

    public int SectorSize { get; }

    public ulong Sectors => (ulong)(Length / SectorSize);

    public DiskImage Write(long offset, params byte[] bytes)
    {
        RandomAccess.Write(_file, bytes, offset);
        return this;
    }

    /// <summary>Changes one byte.</summary>
    public DiskImage Flip(long offset)
    {
        byte[] one = new byte[1];
        RandomAccess.Read(_file, one, offset);
        return Write(offset, (byte)(one[0] ^ 0xff));
    }

    public DiskImage Insert(long offset, string image) => Write(offset, File.ReadAllBytes(image));

    public DiskImage Truncate(long length)
    {
        RandomAccess.SetLength(_file, length);
        return this;
    }

    /// <summary>As much of a superblock as tells that there is one: magic, label, UUID, some blocks.</summary>
    public DiskImage Superblock(long start, string label = "", string uuid = "00000000-0000-0000-0000-000000000000", uint incompatible = 0)
    {
        byte[] raw = new byte[1024];
        raw[0x04] = 1;
        (raw[0x38], raw[0x39]) = (0x53, 0xef);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(0x60), incompatible);
        new Guid(uuid).TryWriteBytes(raw.AsSpan(0x68), bigEndian: true, out _);
        Encoding.UTF8.GetBytes(label, raw.AsSpan(0x78, 16));
        return Write(start + 1024, raw);
    }

    /// <summary>A boot record in a sector of 512 bytes: the disk's own in sector 0, others in an extended partition.</summary>
    public DiskImage BootRecord(long sector, params MbrEntry[] entries)
    {
        byte[] table = new byte[66];
        for (int i = 0; i < entries.Length; i++)
        {
            Span<byte> raw = table.AsSpan(i * 16, 16);
            (raw[0], raw[4]) = (entries[i].Status, entries[i].Type);
            BinaryPrimitives.WriteUInt32LittleEndian(raw[8..], entries[i].First);
            BinaryPrimitives.WriteUInt32LittleEndian(raw[12..], entries[i].Sectors);
        }
        (table[64], table[65]) = (0x55, 0xaa);
        return Write((sector * 512) + 446, table);
    }

    /// <summary>A disk signature for the MBR.</summary>
    public DiskImage Signature(uint signature)
    {
        byte[] raw = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(raw, signature);
        return Write(440, raw);
    }

    public DiskImage ProtectiveRecord() => BootRecord(0, new MbrEntry(0xee, 1, (uint)Math.Min(Sectors - 1, uint.MaxValue)));

    /// <summary>A GPT at both ends of the disk, with a protective MBR.</summary>
    public DiskImage Gpt(params GptEntry[] partitions) => ProtectiveRecord().GptCopies(partitions);

    /// <summary>A GPT at both ends of the disk.</summary>
    /// <param name="partitions">The entries.</param>
    /// <param name="first">Lies put into the first header before its checksum is made.</param>
    /// <param name="copy">The same for its copy.</param>
    public DiskImage GptCopies(GptEntry[] partitions, Action<byte[]>? first = null, Action<byte[]>? copy = null)
    {
        byte[] entries = new byte[EntryCount * EntrySize];
        for (int i = 0; i < partitions.Length; i++)
            WriteEntry(entries.AsSpan(i * EntrySize, EntrySize), partitions[i], i);
        ulong tableSectors = (ulong)(entries.Length / SectorSize);
        ulong last = Sectors - 1;
        uint checksum = Crc32(entries);
        WriteHeader(1, last, 2, checksum, first);
        Write(2L * SectorSize, entries);
        WriteHeader(last, 1, last - tableSectors, checksum, copy);
        return Write((long)(last - tableSectors) * SectorSize, entries);
    }

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    /// <summary>Bit by bit, so that it shares nothing with what it tests.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte one in bytes)
        {
            crc ^= one;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        }
        return ~crc;
    }

    private static void WriteEntry(Span<byte> raw, GptEntry entry, int index)
    {
        new Guid(entry.Type).TryWriteBytes(raw);
        new Guid(entry.Unique ?? $"11111111-2222-3333-4444-{index + 1:d12}").TryWriteBytes(raw[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(raw[32..], entry.First);
        BinaryPrimitives.WriteUInt64LittleEndian(raw[40..], entry.Last);
        Encoding.Unicode.GetBytes(entry.Name, raw[56..]);
    }

    private void WriteHeader(ulong own, ulong other, ulong entries, uint checksum, Action<byte[]>? lie)
    {
        byte[] raw = new byte[SectorSize];
        "EFI PART"u8.CopyTo(raw);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(8), 0x10000);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(12), 92);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(24), own);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(32), other);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(40), 34);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(48), Sectors - 34);
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(72), entries);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(80), EntryCount);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(84), EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(88), checksum);
        lie?.Invoke(raw);
        uint size = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(12)), (uint)SectorSize);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(16), Crc32(raw.AsSpan(0, (int)size)));
        Write((long)own * SectorSize, raw);
    }
}
