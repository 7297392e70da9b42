using System.Buffers.Binary;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Journal;

/// <summary>What a new directory entry points to.</summary>
internal readonly record struct NewEntry(uint InodeNumber, byte Type);

/// <summary>Changes the entries of one directory block in memory.</summary>
internal static class DirectoryBlockEdit
{
    private const int ChecksumEntrySize = 12;
    private const byte ChecksumEntryType = 0xde;

    /// <summary>Whether a name of some length fits.</summary>
    internal static bool HasRoom(ReadOnlySpan<byte> raw, int nameLength, uint directory, Superblock superblock) =>
        TryFindRoom(raw[..Usable(raw, superblock)], nameLength, directory, superblock, out _, out _);

    /// <summary>Adds an entry if it fits.</summary>
    internal static bool TryInsert(byte[] raw, ReadOnlySpan<byte> name, NewEntry entry, uint directory, Superblock superblock) =>
        TryInsert(raw, Usable(raw, superblock), name, entry, directory, superblock);

    /// <summary>The same in a piece of an inode, which has no checksum of its own.</summary>
    internal static bool TryInsertInline(byte[] raw, ReadOnlySpan<byte> name, NewEntry entry, uint directory, Superblock superblock) =>
        TryInsert(raw, raw.Length, name, entry, directory, superblock);

    private static bool TryInsert(byte[] raw, int length, ReadOnlySpan<byte> name, NewEntry entry, uint directory, Superblock superblock)
    {
        Span<byte> usable = raw.AsSpan(0, length);
        if (!TryFindRoom(usable, name.Length, directory, superblock, out int offset, out int used))
            return false;
        int recordLength = DirectoryEntry.Parse(usable[offset..], raw.Length).RecordLength;
        if (used > 0)
            SetLength(raw, offset, used);
        Write(raw, offset + used, recordLength - used, name, entry);
        return true;
    }

    /// <summary>Makes an entry free space.</summary>
    internal static void Free(byte[] raw, int offset) => BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(offset), 0); // inode

    /// <summary>Makes a block without entries.</summary>
    internal static void Clear(byte[] raw, Superblock superblock)
    {
        raw.AsSpan().Clear();
        SetLength(raw, 0, Usable(raw, superblock));
    }

    /// <summary>Makes the first block of an empty directory.</summary>
    internal static void MakeDots(byte[] raw, uint directory, uint parent, uint seed, Superblock superblock)
    {
        const byte Directory = (byte)FileType.Directory;
        byte type = superblock.Features.Has(IncompatibleFeatures.FileType) ? Directory : (byte)0;
        raw.AsSpan().Clear();
        Write(raw, 0, DirectoryEntry.MinimumLength, "."u8, new NewEntry(directory, type));
        Write(raw, DirectoryEntry.MinimumLength, Usable(raw, superblock) - DirectoryEntry.MinimumLength, ".."u8, new NewEntry(parent, type));
        Seal(raw, seed, superblock);
    }

    /// <summary>Writes the checksum at the end of a changed block.</summary>
    internal static void Seal(byte[] raw, uint seed, Superblock superblock)
    {
        if (!superblock.HasMetadataChecksums)
            return;
        int end = raw.Length - ChecksumEntrySize;
        Span<byte> tail = raw.AsSpan(end);
        tail.Clear();                                                                            // det_reserved_zero1, det_reserved_zero2
        BinaryPrimitives.WriteUInt16LittleEndian(tail[0x04..], ChecksumEntrySize);               // det_rec_len
        tail[0x07] = ChecksumEntryType;                                                          // det_reserved_ft
        BinaryPrimitives.WriteUInt32LittleEndian(tail[0x08..], Crc32c.Append(seed, raw.AsSpan(0, end))); // det_checksum
    }

    /// <summary>Bytes that entries can have.</summary>
    internal static int Usable(ReadOnlySpan<byte> raw, Superblock superblock) => raw.Length - (superblock.HasMetadataChecksums ? ChecksumEntrySize : 0);

    /// <summary>Finds a record with room for another entry behind the bytes that it uses itself.</summary>
    private static bool TryFindRoom(ReadOnlySpan<byte> usable, int nameLength, uint directory, Superblock superblock, out int offset, out int used)
    {
        int needed = DirectoryEntry.LengthFor(nameLength);
        var entries = new DirectoryBlock(usable, directory, superblock.InodeCount);
        int next = 0;
        used = 0;
        for (offset = 0; entries.TryNext(ref next, out DirectoryEntry entry); offset = next)
        {
            used = entry.InodeNumber == 0 ? 0 : DirectoryEntry.LengthFor(entry.NameLength);
            if (entry.RecordLength - used >= needed)
                return true;
        }

        return false;
    }

    private static void Write(byte[] raw, int offset, int length, ReadOnlySpan<byte> name, NewEntry entry)
    {
        Span<byte> record = raw.AsSpan(offset);
        BinaryPrimitives.WriteUInt32LittleEndian(record, entry.InodeNumber);                     // inode
        SetLength(raw, offset, length);
        record[0x06] = (byte)name.Length;                                                        // name_len
        record[0x07] = entry.Type;                                                               // file_type
        name.CopyTo(record[DirectoryEntry.HeaderSize..]);
    }

    // The reverse of what DirectoryEntry decodes: 17 bits in 16, where blocks have 64 KiB.
    private static void SetLength(byte[] raw, int offset, int length) =>
        BinaryPrimitives.WriteUInt16LittleEndian(raw.AsSpan(offset + 0x04), (ushort)(length >= 65536 ? ushort.MaxValue : length)); // rec_len
}
