using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>
/// Inodes whose deletion or truncation was not finished when the image was left. Deleted ones are gone already: they have no links, so no
/// reader finds them, and only their space is counted as free. Of truncated ones the blocks behind the end no longer count.
/// </summary>
/// <remarks>
/// A list that makes no sense hurts nobody who only reads, so it ends where it stops making sense, as in Linux.
/// </remarks>
internal static class Orphans
{
    private const int MaximumCount = 1 << 18;

    // Of the orphan file. Linux makes it of 512 blocks at most.
    private const ulong MaximumFileBytes = 1UL << 28;

    /// <summary>Whether there may be any. Linux leaves the orphans of a filesystem with errors to e2fsck.</summary>
    internal static bool MayExist(Superblock superblock) => !superblock.HasErrors
        && (superblock.LastOrphan != 0
            || (superblock.Features.Has(CompatibleFeatures.OrphanFile) && superblock.Features.Has(ReadOnlyFeatures.OrphanPresent)));

    /// <summary>Cleans all of them up.</summary>
    internal static void CleanUp(Workspace workspace)
    {
        var seen = new HashSet<uint>();
        var truncation = new Truncation(workspace);
        try
        {
            uint next = workspace.Superblock.LastOrphan;
            while (next != 0 && TryProcess(workspace, truncation, next, seen, out next))
            {
                // the inode names the next one
            }

            if (workspace.Superblock.Features.Has(CompatibleFeatures.OrphanFile))
                CleanUpFile(workspace, truncation, seen);
        }
        catch (CorruptImageException)
        {
            // Whatever the list was, this is its end.
        }
    }

    private static void CleanUpFile(Workspace workspace, Truncation truncation, HashSet<uint> seen)
    {
        Superblock superblock = workspace.Superblock;
        if (superblock.OrphanFileInode > superblock.InodeCount || !workspace.Inodes.TryReadAny(superblock.OrphanFileInode, out Inode file))
            return;
        uint? seed = superblock.HasMetadataChecksums ? file.ChecksumSeed : null;
        ulong count = Math.Min((ulong)file.Size, MaximumFileBytes) >> superblock.BlockSizeBits;
        for (uint block = 0; block < count; block++)
        {
            BlockRun run = workspace.Map.Find(file, block, 1);
            if (run.ReadsAsZeros)
                return;
            using BlockLease lease = workspace.Blocks.Read(run.ImageBlock, file.Number);
            ReadOnlySpan<byte> entries = OrphanBlock.Entries(lease.Bytes, run.ImageBlock, seed);
            for (int offset = 0; offset < entries.Length; offset += sizeof(uint))
            {
                uint number = LittleEndian.U32(entries, offset);
                if (number != 0)
                    _ = TryProcess(workspace, truncation, number, seen, out _);
            }
        }
    }

    /// <summary>Deals with one orphan; false if it cannot be one.</summary>
    private static bool TryProcess(Workspace workspace, Truncation truncation, uint number, HashSet<uint> seen, out uint next)
    {
        next = 0;
        Superblock superblock = workspace.Superblock;
        if (number < superblock.FirstInode || number > superblock.InodeCount || seen.Count >= MaximumCount || !seen.Add(number))
            return false;
        ushort links;
        using (BlockLease lease = workspace.Inodes.Lease(number, out ReadOnlySpan<byte> raw))
        {
            if (InodeRecord.IsBlank(raw))
                return false;
            if (superblock.HasMetadataChecksums)
                InodeRecord.CheckChecksum(raw, number, superblock.InodeSeed(number, InodeRecord.Generation(raw)), InodeRecord.ExtraSize(raw, number));
            next = InodeRecord.NextOrphan(raw);
            links = InodeRecord.LinkCount(raw);
            if (links == 0)
                workspace.Freed = new FreedSpace(workspace.Freed.Blocks + Blocks(raw, workspace), workspace.Freed.Inodes + 1);
        }

        if (links != 0)
            truncation.TryTruncate(number);
        return true;
    }

    private static long Blocks(ReadOnlySpan<byte> raw, Workspace workspace)
    {
        Superblock superblock = workspace.Superblock;
        ulong blocks = InodeRecord.Sectors(RawInode.Of(raw), superblock) >> (superblock.BlockSizeBits - 9);
        ulong attributes = InodeRecord.AttributeBlock(RawInode.Of(raw), superblock);
        // Attributes that other files share stay.
        if (attributes != 0 && superblock.IsDataBlock(attributes))
        {
            using BlockLease lease = workspace.Blocks.Read(attributes, 0);
            if (LittleEndian.U32(lease.Bytes, 0x04) > 1 && blocks > 0)     // h_refcount
                blocks--;
        }

        return blocks <= superblock.BlockCount ? (long)(blocks >> superblock.ClusterBits) : 0;
    }
}
