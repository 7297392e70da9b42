using System.Numerics;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>
/// The blocks that belong to the filesystem itself: copies of superblock and group descriptors, bitmaps, inode tables, and the journal. No
/// file may have one of them.
/// </summary>
/// <remarks>
/// Linux makes one table of all groups when it mounts. Here groups are gathered in chunks, a chunk's zones are found when somebody first asks
/// for a block in it, and kept; so opening an image costs the same whatever its size. The zones of a chunk are those that its own groups'
/// descriptors name, wherever they lie, and count for blocks of this chunk: with flex_bg a chunk has whole flex groups, which is where mke2fs,
/// resize2fs and Linux put the tables of their groups. Tables that lie elsewhere, or in flex groups of more than 4096 groups, can be missed;
/// then a broken file shows bytes of metadata, and nothing else happens. A descriptor whose own checksum is wrong says nothing about others.
/// </remarks>
internal sealed class SystemZones
{
    // Of one extent. A chunk has at least as many, so that no extent is in more than a few chunks.
    private const int MostBlocks = 1 << 15;
    private const int MostGroupBits = 12;
    private const int MostSlots = 1 << 13;

    // What a hostile image may cost all in all: descriptors that are looked at, about half a second, and zones that are kept, 4 MiB. Sound
    // images are far below, up to 512 TiB and more. What is beyond is not looked at.
    private const int MostWork = 1 << 22;
    private const int MostKept = 1 << 18;

    // The journal's; a sound one is in a few hundred pieces, if it has a block map.
    private const int MostJournalPieces = 1 << 14;

    private readonly BlockReader _blocks;
    private readonly GroupTable _groups;
    private readonly Superblock _superblock;
    private readonly int _chunkBits;
    private readonly Chunk?[] _slots;
    private Zone[]? _journal;
    private int _work;
    private int _kept;

    internal SystemZones(BlockReader blocks, GroupTable groups)
    {
        _blocks = blocks;
        _groups = groups;
        _superblock = blocks.Superblock;
        int least = BitOperations.Log2(BitOperations.RoundUpToPowerOf2(Math.Max(1, MostBlocks / _superblock.BlocksPerGroup)));
        _chunkBits = Math.Min(Math.Max(least, _superblock.FlexGroupBits), MostGroupBits);
        _slots = new Chunk?[Math.Min(((_superblock.GroupCount - 1) >> _chunkBits) + 1, MostSlots)];
    }

    /// <summary>Checks what the entries of a node of an extent tree point to.</summary>
    /// <param name="node">A node that was checked otherwise.</param>
    /// <param name="inode">Whose it is.</param>
    /// <exception cref="CorruptImageException">It leads into the filesystem's own blocks.</exception>
    internal void Check(ExtentNode node, uint inode)
    {
        if (_superblock.IsInternalInode(inode))
            return;
        for (int index = 0; index < node.Count; index++)
        {
            if (node.Depth > 0)
            {
                CheckFile(node.Child(index), 1, inode);
                continue;
            }

            Extent extent = node.ExtentAt(index);
            CheckFile(extent.FirstImageBlock, extent.Length, inode);
        }
    }

    /// <summary>Checks blocks in the image, of a file's content or of what describes it.</summary>
    /// <inheritdoc cref="Check(ExtentNode, uint)"/>
    /// <param name="first">The first block.</param>
    /// <param name="length">How many.</param>
    /// <param name="inode">Whose they are. What belongs to the filesystem itself may have any.</param>
    internal void Check(ulong first, ulong length, uint inode)
    {
        if (!_superblock.IsInternalInode(inode))
            CheckFile(first, length, inode);
    }

    private void CheckFile(ulong first, ulong length, uint inode)
    {
        if (!IsFree(first, first + length))
            throw Occupied(first, length, inode);
    }

    private static CorruptImageException Occupied(ulong first, ulong length, uint inode) =>
        new(Corruption.BlockPointer, inode, $"{length} blocks from image block {first} on are the filesystem's own, at least in part");

    private bool IsFree(ulong first, ulong end)
    {
        if (first < _superblock.FirstDataBlock)
            return false;
        ulong chunk = GroupOf(first) >> _chunkBits;
        ulong last = GroupOf(end - 1) >> _chunkBits;
        for (; chunk <= last; chunk++)
        {
            if (Overlaps(ZonesOf((uint)chunk), first, end))
                return false;
        }

        return !Overlaps(_journal ?? FindJournal(), first, end);
    }

    private ulong GroupOf(ulong block) => (block - _superblock.FirstDataBlock) / _superblock.BlocksPerGroup;

    private Zone[] ZonesOf(uint chunk)
    {
        ref Chunk? slot = ref _slots[chunk % (uint)_slots.Length];
        Chunk? kept = Volatile.Read(ref slot);
        return kept is not null && kept.Index == chunk ? kept.Zones : Find(chunk, ref slot);
    }

    private static bool Overlaps(Zone[] zones, ulong first, ulong end)
    {
        // The last zone that starts before the end: zones do not touch each other, so no other one can reach further.
        int low = 0;
        int high = zones.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (zones[middle].First < end)
                low = middle + 1;
            else
                high = middle;
        }

