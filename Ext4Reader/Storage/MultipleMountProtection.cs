using System.Globalization;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>
/// Refuses filesystems that somebody else is using (feature mmp). Whoever mounts such a one counts up a number in a certain block, and marks
/// the block clean in the end. A reader does no harm, but it would be shown a filesystem that changes under it.
/// </summary>
internal static class MultipleMountProtection
{
    internal static void Check(ImageSource source, Superblock superblock)
    {
        ulong block = superblock.MultipleMountBlock;
        if (!superblock.IsDataBlock(block))
            throw new CorruptImageException(Corruption.MultipleMountBlock, 0, $"multiple mount protection in block {block} of {superblock.BlockCount}");
        Span<byte> raw = stackalloc byte[MultipleMountRecord.Size];
        source.Read((long)block << superblock.BlockSizeBits, raw);
        var record = MultipleMountRecord.Parse(raw, superblock);
        if (!record.IsClean)
            throw new ImageInUseException(record.NodeName, record.DeviceName, Describe(record));
    }

    private static string Describe(MultipleMountRecord record)
    {
        string who = record.IsChecking ? "e2fsck is checking the filesystem" : "the filesystem is mounted elsewhere";
        string remedy = record.IsChecking ? "wait until it has finished" : "unmount it there";
        return $"{who}: host {record.NodeName}, device {record.DeviceName}, last heard of {Time(record.Seconds)} (mmp); {remedy}, or, if that host "
            + "is certainly no longer using it, run tune2fs -f -E clear_mmp on the image, or use -o norecovery to see the image as it lies";
    }

    private static string Time(ulong seconds) => seconds <= (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        ? DateTimeOffset.FromUnixTimeSeconds((long)seconds).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)
        : "at an impossible time";
}
