using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>Looks names up and lists directories, choosing the way by filesystem and directory.</summary>
internal sealed class DirectoryReader
{
    private readonly DirectoryBlocks _blocks;
    private readonly HashTree _tree;
    private readonly DirectoryLookup _lookup;
    private readonly InlineDirectory _inline;
    private readonly HashTreeListing _treeListing;
    private readonly SortedListing _sortedListing;
    private readonly LinearListing _linearListing;
    private readonly DamagedIndexes _damaged = new();

    internal DirectoryReader(BlockReader blocks, BlockMap map, InlineFiles inline)
    {
        _blocks = new DirectoryBlocks(blocks, map);
        _tree = new HashTree(_blocks);
        _inline = new InlineDirectory(blocks.Superblock, inline);
        _lookup = new DirectoryLookup(_blocks, _tree, _inline);
        _treeListing = new HashTreeListing(_blocks, _tree);
        _sortedListing = new SortedListing(_blocks);
        _linearListing = new LinearListing(_blocks);
    }

    internal bool TryLookup(in Inode directory, ReadOnlySpan<byte> name, out uint inodeNumber) =>
        _lookup.TryFind(directory, name, out inodeNumber);

    internal bool IsPossible(in Inode directory, ReadOnlySpan<byte> name) => _lookup.IsPossible(directory, name);

    internal void List<TVisitor>(in Inode directory, ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        if (directory.HasInlineContent)
        {
            _inline.List(directory, after, ref visitor);
            return;
        }

        if (!_blocks.Superblock.Features.Has(CompatibleFeatures.DirectoryIndex))
        {
            _linearListing.List(directory, after, ref visitor);
            return;
        }

        NameHash hash = NameHash.Default(directory, _blocks.Superblock);
        if (_blocks.IsIndexed(directory) && _tree.TryGetHash(directory, out hash) && !_damaged.Contains(directory.Number))
        {
            if (_treeListing.TryList(directory, hash, ref after, ref visitor))
                return;
            _damaged.Add(directory.Number);
        }

        _sortedListing.List(directory, hash, after, ref visitor);
    }
}
