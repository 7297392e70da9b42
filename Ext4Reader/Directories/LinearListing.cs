using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>Lists a directory as it lies, for filesystems without dir_index: a cookie is the byte offset of the next entry.</summary>
internal sealed class LinearListing(DirectoryBlocks blocks)
{
    private readonly bool _hasTypes = blocks.Superblock.Features.Has(IncompatibleFeatures.FileType);

    internal void List<TVisitor>(in Inode directory, ulong start, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        if (!directory.IsEncrypted)
        {
            List(directory, start, null, ref visitor);
            return;
        }

        // Rented for its room for a name.
        ListingBatch encoder = ListingBatch.Rent(blocks.Superblock.BlockSize, isEncrypted: true);
        try
        {
            List(directory, start, encoder, ref visitor);
        }
        finally
        {
            ListingBatch.Return(encoder);
        }
    }

    private void List<TVisitor>(in Inode directory, ulong start, ListingBatch? encoder, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        Superblock superblock = blocks.Superblock;
        NameForm form = NameForm.Of(directory, NameHash.Default(directory, superblock), withHash: false);
        uint count = blocks.CountToScan(directory);
        for (ulong block = start >> superblock.BlockSizeBits; block < count; block++)
        {
            using BlockLease lease = blocks.ReadEntries(directory, (uint)block);
            var entries = new DirectoryBlock(lease.Bytes, directory.Number, superblock.InodeCount, directory.IsEncrypted);
            ulong origin = block << superblock.BlockSizeBits;
            int offset = 0;
            int at = 0;
            // Entries may have been merged since the cookie was made: walk from the start to the first one at or behind it.
            for (; entries.TryNext(ref offset, out DirectoryEntry entry); at = offset)
            {
                if (origin + (uint)at < start || entry.InodeNumber == 0)
                    continue;
                entries.CheckName(at, entry);
                ReadOnlySpan<byte> shown = entries.Name(at, entry);
                if (encoder is not null)
                    shown = encoder.Show(shown, form.Hash(entries, at, entry), directory.Number);
                var name = new ListedName(shown, entry.InodeNumber, entry.FileType(_hasTypes), origin + (uint)offset);
                if (!visitor.Visit(name))
                    return;
            }
        }
    }
}
