using Ext4Reader.Storage;

namespace Ext4Reader.Tests;

public sealed class BlockCacheTests : IDisposable
{
    private const int BlockSize = 1024;
    private const int Blocks = 512;

    private readonly string _path = Path.GetTempFileName();
    private readonly ImageSource _source;

    public BlockCacheTests()
    {
        var bytes = new byte[Blocks * BlockSize];
        for (int block = 0; block < Blocks; block++)
            Array.Fill(bytes, (byte)(block % 251), block * BlockSize, BlockSize);
        File.WriteAllBytes(_path, bytes);
        _source = new ImageSource(File.OpenHandle(_path), 0);
    }

    public void Dispose()
    {
        _source.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void A_loaded_block_is_found_again()
    {
        var cache = new BlockCache(64 * BlockSize, BlockSize);
        Assert.False(cache.TryGet(5, out _));
        cache.Load(5, Place(5)).Dispose();
        Assert.True(cache.TryGet(5, out BlockLease lease));
        Assert.Equal(5, lease.Bytes[0]);
        lease.Dispose();
    }

    [Fact]
    public void Blocks_are_evicted_when_there_are_too_many()
    {
        var cache = new BlockCache(16 * BlockSize, BlockSize);
        for (ulong block = 0; block < Blocks; block++)
            cache.Load(block, Place(block)).Dispose();
        int kept = 0;
        for (ulong block = 0; block < Blocks; block++)
        {
            if (!cache.TryGet(block, out BlockLease lease))
                continue;
            Assert.Equal((byte)(block % 251), lease.Bytes[BlockSize - 1]);
            lease.Dispose();
            kept++;
        }

        Assert.Equal(16, cache.Capacity);
        Assert.InRange(kept, 1, 16);
    }

    [Fact]
    public void A_leased_block_is_never_evicted()
    {
        var cache = new BlockCache(0, BlockSize);
        using BlockLease held = cache.Load(3, Place(3));
        for (ulong block = 10; block < Blocks; block++)
            cache.Load(block, Place(block)).Dispose();
        Assert.True(cache.TryGet(3, out BlockLease again));
        again.Dispose();
        Assert.False(held.Bytes.ContainsAnyExcept((byte)3));
    }

    [Fact]
    public void With_everything_leased_a_block_comes_in_memory_of_its_own()
    {
        var cache = new BlockCache(0, BlockSize);
        using BlockLease a = cache.Load(1, Place(1));
        using BlockLease b = cache.Load(2, Place(2));
        using BlockLease c = cache.Load(3, Place(3));
        using BlockLease d = cache.Load(4, Place(4));
        using BlockLease e = cache.Load(5, Place(5));
        using BlockLease f = cache.Load(6, Place(6));
        using BlockLease g = cache.Load(7, Place(7));
        using BlockLease h = cache.Load(8, Place(8));
        Assert.Equal(8, cache.Capacity);
        using BlockLease extra = cache.Load(9, Place(9));
        extra.SetVerified(1);
        Assert.Equal(9, extra.Bytes[0]);
        Assert.False(extra.IsVerified(1));
        Assert.False(cache.TryGet(9, out _));
        Assert.Equal(1, a.Bytes[0]);
    }

    [Fact]
    public void What_was_verified_is_forgotten_with_the_block()
    {
        var cache = new BlockCache(0, BlockSize);
        using (BlockLease lease = cache.Load(3, Place(3)))
        {
            lease.SetVerified(77);
            Assert.True(lease.IsVerified(77));
            Assert.False(lease.IsVerified(78));
        }

        for (ulong block = 10; block < 100; block++)
            cache.Load(block, Place(block)).Dispose();
        using BlockLease again = cache.Load(3, Place(3));
        Assert.False(again.IsVerified(77));
    }

    [Fact]
    public void A_failed_read_leaves_no_block_behind()
    {
        var cache = new BlockCache(0, BlockSize);
        Assert.ThrowsAny<IOException>(() => cache.Load(Blocks, Place(Blocks)).Dispose());
        Assert.False(cache.TryGet(Blocks, out _));
        for (ulong block = 0; block < 8; block++)
            cache.Load(block, Place(block)).Dispose();
    }

    [Fact]
    public void Threads_that_share_a_small_cache_see_only_right_blocks()
    {
        var cache = new BlockCache(16 * BlockSize, BlockSize);
        int wrong = 0;
        Parallel.For(0, 4, worker =>
        {
            var random = new Random(worker);
            for (int round = 0; round < 20_000; round++)
            {
                ulong block = (ulong)random.Next(64);
                using BlockLease lease = cache.TryGet(block, out BlockLease found) ? found : cache.Load(block, Place(block));
                if (lease.Bytes.ContainsAnyExcept((byte)(block % 251)))
                    Interlocked.Increment(ref wrong);
            }
        });
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void A_cache_nobody_uses_costs_no_memory()
    {
        long before = Environment.WorkingSet;
        var cache = new BlockCache(256 << 20, 4096);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 64 << 20);
        GC.KeepAlive(cache);
    }

    private BlockPlace Place(ulong block) => new(_source, (long)block * BlockSize);
}
