using System.Globalization;

namespace Ext4Reader.Partitions;

/// <summary>
/// A GUID partition table: a header in sector 1, entries behind it, and both once more at the end of the disk. Nothing says how large a sector
/// is; but a header knows its own number, so that it is valid for one size only.
/// </summary>
internal sealed class GuidTable
{
    private static readonly int[] SectorSizes = [512, 4096];

    private readonly byte[] _entries;
    private readonly int _entrySize;

    private GuidTable(int sectorSize, byte[] entries, int entrySize)
    {
        SectorSize = sectorSize;
        _entries = entries;
        _entrySize = entrySize;
    }

    internal int SectorSize { get; }

    /// <summary>Reads the first table, or null where that is not sound.</summary>
    internal static GuidTable? TryReadFirst(DiskSurvey survey)
    {
        foreach (int sectorSize in SectorSizes)
            if (TryRead(survey, sectorSize, 1, out GuidTable? table) is null)
                return table;
        return null;
    }

    /// <summary>Reads the first table or, where that is broken, its copy at the end of the disk.</summary>
    /// <returns>Null if neither is sound. What is wrong has been noted.</returns>
    internal static GuidTable? TryReadEither(DiskSurvey survey)
    {
        string broken = "no GPT header";
        var copies = new List<(int SectorSize, ulong Sector)>();
        Span<byte> header = stackalloc byte[0x28];
        foreach (int sectorSize in SectorSizes)
        {
            string? problem = TryRead(survey, sectorSize, 1, out GuidTable? table);
            if (problem is null)
                return table;
            if (survey.DiskLength >= 2L * sectorSize)
                copies.Add((sectorSize, (ulong)(survey.DiskLength / sectorSize) - 1));
            if (survey.TryRead(sectorSize, header) && GuidTableHeader.HasSignature(header))
            {
                broken = problem;
                // In an image that was made longer the copy is not at the end. Should this number be the broken one, nothing is there.
                copies.Add((sectorSize, GuidTableHeader.OtherHeader(header)));
            }
        }

        foreach ((int sectorSize, ulong sector) in copies)
        {
            if (sector > 1 && TryRead(survey, sectorSize, sector, out GuidTable? table) is null)
            {
                survey.Note($"the GPT at the start of the disk is broken ({broken}): its copy in sector {sector} is used");
                return table;
            }
        }

        survey.Note($"the disk is marked as having a GPT, but that is broken ({broken}), and there is no sound copy at the end of the disk");
        return null;
    }

    /// <summary>Adds all partitions.</summary>
    internal void Survey(DiskSurvey survey)
    {
        for (int i = 0; i < _entries.Length / _entrySize; i++)
        {
            GuidTableEntry entry = GuidTableEntry.Parse(_entries.AsSpan(i * _entrySize, GuidTableEntry.Size));
            if (entry.IsEmpty)
                continue;
            if (entry.First > entry.Last || entry.Last == ulong.MaxValue)
            {
                survey.Note($"partition {i + 1} goes from sector {entry.First} to {entry.Last}: left out");
                continue;
            }

            var partition = new Partition
            {
                Number = i + 1,
                Start = 0,
                Length = 0,
                Kind = PartitionTableKind.Gpt,
                Type = entry.Type.ToString("D"),
                Name = entry.Name,
                Uuid = entry.Unique.ToString("D"),
            };
            survey.Add(partition, entry.First, entry.Last - entry.First + 1, SectorSize);
        }
    }

    // Null, or what is wrong.
    private static string? TryRead(DiskSurvey survey, int sectorSize, ulong sector, out GuidTable? table)
    {
        table = null;
        ulong sectors = (ulong)(survey.DiskLength / sectorSize);
        Span<byte> raw = stackalloc byte[SectorSizes[^1]];
        raw = raw[..sectorSize];
        if (sector >= sectors || !survey.TryRead((long)sector * sectorSize, raw))
            return "it cannot be read";
        if (GuidTableHeader.TryParse(raw, sector, out GuidTableHeader header) is string problem)
            return problem;
        var entries = new byte[header.EntryCount * header.EntrySize];
        if (header.EntriesSector >= sectors || !survey.TryRead((long)header.EntriesSector * sectorSize, entries))
            return string.Create(CultureInfo.InvariantCulture, $"entries in sector {header.EntriesSector}, which cannot be read");
        uint computed = Crc32.Of(entries);
        if (computed != header.EntriesChecksum)
            return string.Create(CultureInfo.InvariantCulture, $"checksum of the entries {header.EntriesChecksum:x8} stored, {computed:x8} computed");
        table = new GuidTable(sectorSize, entries, header.EntrySize);
        return null;
    }
}
