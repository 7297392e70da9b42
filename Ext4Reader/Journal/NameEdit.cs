using Ext4Reader.Directories;
using Ext4Reader.Directories.Casefold;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>Adds names to directories and removes them, as fast commits say.</summary>
/// <remarks>
/// A directory gets the time of the inode that is named, where that is later: Linux sets the time at which it replays, which nobody can
/// know beforehand.
/// </remarks>
internal sealed class NameEdit
{
    // Directory blocks that are searched, all in all.
    private const int MaximumSteps = 1 << 20;

    private readonly Workspace _workspace;
    private readonly InodeEdit _inodes;
    private readonly DirectoryBlocks _blocks;
    private readonly HashTree _tree;
    private readonly Superblock _superblock;
    private readonly IndexEdit _index;

    // Directories in their inodes that had no room for a name.
    private readonly HashSet<uint> _full = [];
    private int _steps;

    internal NameEdit(Workspace workspace, InodeEdit inodes)
    {
        _workspace = workspace;
        _inodes = inodes;
        _superblock = workspace.Superblock;
        _blocks = new DirectoryBlocks(workspace.Blocks, workspace.Map);
        _tree = new HashTree(_blocks);
        _index = new IndexEdit(workspace, inodes);
    }

    /// <summary>Gives an inode a name, unless it has it already.</summary>
    internal void Link(uint directoryNumber, ReadOnlySpan<byte> name, uint number, bool isNew)
    {
        if (isNew && _superblock.IsNameableInode(number))
            _inodes.MarkInUse(number);
        if (!_inodes.TryRead(number, out Inode inode))
        {
            if (isNew)
                throw new CorruptImageException(Corruption.FastCommit, number, "a fast commit names an inode that it does not bring");
            return;
        }

        CheckName(name, directoryNumber);
        if (isNew && inode.Type == FileType.Directory && !inode.HasInlineContent)
            MakeDots(inode, directoryNumber);
        if (!_inodes.TryRead(directoryNumber, out Inode directory) || directory.Type != FileType.Directory)
            return;
        bool isThere = TryFind(directory, name, out _, out _, out _);
        if (!isThere)
        {
            Insert(directory, name, number, (byte)inode.Type);
            SetTimes(directoryNumber, number);
        }

        if (isNew)
            _inodes.SetLinks(number, 1);
        else if (!isThere)
            _inodes.SetLinks(number, Math.Min(inode.LinkCount + 1, ushort.MaxValue));
    }

    /// <summary>Takes a name from an inode; what has no name left is free.</summary>
    internal void Unlink(uint directoryNumber, ReadOnlySpan<byte> name, uint number)
    {
        if (!_inodes.TryRead(number, out Inode inode) || !_inodes.TryRead(directoryNumber, out Inode directory) || directory.Type != FileType.Directory
            || !TryFind(directory, name, out ulong block, out int offset, out uint found))
        {
            return;
        }

        if (found == number && directory.HasInlineContent)
        {
            DirectoryBlockEdit.Free(_workspace.Edit(block, directoryNumber), offset);
            _workspace.SealInode(directoryNumber);
            found = 0;
        }

        // A name that leads elsewhere by now was given away in the same commit.
        if (found == number)
        {
            byte[] raw = _workspace.Edit(block, directoryNumber);
            DirectoryBlockEdit.Free(raw, offset);
            DirectoryBlockEdit.Seal(raw, directory.ChecksumSeed, _superblock);
        }

        if (inode.LinkCount > 0)
            _inodes.SetLinks(number, inode.LinkCount - 1);
    }

    /// <summary>Forgets what is missing in a directory: its inode came anew, with all names that lie in it.</summary>
    internal void Forget(uint directory) => _full.Remove(directory);

    /// <summary>Makes sure that no name is missing.</summary>
    internal void Finish()
    {
        // Linux moves such a directory into a block. What it was before comes with its inode, so this does not happen in practice.
        if (_full.Count > 0)
            throw UnsupportedImageException.FastCommit($"they add a name to directory {_full.First()}, which lies in its inode and is full (inline_data)");
    }

