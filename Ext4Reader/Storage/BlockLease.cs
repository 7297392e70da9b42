namespace Ext4Reader.Storage;

/// <summary>A block that stays in memory until the lease is disposed of. Dispose of it once.</summary>
internal readonly ref struct BlockLease
{
    private readonly BlockCache? _cache;
    private readonly int _slot;

    internal BlockLease(ReadOnlySpan<byte> bytes, BlockCache? cache, int slot)
    {
        Bytes = bytes;
        _cache = cache;
        _slot = slot;
    }

    /// <summary>The block; not to be used after the lease.</summary>
    internal ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Whether this copy of the block has passed the checks that go with a token.</summary>
    internal bool IsVerified(ulong token) => _cache is not null && _cache.IsVerified(_slot, token);

    /// <summary>Remembers, as long as this copy stays in the cache, that it passed the checks that go with a token.</summary>
    internal void SetVerified(ulong token) => _cache?.SetVerified(_slot, token);

    public void Dispose() => _cache?.Release(_slot);
}
