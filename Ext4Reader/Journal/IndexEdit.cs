using Ext4Reader.Directories;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Journal;

/// <summary>Splits a full leaf of an indexed directory: the names with the higher hashes move to a new block.</summary>
internal sealed class IndexEdit(Workspace workspace, InodeEdit inodes)
{
    private readonly Superblock _superblock = workspace.Superblock;

    /// <summary>Adds a name that does not fit into its leaf.</summary>
    internal void Split(in Inode directory, in HashTreePath path, NameHash function, ReadOnlySpan<byte> name, NewEntry entry)
    {
        int level = path.Levels - 1;
        ulong parent = workspace.Map.Find(directory, path.Block(level), 1).ImageBlock;
        byte[] node = workspace.Edit(parent, directory.Number);
        if (!HashTreeNode.HasRoom(node, isRoot: level == 0))
            throw UnsupportedImageException.FastCommit($"they add a name to directory {directory.Number}, whose index is full");
        byte[] low = workspace.Edit(workspace.Map.Find(directory, path.Leaf, 1).ImageBlock, directory.Number);
        List<(uint Hash, byte[] Name, NewEntry Entry)> names = Gather(low, directory.Number, function);
        names.Add((function.Compute(name).Major, name.ToArray(), entry));
        names = [.. names.OrderBy(one => one.Hash)];

        (ulong block, uint fileBlock) = inodes.Append(directory);
        byte[] high = workspace.Edit(block, directory.Number);
        int half = Half(names);
        Fill(low, names[..half], directory);
        Fill(high, names[half..], directory);
        // Bit 0: names of this hash are in the block before, too.
        uint lowest = names[half].Hash | (names[half - 1].Hash == names[half].Hash ? 1u : 0);
        HashTreeNode.Insert(node, isRoot: level == 0, path.Entry(level) + 1, lowest, fileBlock);
        if (_superblock.HasMetadataChecksums)
            HashTreeNode.SetChecksum(node, isRoot: level == 0, directory.ChecksumSeed);
    }

    private static int Half(List<(uint Hash, byte[] Name, NewEntry Entry)> names)
    {
        int total = names.Sum(one => DirectoryEntry.LengthFor(one.Name.Length));
        int index = 0;
        for (int bytes = 0; bytes < total / 2 && index < names.Count - 1; index++)
            bytes += DirectoryEntry.LengthFor(names[index].Name.Length);
        return Math.Max(1, index);
    }

    private List<(uint Hash, byte[] Name, NewEntry Entry)> Gather(byte[] raw, uint directory, NameHash function)
    {
        var names = new List<(uint, byte[], NewEntry)>();
        var entries = new DirectoryBlock(raw, directory, _superblock.InodeCount);
        int next = 0;
        for (int offset = 0; entries.TryNext(ref next, out DirectoryEntry entry); offset = next)
        {
            if (entry.InodeNumber == 0)
                continue;
            byte[] name = entries.Name(offset, entry).ToArray();
            names.Add((function.Compute(name).Major, name, new NewEntry(entry.InodeNumber, entry.Type)));
        }

        return names;
    }

    private void Fill(byte[] raw, List<(uint Hash, byte[] Name, NewEntry Entry)> names, in Inode directory)
    {
        DirectoryBlockEdit.Clear(raw, _superblock);
        foreach ((_, byte[] name, NewEntry entry) in names)
        {
            if (!DirectoryBlockEdit.TryInsert(raw, name, entry, directory.Number, _superblock))
                throw new CorruptImageException(Corruption.FastCommit, directory.Number, "the names of one directory block do not fit into two");
        }

        DirectoryBlockEdit.Seal(raw, directory.ChecksumSeed, _superblock);
    }
}
