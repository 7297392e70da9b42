using System.Globalization;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Partitions;

/// <summary>One of the four entries of a boot record. Sectors count from somewhere that depends on the record.</summary>
internal readonly record struct BootRecordEntry(byte Status, byte Type, uint First, uint Sectors)
{
    internal const int Size = 16;

    private const byte ProtectiveType = 0xee;

    internal bool IsEmpty => Sectors == 0;

    /// <summary>Whether it holds not a filesystem but a chain of logical partitions.</summary>
    internal bool IsExtended => Type is 0x05 or 0x0f or 0x85;

    /// <summary>Whether it says: there is a GPT, do not touch.</summary>
    internal bool IsProtective => Type == ProtectiveType;

    /// <summary>Active or not, and nothing else. Boot code that reaches to where a table would be fails this soon.</summary>
    internal bool HasStatus => Status is 0x00 or 0x80;

    internal static BootRecordEntry Parse(ReadOnlySpan<byte> raw) => new(
        Status: raw[0x0],
        Type: raw[0x4],
        First: LittleEndian.U32(raw, 0x8),
        Sectors: LittleEndian.U32(raw, 0xc));
}

/// <summary>
/// The first sector of a disk with a table of four partitions, or of a logical partition.
/// <code>
///   0        440        446                     510
///   +--------+----------+-----+-----+-----+-----+-------+
///   | code   | signature|  1  |  2  |  3  |  4  | 55 aa |
///   +--------+----------+-----+-----+-----+-----+-------+
/// </code>
/// </summary>
internal sealed class MasterBootRecord
{
    private const int EntriesOffset = 0x1be;

    private MasterBootRecord(uint signature, BootRecordEntry[] entries)
    {
        DiskSignature = signature;
        Entries = entries;
    }

    internal uint DiskSignature { get; }

    internal IReadOnlyList<BootRecordEntry> Entries { get; }

    internal bool IsProtective => Entries.Any(entry => entry.IsProtective);

    /// <summary>Whether other partitions stand beside the protective one, for systems that know no GPT.</summary>
    internal bool IsHybrid => IsProtective && Entries.Any(entry => !entry.IsProtective && !entry.IsEmpty);

    /// <summary>Whether it is a table that says something: entries that can be, and not all of them empty.</summary>
    internal bool IsTable => Entries.All(entry => entry.HasStatus) && Entries.Any(entry => !entry.IsEmpty);

    /// <summary>Parses a sector; null if it does not end in the signature.</summary>
    internal static MasterBootRecord? TryParse(ReadOnlySpan<byte> sector)
    {
        if (sector[510] != 0x55 || sector[511] != 0xaa)
            return null;
        var entries = new BootRecordEntry[4];
        for (int i = 0; i < entries.Length; i++)
            entries[i] = BootRecordEntry.Parse(sector[(EntriesOffset + i * BootRecordEntry.Size)..]);
        return new MasterBootRecord(LittleEndian.U32(sector, 0x1b8), entries);
    }

    /// <summary>Adds all partitions, primary and logical.</summary>
    internal void Survey(DiskSurvey survey)
    {
        for (int i = 0; i < Entries.Count; i++)
            if (!Entries[i].IsEmpty && !Entries[i].IsExtended)
                survey.Add(Describe(i + 1, Entries[i].Type), Entries[i].First, Entries[i].Sectors, DiskSurvey.SectorSize);
        var logical = new LogicalPartitions(survey, this);
        foreach (BootRecordEntry entry in Entries)
            if (!entry.IsEmpty && entry.IsExtended)
                logical.Survey(entry);
    }

    /// <summary>A partition of this table, its place still unknown.</summary>
    internal Partition Describe(int number, byte type) => new()
    {
        Number = number,
        Start = 0,
        Length = 0,
        Kind = PartitionTableKind.Mbr,
        Type = type.ToString("x2", CultureInfo.InvariantCulture),
        Uuid = DiskSignature == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{DiskSignature:x8}-{number:x2}"),
    };
}
