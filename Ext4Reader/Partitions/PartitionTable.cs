using Ext4Reader.Storage;
using Microsoft.Win32.SafeHandles;

namespace Ext4Reader.Partitions;

/// <summary>
/// What is on a disk, or on an image of one: its partitions, and the ext filesystems on them. Reading never fails because a table is broken:
/// what can be trusted is there, and <see cref="Notes"/> says what is missing and why.
/// </summary>
/// <remarks>
/// As Linux does it, with these differences: the copy of a broken GPT is used without being asked for; a sound GPT counts also where the MBR is
/// blank; sectors of an MBR always have 512 bytes; and partitions within partitions (BSD, Solaris, Minix) are not looked for. Extended partitions are
/// not listed, only the logical ones in them.
/// </remarks>
public sealed class PartitionTable
{
    private PartitionTable(PartitionTableKind kind, DiskSurvey survey, ExtSignature? wholeDisk)
    {
        Kind = kind;
        DiskLength = survey.DiskLength;
        Partitions = survey.Partitions;
        Notes = survey.Notes;
        WholeDisk = wholeDisk;
    }

    /// <summary>The kind of table; <see cref="PartitionTableKind.Gpt"/> also where the disk is marked as having one and it is broken beyond use.</summary>
    public PartitionTableKind Kind { get; }

    /// <summary>The disk's length in bytes.</summary>
    public long DiskLength { get; }

    /// <summary>All partitions that lie on the disk, primary before logical ones, each kind by number.</summary>
    public IReadOnlyList<Partition> Partitions { get; }

    /// <summary>What is wrong with the table, a line each; empty as a rule.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The ext filesystem that begins at byte 0, before and beside all partitions, or null.</summary>
    public ExtSignature? WholeDisk { get; }

    /// <summary>Reads the partition table of a disk.</summary>
    /// <param name="path">A file or block device.</param>
    /// <exception cref="IOException">It cannot be opened, or not even its first sector be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static PartitionTable Read(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        return Read(file);
    }

    /// <summary>Reads the partition table of a disk.</summary>
    /// <param name="disk">A file or block device, open for reading. It stays open.</param>
    /// <exception cref="IOException">Not even its first sector can be read.</exception>
    public static PartitionTable Read(SafeFileHandle disk)
    {
        var source = new ImageSource(disk, 0); // not disposed of: the handle is the caller's
        var survey = new DiskSurvey(source, source.Length());
        Span<byte> sector = stackalloc byte[DiskSurvey.SectorSize];
        sector.Clear();
        _ = source.ReadUpTo(0, sector);
        PartitionTableKind kind = Survey(survey, MasterBootRecord.TryParse(sector));
        survey.NoteOverlaps();
        return new PartitionTable(kind, survey, ExtSignature.Probe(source, 0));
    }

    /// <summary>Chooses what is to be opened.</summary>
    /// <param name="selector">
    /// Null for no wish. Otherwise the number of a partition (0 for the disk as a whole), or the label or UUID of an ext filesystem, or the name or
    /// PARTUUID of a partition; <c>LABEL=</c>, <c>UUID=</c>, <c>PARTLABEL=</c> or <c>PARTUUID=</c> in front says which of these. A number goes before the
    /// rest, and what holds an ext filesystem before what does not.
    /// </param>
    /// <returns>The partition, or null for the disk as a whole.</returns>
    /// <remarks>
    /// Without a selector: a disk without a table is taken as a whole. So is one whose first bytes hold an ext filesystem, even if its boot sector ends in
    /// the signature of an MBR: that is what a boot loader leaves there. Only where the table has a partition that itself begins with an ext filesystem
    /// are both believable (one of them is a left-over), and then nothing is taken. Otherwise the partition with the only ext filesystem is taken.
    /// </remarks>
    /// <exception cref="PartitionChoiceException">There is nothing to be taken, or more than one thing. The message lists what there is.</exception>
    public Partition? Choose(string? selector) => selector is null ? PartitionChoice.Only(this) : PartitionChoice.Of(this, selector);

    private static PartitionTableKind Survey(DiskSurvey survey, MasterBootRecord? record)
    {
        if (record is { IsProtective: true, IsTable: true })
        {
            if (record.IsHybrid)
                survey.Note($"hybrid MBR: only the partitions of the GPT count");
            GuidTable.TryReadEither(survey)?.Survey(survey);
            return PartitionTableKind.Gpt;
        }

        if (record is { IsTable: true })
        {
            record.Survey(survey);
            return PartitionTableKind.Mbr;
        }

        // Somebody wiped the first sector. The copy at the end of the disk is not asked: it outlives tables that were replaced on purpose.
        if (GuidTable.TryReadFirst(survey) is GuidTable table)
        {
            survey.Note($"the disk has a GPT without its protective MBR");
            table.Survey(survey);
            return PartitionTableKind.Gpt;
        }

        return PartitionTableKind.None;
    }
}