        return low > 0 && zones[low - 1].End > first;
    }

    private Zone[] Find(uint chunk, ref Chunk? slot)
    {
        uint group = chunk << _chunkBits;
        uint end = (uint)Math.Min((ulong)group + (1UL << _chunkBits), _superblock.GroupCount);
        if (Volatile.Read(ref _work) >= MostWork)
            return [];
        Interlocked.Add(ref _work, (int)(end - group));
        var zones = new ZoneList();
        try
        {
            for (; group < end; group++)
                AddGroup(zones, group);
        }
        catch (Exception problem) when (problem is CorruptImageException or IOException)
        {
            // Descriptors that cannot be read are a trouble of their own inodes. They are tried again.
            return zones.Merge();
        }

        // Two threads may both come here, and find the same.
        var found = new Chunk(chunk, zones.Merge());
        if (Volatile.Read(ref _kept) + found.Zones.Length > MostKept)
            return found.Zones;
        Chunk? former = Interlocked.Exchange(ref slot, found);
        Interlocked.Add(ref _kept, found.Zones.Length - (former?.Zones.Length ?? 0));
        return found.Zones;
    }

    private void AddGroup(ZoneList zones, uint group)
    {
        ulong start = _superblock.FirstDataBlock + (ulong)group * _superblock.BlocksPerGroup;
        uint copies = _superblock.BackupBlocks(group);
        if (copies > 0)
        {
            // What is kept free for further descriptors belongs to an inode. With clusters, the first group can start before its superblock.
            copies -= _superblock.HasBackup(group) ? _superblock.ReservedDescriptorBlocks : 0;
            zones.Add(start, start + copies + (group == 0 ? _superblock.SuperblockBlock - _superblock.FirstDataBlock : 0));
        }

        if (!_groups.TryReadSound(group, out GroupDescriptor descriptor))
            return;
        Add(zones, descriptor.BlockBitmap, 1);
        Add(zones, descriptor.InodeBitmap, 1);
        Add(zones, descriptor.InodeTable, _superblock.InodeTableBlocks);
    }

    private void Add(ZoneList zones, ulong block, uint length)
    {
        if (_superblock.IsDataRun(block, length))
            zones.Add(block, block + length);
    }

    private Zone[] FindJournal()
    {
        var zones = new ZoneList();
        try
        {
            uint number = _superblock.JournalInode;
            if (number != 0 && number <= _superblock.InodeCount && new InodeTable(_blocks, _groups).TryReadAny(number, out Inode journal))
                AddFile(zones, journal);
        }
        catch (Exception problem) when (problem is CorruptImageException or IOException)
        {
            // A broken journal hurts whoever replays it, not those that only read files.
        }

        Zone[] found = zones.Merge();
        Volatile.Write(ref _journal, found);
        return found;
    }

    private void AddFile(ZoneList zones, in Inode file)
    {
        if (file.Type != FileType.Regular || file.HasInlineContent)
            return;
        var map = new BlockMap(_blocks);
        ulong blocks = Math.Min(((ulong)file.Size + (uint)_superblock.BlockSize - 1) >> _superblock.BlockSizeBits, uint.MaxValue);
        int pieces = 0;
        for (ulong block = 0; block < blocks && pieces < MostJournalPieces; pieces++)
        {
            BlockRun run = map.Find(file, (uint)block, blocks - block);
            if (!run.ReadsAsZeros)
                zones.Add(run.ImageBlock, run.ImageBlock + run.Length);
            block += run.Length;
        }
    }

    private readonly struct Zone(ulong first, ulong end)
    {
        public readonly ulong First = first;
        public readonly ulong End = end;
    }

    /// <summary>Zones as they are found. Two arrays of numbers: what the class library does with lists of a type of ours would have to be compiled at every start.</summary>
    private sealed class ZoneList
    {
        private ulong[] _firsts = new ulong[16];
        private ulong[] _ends = new ulong[16];
        private int _count;

        public void Add(ulong first, ulong end)
        {
            if (_count == _firsts.Length)
            {
                Array.Resize(ref _firsts, _count * 2);
                Array.Resize(ref _ends, _count * 2);
            }

            _firsts[_count] = first;
            _ends[_count++] = end;
        }

        /// <summary>The zones in order, those that touch each other joined.</summary>
        public Zone[] Merge()
        {
            Array.Sort(_firsts, _ends, 0, _count);
            int merged = 0;
            for (int i = 0; i < _count; i++)
            {
                if (merged > 0 && _firsts[i] <= _ends[merged - 1])
                    _ends[merged - 1] = Math.Max(_ends[merged - 1], _ends[i]);
                else
                    (_firsts[merged], _ends[merged++]) = (_firsts[i], _ends[i]);
            }

            var zones = new Zone[merged];
            for (int i = 0; i < merged; i++)
                zones[i] = new Zone(_firsts[i], _ends[i]);
            return zones;
        }
    }

    private sealed record Chunk(uint Index, Zone[] Zones);
}
