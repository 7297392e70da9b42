using Ext4Reader.Directories.Casefold;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>Name → inode number.</summary>
internal sealed class DirectoryLookup(DirectoryBlocks blocks, HashTree tree, InlineDirectory inline)
{
    private const int MaximumNameLength = 255;

    internal bool TryFind(in Inode directory, ReadOnlySpan<byte> name, out uint inodeNumber)
    {
        inodeNumber = 0;
        if (name.Length is 0 or > MaximumNameLength || name.IndexOfAny((byte)'/', (byte)0) >= 0)
            return false;
        bool isDots = name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);
        if (!TryFindAny(directory, name, isDots, out inodeNumber))
            return false;
        CheckAnswer(directory, name, isDots, inodeNumber);
        return true;
    }

    /// <summary>Whether a directory may have such a name at all: with a strict encoding it has to be UTF-8, whatever else the directory does with it.</summary>
    internal bool IsPossible(in Inode directory, ReadOnlySpan<byte> name)
    {
        if (!directory.IsCasefolded || !blocks.Superblock.HasStrictEncoding || name.Length > MaximumNameLength)
            return true;
        Span<byte> form = stackalloc byte[NameFolding.MaximumLength];
        return NameFolding.TryFold(name, form, out _);
    }

    /// <summary>Finds a name in the way in which the directory compares names.</summary>
    private bool TryFindAny(in Inode directory, ReadOnlySpan<byte> name, bool isDots, out uint inodeNumber)
    {
        if (isDots || (!directory.IsEncrypted && !directory.IsCasefolded))
            return TryFindAny(directory, WantedName.Exact(name), isDots, out inodeNumber);
        inodeNumber = 0;
        if (directory.IsEncrypted)
        {
            Span<byte> decoded = stackalloc byte[EncryptedName.MaximumDecodedLength];
            return EncryptedName.TryParse(name, decoded, out WantedName wanted) && TryFindAny(directory, wanted, isDots, out inodeNumber);
        }

        Span<byte> form = stackalloc byte[NameFolding.MaximumLength];
        if (NameFolding.TryFold(name, form, out int length))
            return TryFindAny(directory, WantedName.Folded(form[..length]), isDots, out inodeNumber);
        return !blocks.Superblock.HasStrictEncoding && TryFindAny(directory, WantedName.Exact(name), isDots, out inodeNumber);
    }

    private bool TryFindAny(in Inode directory, scoped in WantedName name, bool isDots, out uint inodeNumber)
    {
        if (directory.HasInlineContent)
            return inline.TryFind(directory, name, out inodeNumber);
        // The dots are in the first block, index or not.
        uint count = isDots ? Math.Min(1, blocks.Count(directory)) : 0;
        if (!isDots && blocks.IsIndexed(directory))
        {
            HashTree.Step step = tree.Lookup(directory, name, out inodeNumber);
            if (step == HashTree.Step.Leaf)
                return true;
            if (step == HashTree.Step.End && !name.MayBeMissed)
                return false;
        }

        if (!isDots)
            count = blocks.CountToScan(directory);
        for (uint block = 0; block < count; block++)
        {
            using BlockLease lease = blocks.ReadEntries(directory, block);
            if (NameSearch.TryFind(lease.Bytes, name, directory.Number, blocks.Superblock, out inodeNumber))
                return true;
        }

        inodeNumber = 0;
        return false;
    }

    private void CheckAnswer(in Inode directory, ReadOnlySpan<byte> name, bool isDots, uint inodeNumber)
    {
        if (!blocks.Superblock.IsNameableInode(inodeNumber))
        {
            throw new CorruptImageException(Corruption.DirectoryEntryInode, directory.Number,
                $"a name of {name.Length} bytes leads to inode {inodeNumber}, which nobody may name");
        }

        // "." is the directory itself, and nothing else is, but for the root's "..".
        bool isSelf = inodeNumber == directory.Number;
        bool maySelf = isDots && (name.Length == 1 || directory.Number == Superblock.RootInode);
        if (isDots && name.Length == 1 ? !isSelf : isSelf && !maySelf)
        {
            throw new CorruptImageException(Corruption.DirectoryEntryInode, directory.Number,
                $"a name of {name.Length} bytes leads to inode {inodeNumber}, which makes a loop");
        }
    }
}
