using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Partitions;

/// <summary>The header of a GUID partition table, its checksum verified and every number in it held against its limits.</summary>
/// <param name="EntriesSector">The sector in which the entries start.</param>
/// <param name="EntryCount">Number of entries, used or not.</param>
/// <param name="EntrySize">Bytes of an entry.</param>
/// <param name="EntriesChecksum">CRC-32 of all entries.</param>
internal readonly record struct GuidTableHeader(ulong EntriesSector, int EntryCount, int EntrySize, uint EntriesChecksum)
{
    /// <summary>Room for 8192 entries of the usual size: 64 times what partitioning programs make.</summary>
    internal const int MostEntryBytes = 1 << 20;

    private const int LeastSize = 92;
    private const int ChecksumOffset = 0x10;
    private const uint KnownRevision = 1; // of the upper half: minor revisions only add

    /// <summary>Parses the sector of a header.</summary>
    /// <param name="raw">The whole sector. Its checksum field is overwritten.</param>
    /// <param name="sector">The sector's number: a header says where it should be.</param>
    /// <param name="header">The header.</param>
    /// <returns>Null, or what is wrong.</returns>
    internal static string? TryParse(Span<byte> raw, ulong sector, out GuidTableHeader header)
    {
        header = default;
        if (!HasSignature(raw))
            return "no GPT header";
        uint revision = LittleEndian.U32(raw, 0x08);
        if (revision >> 16 != KnownRevision)
            return Say($"unknown revision {revision:x8}");
        uint size = LittleEndian.U32(raw, 0x0c);
        if (size < LeastSize || size > raw.Length)
            return Say($"header size {size}");
        uint stored = LittleEndian.U32(raw, ChecksumOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[ChecksumOffset..], 0); // it counts as zero in its own sum
        uint computed = Crc32.Of(raw[..(int)size]);
        if (stored != computed)
            return Say($"header checksum {stored:x8} stored, {computed:x8} computed");
        ulong own = LittleEndian.U64(raw, 0x18, 0x1c);
        if (own != sector)
            return Say($"a header for sector {own}");
        uint count = LittleEndian.U32(raw, 0x50);
        uint entrySize = LittleEndian.U32(raw, 0x54);
        if (entrySize < GuidTableEntry.Size || !BitOperations.IsPow2(entrySize) || count == 0 || (ulong)count * entrySize > MostEntryBytes)
            return Say($"{count} entries of {entrySize} bytes");
        header = new GuidTableHeader(LittleEndian.U64(raw, 0x48, 0x4c), (int)count, (int)entrySize, LittleEndian.U32(raw, 0x58));
        return null;
    }

    internal static bool HasSignature(ReadOnlySpan<byte> raw) => raw.StartsWith("EFI PART"u8);

    /// <summary>Where the other header is, by a header that need not be sound.</summary>
    internal static ulong OtherHeader(ReadOnlySpan<byte> raw) => LittleEndian.U64(raw, 0x20, 0x24);

    private static string Say(FormattableString words) => words.ToString(CultureInfo.InvariantCulture);
}
