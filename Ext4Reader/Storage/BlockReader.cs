using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>The one place where a block of metadata comes from.</summary>
internal sealed class BlockReader
{
    private readonly BlockCache _cache;

    internal BlockReader(ImageSource source, Superblock superblock, long cacheBytes, BlockOverlay? overlay = null)
    {
        Source = source;
        Superblock = superblock;
        Overlay = overlay;
        _cache = new BlockCache(cacheBytes, superblock.BlockSize);
    }

    internal Superblock Superblock { get; }

    /// <summary>The image below, for file contents: they bypass the cache.</summary>
    internal ImageSource Source { get; }

    /// <summary>What replay of the journal changes, for file contents; null if nothing.</summary>
    internal BlockOverlay? Overlay { get; }

    /// <summary>Leases a block of metadata.</summary>
    /// <param name="block">The image block.</param>
    /// <param name="inode">The inode on whose behalf, for the message; 0 for none.</param>
    /// <exception cref="CorruptImageException">No metadata can be there.</exception>
    /// <exception cref="IOException">The block cannot be read.</exception>
    internal BlockLease Read(ulong block, uint inode)
    {
        if (!Superblock.IsDataBlock(block))
            throw new CorruptImageException(Corruption.BlockPointer, inode, $"metadata in block {block} of {Superblock.BlockCount}");
        if (Overlay is not null && Overlay.TryGetOwned(block, out byte[]? owned))
            return new BlockLease(owned, null, 0);
        if (_cache.TryGet(block, out BlockLease lease))
            return lease;
        if (Overlay is null || !Overlay.TryFind(block, out BlockPlace place))
            place = new BlockPlace(Source, (long)block << Superblock.BlockSizeBits);
        return _cache.Load(block, place);
    }
}
