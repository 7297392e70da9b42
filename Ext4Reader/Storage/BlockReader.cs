using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>The one place where a block of metadata comes from.</summary>
internal sealed class BlockReader
{
    private readonly BlockCache _cache;

    internal BlockReader(ImageSource source, Superblock superblock, long cacheBytes)
    {
        Source = source;
        Superblock = superblock;
        _cache = new BlockCache(cacheBytes, superblock.BlockSize);
    }

    internal Superblock Superblock { get; }

    /// <summary>The image below, for file contents: they bypass the cache.</summary>
    internal ImageSource Source { get; }

    /// <summary>Leases a block of metadata.</summary>
    /// <param name="block">The image block.</param>
    /// <param name="inode">The inode on whose behalf, for the message; 0 for none.</param>
    /// <exception cref="CorruptImageException">No metadata can be there.</exception>
    /// <exception cref="IOException">The block cannot be read.</exception>
    internal BlockLease Read(ulong block, uint inode)
    {
        if (!Superblock.IsDataBlock(block))
            throw new CorruptImageException(Corruption.BlockPointer, inode, $"metadata in block {block} of {Superblock.BlockCount}");
        return _cache.TryGet(block, out BlockLease lease) ? lease : _cache.Load(block, Source);
    }
}