    private static void CheckName(ReadOnlySpan<byte> name, uint directory)
    {
        if (name.IndexOfAny((byte)'/', (byte)0) >= 0 || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
            throw new CorruptImageException(Corruption.FastCommit, directory, $"a fast commit adds an impossible name of {name.Length} bytes");
    }

    private void Step()
    {
        if (++_steps > MaximumSteps)
            throw UnsupportedImageException.FastCommit("they search larger directories than can be searched in time");
    }

    private void MakeDots(in Inode directory, uint parent)
    {
        if (directory.Size != 0)
        {
            byte[]? first = TryEditBlock(directory, 0, out ulong place) ? _workspace.Create(place) : null;
            if (first is not null)
            {
                DirectoryBlockEdit.MakeDots(first, directory.Number, parent, directory.ChecksumSeed, _superblock);
                return;
            }
        }

        (ulong block, _) = _inodes.Append(directory);
        DirectoryBlockEdit.MakeDots(_workspace.Edit(block, directory.Number), directory.Number, parent, directory.ChecksumSeed, _superblock);
    }

    private bool TryEditBlock(in Inode directory, uint fileBlock, out ulong place)
    {
        place = _workspace.Map.Find(directory, fileBlock, 1).ImageBlock;
        return place != 0;
    }

    /// <summary>Finds the entry with a name: block, offset in it, inode number.</summary>
    private bool TryFind(in Inode directory, ReadOnlySpan<byte> name, out ulong block, out int offset, out uint number)
    {
        Span<byte> form = stackalloc byte[NameFolding.MaximumLength];
        WantedName wanted = directory.IsCasefolded && NameFolding.TryFold(name, form, out int length) ? WantedName.Folded(form[..length]) : WantedName.Exact(name);
        if (directory.HasInlineContent)
            return TryFindInline(directory, wanted, out block, out offset, out number);
        uint count = _blocks.Count(directory);
        uint next = 0;
        if (_blocks.IsIndexed(directory) && _tree.TryGetHash(directory, out NameHash function))
        {
            uint hash = wanted.Hash(function).Major;
            HashTree.Step step = _tree.Find(directory, hash, out HashTreePath path);
            for (uint left = count; step == HashTree.Step.Leaf && left > 0; left--)
            {
                if (TryFind(directory, path.Leaf, wanted, out block, out offset, out number))
                    return true;
                step = _tree.Next(directory, ref path);
                if (step == HashTree.Step.Leaf && path.LowestHash != (hash | 1))
                    step = HashTree.Step.End;
            }

            next = step == HashTree.Step.End ? count : 0;
        }

        for (; next < count; next++)
        {
            if (TryFind(directory, next, wanted, out block, out offset, out number))
                return true;
        }

        (block, offset, number) = (0, 0, 0);
        return false;
    }

    private bool TryFind(in Inode directory, uint fileBlock, scoped in WantedName name, out ulong block, out int offset, out uint number)
    {
        Step();
        using BlockLease lease = _blocks.ReadEntries(directory, fileBlock);
        block = _workspace.Map.Find(directory, fileBlock, 1).ImageBlock;
        var entries = new DirectoryBlock(lease.Bytes, directory.Number, _superblock.InodeCount);
        int next = 0;
        for (offset = 0; entries.TryNext(ref next, out DirectoryEntry entry); offset = next)
        {
            number = entry.InodeNumber;
            if (number != 0 && name.Matches(entries.Name(offset, entry)))
                return true;
        }

        number = 0;
        return false;
    }

    /// <summary>The same in an inode: the block is that of the inode table.</summary>
    private bool TryFindInline(in Inode directory, scoped in WantedName name, out ulong block, out int offset, out uint number)
    {
        Step();
        (block, int at) = _workspace.Inodes.Locate(directory.Number);
        number = 0;
        offset = 0;
        using BlockLease lease = _workspace.Blocks.Read(block, directory.Number);
        foreach ((int start, int length) in Areas(directory))
        {
            var entries = new DirectoryBlock(lease.Bytes.Slice(at + start, length), directory.Number, _superblock.InodeCount);
            int next = 0;
            for (int entryAt = 0; entries.TryNext(ref next, out DirectoryEntry entry); entryAt = next)
            {
                number = entry.InodeNumber;
                offset = at + start + entryAt;
                if (number != 0 && name.Matches(entries.Name(entryAt, entry)))
                    return true;
            }
        }

        number = 0;
        return false;
    }

    private void InsertInline(in Inode directory, ReadOnlySpan<byte> name, NewEntry entry)
    {
        Span<byte> record = _workspace.EditInode(directory.Number);
        foreach ((int start, int length) in Areas(directory))
        {
            byte[] area = record.Slice(start, length).ToArray();
            if (!DirectoryBlockEdit.TryInsertInline(area, name, entry, directory.Number, _superblock))
                continue;
            area.CopyTo(record[start..]);
            _workspace.SealInode(directory.Number);
            return;
        }

        _full.Add(directory.Number);
    }

    // Behind the parent's number, and where an attribute of the inode continues.
    private static (int Start, int Length)[] Areas(in Inode directory) =>
        [(InodeRecord.MapOffset + sizeof(uint), InodeRecord.MapSize - sizeof(uint)), (directory.InlineOffset, directory.InlineLength)];

    private void Insert(in Inode directory, ReadOnlySpan<byte> name, uint number, byte type)
    {
        var entry = new NewEntry(number, _superblock.Features.Has(IncompatibleFeatures.FileType) ? type : (byte)0);
        if (directory.HasInlineContent)
        {
            InsertInline(directory, name, entry);
            return;
        }

        if (_blocks.IsIndexed(directory))
        {
            if (!_tree.TryGetHash(directory, out NameHash function)
                || _tree.Find(directory, function.Compute(name).Major, out HashTreePath path) != HashTree.Step.Leaf)
            {
                throw UnsupportedImageException.FastCommit($"they add a name to directory {directory.Number}, whose index is damaged");
            }

            if (!TryInsert(directory, path.Leaf, name, entry))
                _index.Split(directory, path, function, name, entry);
            return;
        }

        uint count = _blocks.Count(directory);
        for (uint fileBlock = 0; fileBlock < count; fileBlock++)
        {
            if (TryInsert(directory, fileBlock, name, entry))
                return;
        }

        (ulong block, _) = _inodes.Append(directory);
        byte[] raw = _workspace.Edit(block, directory.Number);
        DirectoryBlockEdit.Clear(raw, _superblock);
        _ = DirectoryBlockEdit.TryInsert(raw, name, entry, directory.Number, _superblock);
        DirectoryBlockEdit.Seal(raw, directory.ChecksumSeed, _superblock);
    }

    private bool TryInsert(in Inode directory, uint fileBlock, ReadOnlySpan<byte> name, NewEntry entry)
    {
        Step();
        ulong block = _workspace.Map.Find(directory, fileBlock, 1).ImageBlock;
        using (BlockLease lease = _blocks.ReadEntries(directory, fileBlock))
        {
            if (!DirectoryBlockEdit.HasRoom(lease.Bytes, name.Length, directory.Number, _superblock))
                return false;
        }

        byte[] raw = _workspace.Edit(block, directory.Number);
        _ = DirectoryBlockEdit.TryInsert(raw, name, entry, directory.Number, _superblock);
        DirectoryBlockEdit.Seal(raw, directory.ChecksumSeed, _superblock);
        return true;
    }

    private void SetTimes(uint directory, uint inode)
    {
        Span<byte> from = _workspace.EditInode(inode);
        Span<byte> to = _workspace.EditInode(directory);
        if (InodeRecord.TryCopyChangeTime(from, to, directory))
            _workspace.SealInode(directory);
    }
}
