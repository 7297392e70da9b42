using System.Globalization;
using Ext4Reader.Storage;

namespace Ext4Reader.Partitions;

/// <summary>
/// Collects what a disk holds. Every partition comes by here, so this is the one place that holds it against the disk's end; and however broken
/// a table is, there are never more than a few lines about it.
/// </summary>
internal sealed class DiskSurvey(ImageSource disk, long diskLength)
{
    /// <summary>Sectors of an MBR, always: the table does not say, and larger ones are found with GPT only.</summary>
    internal const int SectorSize = 512;

    private const int MostNotes = 12;

    private readonly List<Partition> _partitions = [];
    private readonly List<string> _notes = [];

    internal ImageSource Disk => disk;

    internal long DiskLength => diskLength;

    internal IReadOnlyList<Partition> Partitions => _partitions;

    internal IReadOnlyList<string> Notes => _notes;

    internal void Note(FormattableString note)
    {
        if (_notes.Count < MostNotes)
            _notes.Add(note.ToString(CultureInfo.InvariantCulture));
        else if (_notes.Count == MostNotes)
            _notes.Add("and more is wrong with the partition table");
    }

    /// <summary>Fills the destination; false if the disk ends before or cannot be read there.</summary>
    internal bool TryRead(long offset, Span<byte> destination)
    {
        try
        {
            return disk.ReadUpTo(offset, destination) == destination.Length;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Adds a partition, cut at the end of the disk as the kernel cuts it; one that starts beyond is left out.</summary>
    /// <param name="partition">The partition but for its place and filesystem.</param>
    /// <param name="first">Its first sector, as the table has it.</param>
    /// <param name="sectors">Its length, as the table has it, not 0.</param>
    /// <param name="sectorSize">Bytes of a sector.</param>
    internal void Add(Partition partition, ulong first, ulong sectors, int sectorSize)
    {
        ulong end = (ulong)(diskLength / sectorSize);
        if (first >= end)
        {
            Note($"partition {partition.Number} starts at sector {first}, but the disk has {end}: left out");
            return;
        }

        if (sectors > end - first)
        {
            Note($"partition {partition.Number} has {sectors} sectors from {first}, but the disk ends after {end - first}: cut there");
            sectors = end - first;
        }

        long start = (long)first * sectorSize;
        _partitions.Add(partition with { Start = start, Length = (long)sectors * sectorSize, Filesystem = Probe(partition.Number, start) });
    }

    /// <summary>Notes partitions that share bytes: harmless for a reader, but somebody's table is not what he thinks it is.</summary>
    internal void NoteOverlaps()
    {
        Partition? furthest = null;
        foreach (Partition partition in _partitions.OrderBy(partition => partition.Start))
        {
            if (furthest is not null && partition.Start < furthest.Start + furthest.Length)
                Note($"partitions {furthest.Number} and {partition.Number} overlap");
            if (furthest is null || partition.Start + partition.Length > furthest.Start + furthest.Length)
                furthest = partition;
        }
    }

    private ExtSignature? Probe(int number, long start)
    {
        try
        {
            return ExtSignature.Probe(disk, start);
        }
        catch (IOException e)
        {
            Note($"partition {number} cannot be read: {e.Message}");
            return null;
        }
    }
}
