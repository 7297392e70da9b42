using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>
/// Lists a directory in key order by walking its index, leaf by leaf. Leaves that continue one hash are sorted
/// together, so that ranks come out the same wherever the listing starts.
/// </summary>
internal sealed class HashTreeListing(DirectoryBlocks blocks, HashTree tree)
{
    private readonly bool _hasTypes = blocks.Superblock.Features.Has(IncompatibleFeatures.FileType);

    /// <summary>Shows the names behind a cookie.</summary>
    /// <param name="directory">An indexed directory.</param>
    /// <param name="hash">The hash function its index names.</param>
    /// <param name="after">The cookie; moves on behind the last batch shown completely.</param>
    /// <param name="visitor">Who gets the names.</param>
    /// <returns>False if the index turned out to be damaged: the listing has to go on without it.</returns>
    internal bool TryList<TVisitor>(in Inode directory, NameHash hash, ref ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        ListingBatch batch = ListingBatch.Rent(blocks.Superblock.BlockSize, directory.IsEncrypted);
        try
        {
            return TryList(directory, hash, ref after, ref visitor, batch);
        }
        finally
        {
            ListingBatch.Return(batch);
        }
    }

    private bool TryList<TVisitor>(in Inode directory, NameHash hash, ref ulong after, ref TVisitor visitor, ListingBatch batch)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        NameForm form = NameForm.Of(directory, hash, withHash: true);
        if (after < ListingKey.DotDot)
        {
            // The root's two entries are the dots; to their reader the second one covers the whole index.
            using (BlockLease root = blocks.ReadEntries(directory, 0))
                batch.Add(root.Bytes, isFirst: true, directory.Number, blocks.Superblock, hash);
            batch.Sort(directory.Number);
            if (!batch.HoldsDotsOnly)
                return false;
            if (!batch.Visit(after, _hasTypes, form, ref visitor))
                return true;
            after = ListingKey.DotDot;
        }

        uint leavesLeft = blocks.MostLeaves(directory);
        HashTree.Step step = tree.Find(directory, ListingKey.MajorHash(after), out HashTreePath path);
        while (step == HashTree.Step.Leaf)
        {
            batch.Clear();
            uint lowest = path.LowestHash & ~1u;
            uint highestSeen = 0;
            do
            {
                if (leavesLeft-- == 0 || !tree.TryReadLeaf(directory, path.Leaf, out BlockLease lease))
                    return false;
                using (lease)
                {
                    (uint low, uint high) = batch.Add(lease.Bytes, isFirst: false, directory.Number, blocks.Superblock, hash);
                    if (low < lowest)
                        return false;
                    highestSeen = Math.Max(highestSeen, high);
                }

                if (batch.Bytes > ListingBatch.MaximumBytes)
                    throw new CorruptImageException(Corruption.DirectoryHashCollisions, directory.Number, $"one hash goes on for {batch.Bytes} bytes");
                step = tree.Next(directory, ref path);
            }
            while (step == HashTree.Step.Leaf && (path.LowestHash & 1) != 0);
            if (step == HashTree.Step.Damaged || (step == HashTree.Step.Leaf && highestSeen >= path.LowestHash))
                return false;
            batch.Sort(directory.Number);
            if (!batch.Visit(after, _hasTypes, form, ref visitor))
                return true;
            // Everything below the next leaf's lowest hash has been shown, whatever comes.
            if (step == HashTree.Step.Leaf && path.LowestHash > 0)
                after = Math.Max(after, ((ulong)(path.LowestHash >> 1) << 32) - 1);
        }

        return step == HashTree.Step.End;
    }
}
