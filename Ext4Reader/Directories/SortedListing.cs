using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>
/// Lists a directory without a usable index in key order: small ones by sorting them each time, others through a
/// table made by one scan and kept for a while.
/// </summary>
internal sealed class SortedListing(DirectoryBlocks blocks, int windowNames = SortedWindow.MaximumNames)
{
    private const int SmallBytes = 64 << 10;

    private readonly SortedWindowCache _windows = new();
    private readonly bool _hasTypes = blocks.Superblock.Features.Has(IncompatibleFeatures.FileType);
    private readonly Superblock _superblock = blocks.Superblock;

    internal void List<TVisitor>(in Inode directory, NameHash hash, ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        uint count = blocks.Count(directory);
        if (count == 1 || count <= SmallBytes >> _superblock.BlockSizeBits)
        {
            ListSmall(directory, hash, after, ref visitor, count);
            return;
        }

        while (after < ulong.MaxValue)
        {
            if (!_windows.TryGet(directory.Number, directory.Generation, after, out SortedWindow? window))
                window = Make(directory, hash, after);

            if (!(directory.IsEncrypted ? VisitEncoded(directory, hash, window, after, ref visitor) : Visit(directory, window, after, ref visitor)))
                return;
            after = window.End;
        }
    }

    private SortedWindow Make(in Inode directory, NameHash hash, ulong after)
    {
        int names = _windows.Reserve(windowNames);
        try
        {
            SortedWindow window = SortedWindowBuilder.Build(directory, hash, after, names, blocks);
            _windows.Add(window);
            return window;
        }
        finally
        {
            _windows.Release(names);
        }
    }

    private void ListSmall<TVisitor>(in Inode directory, NameHash hash, ulong after, ref TVisitor visitor, uint count)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        ListingBatch batch = ListingBatch.Rent(_superblock.BlockSize, directory.IsEncrypted);
        try
        {
            for (uint block = 0; block < count; block++)
            {
                using BlockLease lease = blocks.ReadEntries(directory, block);
                batch.Add(lease.Bytes, isFirst: block == 0, directory.Number, _superblock, hash);
            }

            batch.Sort(directory.Number);
            batch.Visit(after, _hasTypes, NameForm.Of(directory, hash, withHash: count == 1), ref visitor);
        }
        finally
        {
            ListingBatch.Return(batch);
        }
    }

    private bool Visit<TVisitor>(in Inode directory, SortedWindow window, ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        int index = window.Keys.AsSpan().BinarySearch(after);
        for (index = index < 0 ? ~index : index + 1; index < window.Keys.Length; index++)
        {
            using BlockLease lease = Place(directory, window.Places[index], out int at);
            int offset = at;
            var block = new DirectoryBlock(lease.Bytes, directory.Number, _superblock.InodeCount);
            if (!block.TryNext(ref offset, out DirectoryEntry entry))
                continue;
            if (!visitor.Visit(new ListedName(block.Name(at, entry), entry.InodeNumber, entry.FileType(_hasTypes), window.Keys[index])))
                return false;
        }

        return true;
    }

    private bool VisitEncoded<TVisitor>(in Inode directory, NameHash hash, SortedWindow window, ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        NameForm form = NameForm.Of(directory, hash, withHash: false);
        // Rented for its room for a name.
        ListingBatch batch = ListingBatch.Rent(_superblock.BlockSize, directory.IsEncrypted);
        try
        {
            int index = window.Keys.AsSpan().BinarySearch(after);
            for (index = index < 0 ? ~index : index + 1; index < window.Keys.Length; index++)
            {
                using BlockLease lease = Place(directory, window.Places[index], out int at);
                int offset = at;
                var block = new DirectoryBlock(lease.Bytes, directory.Number, _superblock.InodeCount);
                if (!block.TryNext(ref offset, out DirectoryEntry entry))
                    continue;
                ReadOnlySpan<byte> name = batch.Show(block.Name(at, entry), form.Hash(block, at, entry), directory.Number);
                if (!visitor.Visit(new ListedName(name, entry.InodeNumber, entry.FileType(_hasTypes), window.Keys[index])))
                    return false;
            }

            return true;
        }
        finally
        {
            ListingBatch.Return(batch);
        }
    }

    private BlockLease Place(scoped in Inode directory, uint place, out int at)
    {
        ulong offset = (ulong)place << 2;
        at = (int)(offset & ((uint)_superblock.BlockSize - 1));
        return blocks.ReadEntries(directory, (uint)(offset >> _superblock.BlockSizeBits));
    }
}
