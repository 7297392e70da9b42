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

    private bool TryFindAny(in Inode directory, ReadOnlySpan<byte> name, bool isDots, out uint inodeNumber)
    {
        if (directory.HasInlineContent)
            return inline.TryFind(directory, name, out inodeNumber);
        // The dots are in the first block, index or not.
        uint count = isDots ? Math.Min(1, blocks.Count(directory)) : blocks.Count(directory);
        if (!isDots && blocks.IsIndexed(directory))
        {
            HashTree.Step step = tree.Lookup(directory, name, out inodeNumber);
            if (step != HashTree.Step.Damaged)
                return step == HashTree.Step.Leaf;
        }

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
