namespace Ext4Reader.Partitions;

/// <summary>
/// The logical partitions of an MBR: a chain of boot records inside an extended partition. Each has an entry for a partition, counted from the
/// record itself, and one for the next record, counted from the start of the extended partition.
/// </summary>
/// <remarks>
/// Links may lead anywhere, backwards, too, after partitions were deleted and made again; so a chain ends where it meets a record for the
/// second time, and in any case after as many records as no disk has.
/// </remarks>
internal sealed class LogicalPartitions(DiskSurvey survey, MasterBootRecord disk)
{
    private const int FirstNumber = 5;
    private const int LastNumber = 255; // the kernel's DISK_MAX_PARTS, less the disk itself
    private const int MostRecords = 1024;

    private readonly HashSet<ulong> _seen = [];
    private int _number = FirstNumber;

    internal void Survey(BootRecordEntry extended)
    {
        Span<byte> sector = stackalloc byte[DiskSurvey.SectorSize];
        ulong at = extended.First;
        ulong length = extended.Sectors;
        while (true)
        {
            if (!_seen.Add(at) || _seen.Count > MostRecords)
            {
                survey.Note($"the chain of logical partitions goes round in circles at sector {at}: cut there");
                return;
            }

            if (!survey.TryRead((long)at * DiskSurvey.SectorSize, sector))
            {
                survey.Note($"the chain of logical partitions leads to sector {at}, which cannot be read: cut there");
                return;
            }

            MasterBootRecord? record = MasterBootRecord.TryParse(sector);
            if (record is null)
            {
                survey.Note($"the chain of logical partitions leads to sector {at}, which holds no boot record: cut there");
                return;
            }

            if (!AddPartitions(record, at, length, extended))
                return;
            BootRecordEntry link = record.Entries.FirstOrDefault(entry => !entry.IsEmpty && entry.IsExtended);
            if (link.IsEmpty)
                return;
            at = (ulong)extended.First + link.First;
            length = link.Sectors;
        }
    }

    private bool AddPartitions(MasterBootRecord record, ulong at, ulong length, BootRecordEntry extended)
    {
        for (int i = 0; i < record.Entries.Count; i++)
        {
            BootRecordEntry entry = record.Entries[i];
            if (entry.IsEmpty || entry.IsExtended)
                continue;
            // Nobody should use the third and fourth entry, and some have left rubbish there: as the kernel does, only what fits is believed.
            if (i >= 2 && !Fits(entry, at, length, extended))
                continue;
            if (_number > LastNumber)
            {
                survey.Note($"more partitions than number {LastNumber}: left out");
                return false;
            }

            survey.Add(disk.Describe(_number, entry.Type), at + entry.First, entry.Sectors, DiskSurvey.SectorSize);
            _number++;
        }

        return true;
    }

    private static bool Fits(BootRecordEntry entry, ulong at, ulong length, BootRecordEntry extended)
    {
        ulong end = (ulong)entry.First + entry.Sectors;
        return end <= length && at + end <= (ulong)extended.First + extended.Sectors && at + entry.First >= extended.First;
    }
}
