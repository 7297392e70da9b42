using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>
/// Scans a directory for the names that come next in key order. Never holds more than two windows' worth of names:
/// whenever that many are gathered, the later half is dropped, to be found again by the next scan.
/// </summary>
internal sealed class SortedWindowBuilder
{
    private const ulong LastKey = ulong.MaxValue;

    private readonly DirectoryBlocks _blocks;
    private readonly Superblock _superblock;
    private readonly NameHash _hash;
    private readonly int _names;

    // Keys from here on are gathered; the ranks of a hash can only be told if all its names are.
    private readonly ulong _from;

    private ulong[] _keys = new ulong[1024];
    private uint[] _places = new uint[1024];
    private int _count;
    private ulong _end = LastKey;

    private SortedWindowBuilder(DirectoryBlocks blocks, NameHash hash, ulong after, int names)
    {
        _blocks = blocks;
        _superblock = blocks.Superblock;
        _hash = hash;
        _names = names;
        _from = after & ~(ulong)ListingKey.MaximumRank;
    }

    internal static SortedWindow Build(in Inode directory, NameHash hash, ulong after, int names, DirectoryBlocks blocks)
    {
        var builder = new SortedWindowBuilder(blocks, hash, after, names);
        builder.Scan(directory);
        return builder.Finish(directory, after);
    }

    private void Scan(in Inode directory)
    {
        uint count = _blocks.CountToScan(directory);
        for (uint block = 0; block < count; block++)
        {
            using BlockLease lease = _blocks.ReadEntries(directory, block);
            var entries = new DirectoryBlock(lease.Bytes, directory.Number, _superblock.InodeCount, directory.IsEncrypted);
            ulong origin = (ulong)block << _superblock.BlockSizeBits;
            int offset = 0;
            int at = 0;
            for (int index = block == 0 ? 0 : 2; entries.TryNext(ref offset, out DirectoryEntry entry); index++, at = offset)
            {
                if (entry.InodeNumber == 0)
                    continue;
                entries.CheckName(at, entry);
                ulong key = ListingKey.Of(entries, at, entry, index, _hash, out _, directory.Number);
                if (key >= _from && key <= _end)
                    Add(key, (uint)((origin + (uint)at) >> 2), directory.Number);
            }
        }
    }

    private void Add(ulong key, uint place, uint directory)
    {
        if (_count == 2 * _names)
            Shrink(directory);
        if (key > _end)
            return;
        if (_count == _keys.Length)
        {
            int capacity = Math.Min(2 * _keys.Length, 2 * _names);
            Array.Resize(ref _keys, capacity);
            Array.Resize(ref _places, capacity);
        }

        (_keys[_count], _places[_count]) = (key, place);
        _count++;
    }

    /// <summary>Drops the later names, but never some of one hash only.</summary>
    private void Shrink(uint directory)
    {
        Array.Sort(_keys, _places, 0, _count);
        int keep = _names;
        while (keep > 0 && _keys[keep - 1] == _keys[keep])
            keep--;
        if (keep == 0)
            ListingKey.CheckRank(_keys[0], _names, directory);
        _count = keep;
        _end = _keys[keep - 1];
    }

    private SortedWindow Finish(in Inode directory, ulong after)
    {
        Array.Sort(_keys, _places, 0, _count);
        for (int start = 0; start < _count;)
        {
            ulong key = _keys[start];
            int end = start + 1;
            while (end < _count && _keys[end] == key)
            {
                ListingKey.CheckRank(key, end - start, directory.Number);
                end++;
            }

            if (end - start > 1)
                SortByName(directory, start, end);
            for (int rank = 0; start < end; start++, rank++)
                _keys[start] = key + (uint)rank;
        }

        // Where names were dropped the window ends with its last hash, whose ranks all belong to it.
        return new SortedWindow
        {
            Directory = directory.Number,
            Generation = directory.Generation,
            After = after,
            End = _end == LastKey ? LastKey : _end | ListingKey.MaximumRank,
            Keys = _keys[.._count],
            Places = _places[.._count],
        };
    }

    private void SortByName(Inode directory, int start, int end) =>
        _places.AsSpan(start, end - start).Sort((left, right) => CompareNames(directory, left, right));

    private int CompareNames(in Inode directory, uint left, uint right)
    {
        using BlockLease leftLease = Name(directory, left, out ReadOnlySpan<byte> leftName);
        using BlockLease rightLease = Name(directory, right, out ReadOnlySpan<byte> rightName);
        return leftName.SequenceCompareTo(rightName);
    }

    private BlockLease Name(in Inode directory, uint place, out ReadOnlySpan<byte> name)
    {
        ulong offset = (ulong)place << 2;
        int at = (int)(offset & ((uint)_superblock.BlockSize - 1));
        BlockLease lease = _blocks.ReadEntries(directory, (uint)(offset >> _superblock.BlockSizeBits));
        name = lease.Bytes.Slice(at + DirectoryEntry.HeaderSize, DirectoryEntry.Parse(lease.Bytes[at..], lease.Bytes.Length).NameLength);
        return lease;
    }
}
