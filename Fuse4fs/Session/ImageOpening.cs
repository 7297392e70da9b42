using Ext4Reader;
using Ext4Reader.Partitions;
using Fuse4fs.State;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Fuse4fs.Session;

/// <summary>Opens the filesystem that the user meant: at an offset, in a partition, or where it can only be.</summary>
internal static partial class ImageOpening
{
    /// <summary>Opens it; null, and why not, in words for the user.</summary>
    /// <param name="file">The image, which is closed again if it cannot be.</param>
    /// <param name="journal">The external journal, or null; closed likewise.</param>
    /// <param name="options">What the user asked for.</param>
    /// <param name="log">The log.</param>
    /// <param name="start">Where it starts in the image, in bytes.</param>
    /// <param name="problem">Why not.</param>
    public static Ext4Image? TryOpen(SafeFileHandle file, SafeFileHandle? journal, ServeOptions options, ILogger log, out long start, out string? problem)
    {
        start = options.ImageOffset;
        PartitionTable? table = null;
        Partition? partition = null;
        try
        {
            if (!options.HasImageOffset)
            {
                table = PartitionTable.Read(file);
                partition = table.Choose(options.Partition.IsEmpty ? null : options.Partition.ToString());
            }
            start = partition?.Start ?? options.ImageOffset;
            Ext4Image image = Ext4Image.Open(file, new Ext4OpenOptions
            {
                Offset = start,
                Length = partition?.Length ?? 0,
                NoRecovery = options.NoRecovery,
                VerifyContent = options.VerifyContent,
                Journal = journal,
            });
            if (partition is not null)
                Report(table!, partition, unasked: options.Partition.IsEmpty, log);
            problem = null;
            return image;
        }
        catch (PartitionChoiceException e)
        {
            problem = $"{e.Message}. Say which as IMAGE@NUMBER, @LABEL or @UUID, or with -o partition=";
        }
        catch (Exception e) when (e is Ext4Exception or IOException)
        {
            string notes = table is null || partition is null || table.Notes.Count == 0 ? "" : $" ({string.Join("; ", table.Notes)})";
            problem = partition is null ? e.Message : $"partition {partition.Number}: {e.Message}{notes}";
        }
        file.Dispose();
        journal?.Dispose();
        return null;
    }

    // With a filesystem on the whole disk the table is nobody's business: it may be none.
    private static void Report(PartitionTable table, Partition partition, bool unasked, ILogger log)
    {
        foreach (string note in table.Notes)
            Noted(log, note);
        if (unasked)
            TakenUnasked(log, partition.Number, partition.Start, partition.Length);
    }

    [LoggerMessage(LogLevel.Warning, "{Note}")]
    private static partial void Noted(ILogger log, string note);

    [LoggerMessage(LogLevel.Information, "partition {Number} (at byte {Start}, {Length} bytes) has the only ext filesystem of this disk: mounted")]
    private static partial void TakenUnasked(ILogger log, int number, long start, long length);
}
