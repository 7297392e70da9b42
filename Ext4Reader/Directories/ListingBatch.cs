using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>
/// Copies of a few directory blocks and their names in key order. Copies, because the visitor may take its time, and
/// because names of equal hash from different blocks must be compared. Each thread keeps one to use again.
/// </summary>
internal sealed class ListingBatch
{
    /// <summary>The most bytes of directory blocks that are sorted together: far more than all names of one hash that can be told apart.</summary>
    internal const int MaximumBytes = 1 << 20;

    private const int MaximumKeptBytes = 1 << 20;

    [ThreadStatic]
    private static ListingBatch? _idle;

    private readonly byte[] _shown = new byte[EncryptedName.MaximumLength];
    private byte[] _bytes = [];
    private ulong[] _keys = [];
    private int[] _positions = [];
    private int _used;
    private int _count;
    private int _blockSize;
    private bool _isEncrypted;

    private ListingBatch()
    {
    }

    /// <summary>Bytes of the blocks gathered so far.</summary>
    internal int Bytes => _used;

    /// <summary>Whether the sorted names are "." and "..".</summary>
    internal bool HoldsDotsOnly => _count == 2 && _keys[0] == ListingKey.Dot && _keys[1] == ListingKey.DotDot;

    /// <summary>A batch of one's own, until it is given back. A visitor that lists another directory gets a second one.</summary>
    internal static ListingBatch Rent(int blockSize, bool isEncrypted)
    {
        ListingBatch batch = _idle ?? new ListingBatch();
        _idle = null;
        batch._blockSize = blockSize;
        batch._isEncrypted = isEncrypted;
        batch.Clear();
        return batch;
    }

    internal static void Return(ListingBatch batch)
    {
        if (batch._bytes.Length <= MaximumKeptBytes)
            _idle = batch;
    }

    internal void Clear() => (_used, _count) = (0, 0);

    /// <summary>Adds the names of one block.</summary>
    /// <param name="raw">The block.</param>
    /// <param name="isFirst">Whether it is the directory's first block, where the dots are.</param>
    /// <param name="directory">The directory's inode number.</param>
    /// <param name="superblock">The filesystem's.</param>
    /// <param name="hash">The directory's hash function.</param>
    /// <returns>The lowest and highest major hash; (uint.MaxValue, 0) if the block has no names.</returns>
    internal (uint Lowest, uint Highest) Add(ReadOnlySpan<byte> raw, bool isFirst, uint directory, Superblock superblock, NameHash hash)
    {
        if (_used + raw.Length > _bytes.Length)
            Grow(_used + raw.Length);
        raw.CopyTo(_bytes.AsSpan(_used));
        var block = new DirectoryBlock(raw, directory, superblock.InodeCount, _isEncrypted);
        uint lowest = uint.MaxValue;
        uint highest = 0;
        int offset = 0;
        int at = 0;
        for (int index = isFirst ? 0 : 2; block.TryNext(ref offset, out DirectoryEntry entry); index++, at = offset)
        {
            if (entry.InodeNumber == 0)
                continue;
            block.CheckName(at, entry);
            _keys[_count] = ListingKey.Of(block, at, entry, index, hash, out uint major, directory);
            _positions[_count] = _used + at;
            _count++;
            lowest = Math.Min(lowest, major);
            highest = Math.Max(highest, major);
        }

        _used += raw.Length;
        return (lowest, highest);
    }

    /// <summary>Adds the names of a piece of a directory as they lie: each one's key is the position behind it.</summary>
    internal void AddAsItLies(ReadOnlySpan<byte> raw, uint origin, uint directory, Superblock superblock)
    {
        if (_used + raw.Length > _bytes.Length)
            Grow(_used + raw.Length);
        raw.CopyTo(_bytes.AsSpan(_used));
        var block = new DirectoryBlock(raw, directory, superblock.InodeCount, _isEncrypted);
        int offset = 0;
        for (int at = 0; block.TryNext(ref offset, out DirectoryEntry entry); at = offset)
        {
            if (entry.InodeNumber == 0)
                continue;
            block.CheckName(at, entry);
            _keys[_count] = origin + (uint)offset;
            _positions[_count] = _used + at;
            _count++;
        }

        _used += raw.Length;
    }

    /// <summary>Puts the names into their final order and gives each its own key.</summary>
    internal void Sort(uint directory)
    {
        _keys.AsSpan(0, _count).Sort(_positions.AsSpan(0, _count));
        for (int start = 0; start < _count;)
        {
            ulong key = _keys[start];
            int end = start + 1;
            while (end < _count && _keys[end] == key)
            {
                ListingKey.CheckRank(key, end - start, directory);
                end++;
            }

            if (end - start > 1)
                SortByName(start, end);
            for (int rank = 0; start < end; start++, rank++)
                _keys[start] = key + (uint)rank;
        }
    }

    /// <summary>Shows the names behind a cookie; false if the visitor has had enough.</summary>
    internal bool Visit<TVisitor>(ulong after, bool hasTypes, NameForm form, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        int index = _keys.AsSpan(0, _count).BinarySearch(after);
        for (index = index < 0 ? ~index : index + 1; index < _count; index++)
        {
            DirectoryEntry entry = Entry(index);
            ReadOnlySpan<byte> name = _bytes.AsSpan(_positions[index] + DirectoryEntry.HeaderSize, entry.NameLength);
            if (form.IsEncoded)
                name = ShowEncoded(name, _positions[index], entry, form);

            if (!visitor.Visit(new ListedName(name, entry.InodeNumber, entry.FileType(hasTypes), _keys[index])))
                return false;
        }

        return true;
    }

    /// <summary>A name as it is shown, valid until the next one is.</summary>
    internal ReadOnlySpan<byte> Show(ReadOnlySpan<byte> name, HashedName hash, uint directory)
    {
        bool isDots = name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);
        return isDots ? name : _shown.AsSpan(0, EncryptedName.Encode(name, hash, _shown, directory));
    }

    private ReadOnlySpan<byte> ShowEncoded(ReadOnlySpan<byte> name, int position, scoped in DirectoryEntry entry, NameForm form)
    {
        var block = new DirectoryBlock(_bytes, form.Directory, uint.MaxValue);
        return Show(name, form.Hash(block, position, entry), form.Directory);
    }

    private DirectoryEntry Entry(int index) => DirectoryEntry.Parse(_bytes.AsSpan(_positions[index]), _blockSize);

    private ReadOnlySpan<byte> Name(int index) =>
        _bytes.AsSpan(_positions[index] + DirectoryEntry.HeaderSize, Entry(index).NameLength);

    /// <summary>Insertion sort: nearly always of one name, never of more than there are ranks.</summary>
    private void SortByName(int start, int end)
    {
        for (int next = start + 1; next < end; next++)
        {
            for (int index = next; index > start && Name(index).SequenceCompareTo(Name(index - 1)) < 0; index--)
                (_positions[index], _positions[index - 1]) = (_positions[index - 1], _positions[index]);
        }
    }

    private void Grow(int bytes)
    {
        int capacity = Math.Max(bytes, _bytes.Length * 2);
        Array.Resize(ref _bytes, capacity);
        Array.Resize(ref _keys, capacity / DirectoryEntry.MinimumLength + 1);
        Array.Resize(ref _positions, capacity / DirectoryEntry.MinimumLength + 1);
    }
}
