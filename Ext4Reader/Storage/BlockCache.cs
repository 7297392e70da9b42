namespace Ext4Reader.Storage;

/// <summary>
/// Recently used metadata blocks, bounded in bytes. A hit takes no lock and allocates nothing; a miss reads without
/// holding any lock, so two threads may both read the same block, and both copies are good.
/// </summary>
/// <remarks>
/// Eight-way set associative. Each slot has a tag (block number + 1, 0 for none), a pin count and an age. The pin count
/// is the lock: whoever moves it from 0 to -1 owns the slot and may replace its block; whoever adds one to a count of
/// 0 or more keeps the block, but must look at the tag again, because the slot may have been replaced in between.
/// The slots lie in one array on the pinned heap, whose pages cost nothing until they are first written.
/// </remarks>
internal sealed class BlockCache
{
    private const int Ways = 8;
    private const int Replacing = -1;
    private const long MaximumBytes = 1 << 30;

    private readonly byte[] _slab;
    private readonly int _blockSize;
    private readonly uint _sets;
    private readonly ulong[] _tags;
    private readonly int[] _pins;
    private readonly ulong[] _verified;
    private readonly byte[] _recent;

    /// <param name="bytes">Bound of the memory for blocks; at least one set is kept, at most 1 GiB is used.</param>
    /// <param name="blockSize">Bytes of a block.</param>
    internal BlockCache(long bytes, int blockSize)
    {
        _blockSize = blockSize;
        _sets = (uint)Math.Max(1, Math.Clamp(bytes, 0, MaximumBytes) / blockSize / Ways);
        int slots = (int)_sets * Ways;
        _slab = GC.AllocateUninitializedArray<byte>(slots * blockSize, pinned: true);
        _tags = new ulong[slots];
        _pins = new int[slots];
        _verified = new ulong[slots];
        _recent = new byte[slots];
    }

    /// <summary>Number of blocks that fit.</summary>
    internal int Capacity => _tags.Length;

    /// <summary>A lease of a block if it is cached.</summary>
    internal bool TryGet(ulong block, out BlockLease lease)
    {
        ulong tag = block + 1;
        int first = FirstSlot(block);
        for (int slot = first; slot < first + Ways; slot++)
        {
            if (Volatile.Read(ref _tags[slot]) != tag || !TryPin(slot))
                continue;
            if (Volatile.Read(ref _tags[slot]) == tag)
            {
                // Written only when it changes: a store to a line that every thread reads would cost more than the hit.
                if (_recent[slot] == 0)
                    _recent[slot] = 1;
                lease = new BlockLease(Slot(slot), this, slot);
                return true;
            }

            Release(slot);
        }

        lease = default;
        return false;
    }

    /// <summary>Reads a block from where it lies and keeps it, or leases a private copy if its whole set is in use.</summary>
    internal BlockLease Load(ulong block, scoped in BlockPlace place)
    {
        int slot = TakeSlot(block);
        if (slot < 0)
        {
            var bytes = new byte[_blockSize];
            place.Read(0, bytes);
            return new BlockLease(bytes, null, 0);
        }

        try
        {
            place.Read(0, Slot(slot));
        }
        catch
        {
            Volatile.Write(ref _pins[slot], 0);
            throw;
        }

        _recent[slot] = 1;
        Volatile.Write(ref _tags[slot], block + 1);
        Volatile.Write(ref _pins[slot], 1);
        return new BlockLease(Slot(slot), this, slot);
    }

    internal void Release(int slot) => Interlocked.Decrement(ref _pins[slot]);

    internal bool IsVerified(int slot, ulong token) => Volatile.Read(ref _verified[slot]) == token;

    internal void SetVerified(int slot, ulong token) => Volatile.Write(ref _verified[slot], token);

    private Span<byte> Slot(int slot) => _slab.AsSpan(slot * _blockSize, _blockSize);

    private int FirstSlot(ulong block)
    {
        // Neighbouring blocks go to different sets, and so do blocks a power of two apart.
        ulong mixed = unchecked(block * 0x9e3779b97f4a7c15) >> 32;
        return (int)(mixed * _sets >> 32) * Ways;
    }

    private bool TryPin(int slot)
    {
        int pins = Volatile.Read(ref _pins[slot]);
        while (pins >= 0)
        {
            int seen = Interlocked.CompareExchange(ref _pins[slot], pins + 1, pins);
            if (seen == pins)
                return true;
            pins = seen;
        }

        return false;
    }

    /// <summary>An unpinned slot of a block's set, emptied and owned by the caller; -1 if there is none.</summary>
    private int TakeSlot(ulong block)
    {
        int first = FirstSlot(block);
        int start = (int)(block % Ways);
        // The first round spares what was used since the last eviction from this set, the second takes anything unpinned.
        for (int round = 0; round < 2; round++)
        {
            for (int way = 0; way < Ways; way++)
            {
                int slot = first + (start + way) % Ways;
                if (round == 0 && _recent[slot] != 0 && Volatile.Read(ref _tags[slot]) != 0)
                {
                    _recent[slot] = 0;
                    continue;
                }

                if (Interlocked.CompareExchange(ref _pins[slot], Replacing, 0) != 0)
                    continue;
                Volatile.Write(ref _tags[slot], 0);
                Volatile.Write(ref _verified[slot], 0);
                return slot;
            }
        }

        return -1;
    }
}
