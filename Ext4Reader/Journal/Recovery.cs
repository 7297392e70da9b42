using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>What recovery makes of an image, without a byte written to it.</summary>
/// <param name="Superblock">The superblock as it is afterwards.</param>
/// <param name="Overlay">The blocks that are not the ones at their place; null if all are.</param>
/// <param name="Freed">What becomes free in comparison with the group descriptors: negative where more is used.</param>
internal sealed record Recovery(Superblock Superblock, BlockOverlay? Overlay, FreedSpace Freed)
{
    private const long CacheBytes = 1 << 20;

    /// <summary>An image as it lies.</summary>
    internal static Recovery None(Superblock superblock) => new(superblock, null, default);

    /// <summary>
    /// Does in memory what Linux does when it mounts: full commits, fast commits, then orphans. The log counts only if the superblock says
    /// so: without needs_recovery, whatever the journal holds has been written to its place.
    /// </summary>
    /// <param name="source">The image.</param>
    /// <param name="superblock">Its superblock as it lies.</param>
    /// <param name="externalJournal">The journal, if it is elsewhere and was given.</param>
    internal static Recovery Run(ImageSource source, Superblock superblock, ImageSource? externalJournal)
    {
        BlockOverlay? overlay = null;
        Workspace? workspace = null;
        if (superblock.Features.Has(CompatibleFeatures.HasJournal) && superblock.Features.Has(IncompatibleFeatures.NeedsRecovery))
        {
            (JournalFile file, JournalSuperblock journal) = Open(source, superblock, externalJournal);
            if (journal.Start != 0)
            {
                (overlay, uint next) = JournalReplay.Run(file, journal, superblock.BlockCount);
                superblock = Reread(superblock, overlay);
                workspace = new Workspace(source, superblock, overlay, CacheBytes);
                FastCommits.Replay(file, journal, next, workspace);
            }
        }
        else if (externalJournal is not null && superblock.JournalInode == 0)
        {
            // Nothing to do with it; but a wrong one should be noticed before it is needed.
            _ = ExternalJournal.Open(externalJournal, superblock);
        }

        if (Orphans.MayExist(superblock))
        {
            workspace ??= new Workspace(source, superblock, overlay, CacheBytes);
            Orphans.CleanUp(workspace);
        }

        return new Recovery(superblock, workspace?.Freeze() ?? overlay, workspace?.Freed ?? default);
    }

    private static (JournalFile File, JournalSuperblock Journal) Open(ImageSource source, Superblock superblock, ImageSource? externalJournal)
    {
        JournalFile file;
        if (superblock.JournalInode != 0)
            file = JournalFile.Internal(new BlockReader(source, superblock, CacheBytes));
        else if (externalJournal is not null)
            file = ExternalJournal.Open(externalJournal, superblock);
        else
            throw UnsupportedImageException.NeedsJournal(superblock.JournalUuid);
        var raw = new byte[superblock.BlockSize];
        file.Read(file.SuperblockBlock, raw);
        JournalSuperblock journal = JournalSuperblock.Parse(raw, superblock.BlockSize, file.Length);
        if (superblock.JournalInode == 0 && journal.UserCount != 1)
            throw new CorruptImageException(Corruption.JournalSuperblock, 0, $"the external journal belongs to {journal.UserCount} filesystems, which cannot be replayed one by one");
        return (file, journal);
    }

    /// <summary>The superblock may be in the journal, too. Whatever else it says then, the blocks must have the size the journal has.</summary>
    private static Superblock Reread(Superblock old, BlockOverlay overlay)
    {
        if (!overlay.TryFind((ulong)(Superblock.Offset >> old.BlockSizeBits), out BlockPlace place))
            return old;
        var raw = new byte[Superblock.Size];
        place.Read(Superblock.Offset & (old.BlockSize - 1), raw);
        if (!Superblock.HasMagic(raw))
            throw new CorruptImageException(Corruption.JournalTransaction, 0, "the journal replaces the superblock by something else");
        Superblock superblock = Superblock.Parse(raw);
        if (superblock.BlockSizeBits != old.BlockSizeBits || superblock.FirstDataBlock != old.FirstDataBlock)
            throw new CorruptImageException(Corruption.JournalTransaction, 0, $"the journal changes the block size from {old.BlockSize} to {superblock.BlockSize}");
        return superblock;
    }
}

/// <summary>How much more is free than the group descriptors say.</summary>
internal readonly record struct FreedSpace(long Blocks, long Inodes)
{
    /// <summary>Applies it to counts; what a broken image makes absurd ends at zero.</summary>
    internal (ulong Blocks, ulong Inodes) ApplyTo((ulong Blocks, ulong Inodes) counts) => (Apply(counts.Blocks, Blocks), Apply(counts.Inodes, Inodes));

    private static ulong Apply(ulong count, long change) =>
        (ulong)Int128.Clamp((Int128)count + change, 0, ulong.MaxValue);
}
