using System.Buffers.Binary;
using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Directories;

/// <summary>
/// A directory that lies in its inode. The dots are not stored: "." is the directory itself, ".." the first four bytes.
/// <code>
/// map bytes:   | parent 4 | entries, to the end: 56 |
/// system.data: | entries, to the end |
/// </code>
/// To its readers it has the dots as every other directory, in front of the entries.
/// </summary>
internal sealed class InlineDirectory(Superblock superblock, InlineFiles inline)
{
    private const int ParentSize = 4;

    // The two dots as entries, each as short as can be.
    private const int DotsSize = 2 * DirectoryEntry.MinimumLength;

    // Positions, and thus cookies without dir_index, count as though the dots were stored.
    private const int HeadSize = DotsSize + InodeRecord.MapSize - ParentSize;

    private readonly bool _hasTypes = superblock.Features.Has(IncompatibleFeatures.FileType);

    internal bool TryFind(in Inode directory, scoped in WantedName name, out uint inodeNumber)
    {
        if (name.Matches("."u8) || name.Matches(".."u8))
        {
            inodeNumber = name.Matches("."u8) ? directory.Number : LittleEndian.U32(directory.Map, 0);
            return true;
        }

        if (NameSearch.TryFind(directory.Map[ParentSize..], name, directory.Number, superblock, out inodeNumber))
            return true;
        using BlockLease lease = inline.Lease(directory, out ReadOnlySpan<byte> rest);
        return NameSearch.TryFind(rest, name, directory.Number, superblock, out inodeNumber);
    }

    internal void List<TVisitor>(in Inode directory, ulong after, ref TVisitor visitor)
        where TVisitor : struct, IDirectoryVisitor, allows ref struct
    {
        ListingBatch batch = ListingBatch.Rent(superblock.BlockSize, directory.IsEncrypted);
        try
        {
            Gather(directory, batch);
            batch.Visit(after, _hasTypes, NameForm.Of(directory, NameHash.Default(directory, superblock), withHash: true), ref visitor);
        }
        finally
        {
            ListingBatch.Return(batch);
        }
    }

    private void Gather(in Inode directory, ListingBatch batch)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        WriteDots(directory, head);
        directory.Map[ParentSize..].CopyTo(head[DotsSize..]);
        using BlockLease lease = inline.Lease(directory, out ReadOnlySpan<byte> rest);
        if (!superblock.Features.Has(CompatibleFeatures.DirectoryIndex))
        {
            batch.AddAsItLies(head, 0, directory.Number, superblock);
            batch.AddAsItLies(rest, HeadSize, directory.Number, superblock);
            return;
        }

        NameHash hash = NameHash.Default(directory, superblock);
        batch.Add(head, isFirst: true, directory.Number, superblock, hash);
        batch.Add(rest, isFirst: false, directory.Number, superblock, hash);
        batch.Sort(directory.Number);
    }

    private void WriteDots(in Inode directory, Span<byte> dots)
    {
        uint parent = LittleEndian.U32(directory.Map, 0);
        if (parent == 0 || parent > superblock.InodeCount)
            throw new CorruptImageException(Corruption.DirectoryEntryInode, directory.Number, $"\"..\" is inode {parent} of {superblock.InodeCount}");
        WriteDot(dots, directory.Number, 1);
        WriteDot(dots[DirectoryEntry.MinimumLength..], parent, 2);
    }

    private void WriteDot(Span<byte> entry, uint number, byte length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, number);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], DirectoryEntry.MinimumLength);
        entry[6] = length;
        entry[7] = _hasTypes ? (byte)FileType.Directory : (byte)0;
        entry.Slice(DirectoryEntry.HeaderSize, 4).Clear();
        entry.Slice(DirectoryEntry.HeaderSize, length).Fill((byte)'.');
    }
}
