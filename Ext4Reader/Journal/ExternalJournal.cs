using System.Globalization;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>
/// A journal with a file or device of its own: the superblock of a filesystem that has nothing but the feature journal_dev, then the journal.
/// </summary>
internal static class ExternalJournal
{
    /// <summary>Opens the journal that belongs to a filesystem.</summary>
    /// <exception cref="CorruptImageException">It is none, or another filesystem's.</exception>
    internal static JournalFile Open(ImageSource device, Superblock superblock)
    {
        var raw = new byte[Superblock.Size];
        int got = device.ReadUpTo(Superblock.Offset, raw);
        if (got < raw.Length || !Superblock.HasMagic(raw) || !Superblock.IsJournalDevice(raw))
            throw new CorruptImageException(Corruption.ExternalJournal, 0, "what was given as journal is no external journal: a superblock with the feature journal_dev is missing");
        (byte[] uuid, ulong length) = Superblock.ParseJournalDevice(raw);
        if (!uuid.AsSpan().SequenceEqual(superblock.JournalUuid))
        {
            throw new CorruptImageException(Corruption.ExternalJournal, 0,
                $"the journal that was given has the UUID {Text(uuid)}, the filesystem needs {Text(superblock.JournalUuid)}: find it with blkid -t UUID={Text(superblock.JournalUuid)}");
        }

        // The journal follows the block that holds the superblock.
        uint first = (uint)(Superblock.Offset >> superblock.BlockSizeBits) + 1;
        ulong actual = (ulong)device.Length() >> superblock.BlockSizeBits;
        if (length > actual || length <= first)
            throw new CorruptImageException(Corruption.ExternalJournal, 0, $"the external journal says that it has {length} blocks, but its file has {actual}");
        return JournalFile.External(device, superblock.BlockSizeBits, first, length);
    }

    /// <summary>A UUID as people write it.</summary>
    internal static string Text(ReadOnlySpan<byte> uuid) => new Guid(uuid, bigEndian: true).ToString("D", CultureInfo.InvariantCulture);
}
