using System.Runtime.InteropServices;
using Handles;

namespace Fuse4fs.State;

/// <summary>
/// Every inode that was ever named to the kernel, with a fingerprint of what it looked like: after a restart that finds the image
/// written, these are the ones whose caches can be told to go. Lives in the memory that all workers share; a worker can be killed
/// between any two instructions.
/// </summary>
/// <remarks>
/// <code>
/// level 0: 2^9 buckets | level 1: 2^11 buckets | level 2: 2^13 buckets | …      a bucket: 8 × { handle 8 | fingerprint 8 }
/// </code>
/// An entry goes to the first level whose bucket for it has a free place, and never moves or leaves: so a search may stop at a free place, growing
/// stops nobody, and there is no half-moved table to be found by a successor. Untouched levels are holes and cost no memory.
/// </remarks>
internal sealed unsafe class KnownInodes
{
    private const int EntrySize = 16;
    private const int BucketEntries = 8;
    private const int FirstLevelBits = 9; // buckets of level 0, as a power of two
    private const int LevelBits = 2; // each level has four times the buckets of the one before
    private const ulong FormerMark = 1; // in a fingerprint

    private readonly Entry* _entries;
    private readonly int[] _bucketBits; // of each level
    private readonly uint* _flags; // three words: whether the table has overflowed, a bit for each level that is in use, and the number of entries

    /// <param name="start">The memory of the table, zeroed when it is new; aligned to a cache line.</param>
    /// <param name="length">Its bytes: the cap. What a level would need beyond it is not there.</param>
    /// <param name="flags">Three words of the same memory, zeroed when it is new.</param>
    public KnownInodes(void* start, long length, uint* flags)
    {
        _entries = (Entry*)start;
        _flags = flags;
        var levels = new List<int>();
        for (int bits = FirstLevelBits; LevelBytes(bits) <= length; bits += LevelBits)
        {
            levels.Add(bits);
            length -= LevelBytes(bits);
            // The last one takes what is left, as a power of two.
            if (LevelBytes(bits + LevelBits) > length && LevelBytes(bits + 1) <= length)
                levels.Add(bits + 1);
        }
        _bucketBits = [.. levels];
    }

    /// <summary>Whether an inode found no place: whatever is in the table, it is not all.</summary>
    public bool HasOverflowed
    {
        get => Volatile.Read(ref _flags[0]) != 0;
        set => Volatile.Write(ref _flags[0], value ? 1u : 0u);
    }

    /// <summary>How many inodes are in it; short of those whose worker died in the instant of adding them.</summary>
    public uint Count => Volatile.Read(ref _flags[2]);

    /// <summary>
    /// Notes an inode that is about to be named to the kernel. True when it is new: then its fingerprint is due
    /// (<see cref="Slot.Fingerprint"/>). A worker that dies in between leaves fingerprint 0, which equals none.
    /// </summary>
    public bool Add(FileHandle handle, out Slot slot)
    {
        ulong key = KeyOf(handle);
        uint hash = Hash(key);
        Entry* level = _entries;
        for (int number = 0; number < _bucketBits.Length; number++)
        {
            int bits = _bucketBits[number];
            Entry* bucket = level + ((hash & ((1u << bits) - 1)) * BucketEntries);
            for (int i = 0; i < BucketEntries; i++)
            {
                ulong found = Volatile.Read(ref bucket[i].Key);
                if (found == 0)
                {
                    // First the level, then the entry: what is in a level that counts as unused would be overlooked.
                    if ((Volatile.Read(ref _flags[1]) >> number & 1) == 0)
                        Interlocked.Or(ref _flags[1], 1u << number);
                    found = Interlocked.CompareExchange(ref bucket[i].Key, key, 0);
                    if (found == 0)
                        Interlocked.Increment(ref _flags[2]);
                }
                if (found == 0 || found == key)
                {
                    slot = new Slot(&bucket[i]);
                    return found == 0;
                }
            }
            level += LevelBytes(bits) / EntrySize;
        }
        HasOverflowed = true;
        slot = default;
        return false;
    }

    /// <summary>Calls <paramref name="visit"/> with each inode of the table. What others add meanwhile may be missed.</summary>
    public void ForEach(Action<FileHandle, Slot> visit)
    {
        Entry* level = _entries;
        for (int number = 0; number < _bucketBits.Length; number++)
        {
            long entries = LevelBytes(_bucketBits[number]) / EntrySize;
            // A look into a hole would fill it.
            for (long i = 0; (Volatile.Read(ref _flags[1]) >> number & 1) != 0 && i < entries; i++)
            {
                ulong key = Volatile.Read(ref level[i].Key);
                if (key != 0)
                    visit(new FileHandle((uint)(key & uint.MaxValue), (uint)(key >> 32)), new Slot(&level[i]));
            }
            level += entries;
        }
    }

    // A handle is never 0: inode numbers start at 1.
    private static ulong KeyOf(FileHandle handle) => (ulong)handle.Generation << 32 | handle.Inode;

    private static long LevelBytes(int bucketBits) => (1L << bucketBits) * BucketEntries * EntrySize;

    private static uint Hash(ulong key)
    {
        unchecked // arithmetic modulo 2^64 is the function
        {
            key = (key ^ (key >> 32)) * 0x9fb21c651e98df25UL;
            return (uint)((key ^ (key >> 28)) * 0x9fb21c651e98df25UL >> 32);
        }
    }

    /// <summary>The place of an entry.</summary>
    internal readonly struct Slot
    {
        private readonly Entry* _entry;

        public Slot(void* entry) => _entry = (Entry*)entry;

        /// <summary>Whether there is one: the table may have been full.</summary>
        public bool IsValid => _entry is not null;

        /// <summary>What the inode looked like, an even number; 0: nobody had the time to note it. Setting it takes the mark away (<see cref="IsFormer"/>).</summary>
        public ulong Fingerprint
        {
            get => Volatile.Read(ref _entry->Fingerprint) & ~FormerMark;
            set => Volatile.Write(ref _entry->Fingerprint, value);
        }

        /// <summary>Whether the kernel may still show what the inode was.</summary>
        public bool IsFormer => (Volatile.Read(ref _entry->Fingerprint) & FormerMark) != 0;

        /// <summary>Notes that the kernel may still show what the inode was. The mark is in the table, for there is no other place that holds as many.</summary>
        /// <param name="fingerprint">What it looks like now; 0 to have it count as changed until it is noted anew, whoever lives to do that.</param>
        public void MarkFormer(ulong fingerprint) => Volatile.Write(ref _entry->Fingerprint, fingerprint | FormerMark);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Key;
        public ulong Fingerprint;
    }
}
