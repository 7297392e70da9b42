using System.Diagnostics.CodeAnalysis;

namespace Ext4Reader.Storage;

/// <summary>
/// Image blocks whose content is not the one at their place: newer copies in the journal, of which only the position is kept, and blocks
/// that exist in memory only. Sixteen bytes a block of the journal; nothing is written or changed once the image is open.
/// </summary>
internal sealed class BlockOverlay
{
    private readonly ImageSource _journal;
    private readonly ulong[] _blocks;

    // The byte offset in the journal's source; its lowest bit, which no block's offset has, says escaped.
    private readonly long[] _places;
    private readonly SortedList<ulong, byte[]> _owned;

    private BlockOverlay(ImageSource journal, ulong[] blocks, long[] places, SortedList<ulong, byte[]> owned)
    {
        _journal = journal;
        _blocks = blocks;
        _places = places;
        _owned = owned;
    }

    /// <summary>The number of blocks, for messages and tests.</summary>
    internal int Count => _blocks.Length + _owned.Count;

    /// <summary>An overlay of copies that lie in a journal.</summary>
    /// <param name="journal">Where the journal lies: in the image or in a device of its own.</param>
    /// <param name="copies">Image block → byte offset of the copy, with the lowest bit set if it is escaped.</param>
    internal static BlockOverlay OfJournal(ImageSource journal, Dictionary<ulong, long> copies)
    {
        var blocks = new ulong[copies.Count];
        var places = new long[copies.Count];
        copies.Keys.CopyTo(blocks, 0);
        copies.Values.CopyTo(places, 0);
        blocks.AsSpan().Sort(places.AsSpan());
        return new BlockOverlay(journal, blocks, places, new SortedList<ulong, byte[]>());
    }

    /// <summary>The same with further blocks, which win, in memory. They must not change any more.</summary>
    internal BlockOverlay With(SortedList<ulong, byte[]> owned) => new(_journal, _blocks, _places, owned);

    /// <summary>Finds a block that exists in memory only.</summary>
    internal bool TryGetOwned(ulong block, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        return _owned.Count > 0 && _owned.TryGetValue(block, out bytes);
    }

    /// <summary>Finds a block's content; false if it is at its place in the image.</summary>
    internal bool TryFind(ulong block, out BlockPlace place)
    {
        if (TryGetOwned(block, out byte[]? owned))
        {
            place = new BlockPlace(_journal, 0, Owned: owned);
            return true;
        }

        int index = _blocks.AsSpan().BinarySearch(block);
        place = index < 0 ? default : new BlockPlace(_journal, _places[index] & ~1L, (_places[index] & 1) != 0);
        return index >= 0;
    }

    /// <summary>The first block at or behind another one that is not at its place; ulong.MaxValue if there is none.</summary>
    internal ulong NextFrom(ulong block)
    {
        int index = _blocks.AsSpan().BinarySearch(block);
        index = index < 0 ? ~index : index;
        ulong next = index < _blocks.Length ? _blocks[index] : ulong.MaxValue;
        return _owned.Count > 0 ? Math.Min(next, NextOwned(block)) : next;
    }

    private ulong NextOwned(ulong block)
    {
        int low = 0;
        int high = _owned.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_owned.GetKeyAtIndex(middle) < block)
                low = middle + 1;
            else
                high = middle;
        }

        return low < _owned.Count ? _owned.GetKeyAtIndex(low) : ulong.MaxValue;
    }
}
