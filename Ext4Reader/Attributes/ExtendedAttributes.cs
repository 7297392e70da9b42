using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Attributes;

/// <summary>Gets and lists extended attributes: first those in the inode, then those in its attribute block.</summary>
internal sealed class ExtendedAttributes(BlockReader blocks, InodeTable inodes, AttributeValues values)
{
    private readonly Superblock _superblock = blocks.Superblock;

    /// <summary>Finds an attribute; its value is copied if it fits.</summary>
    internal bool TryGet(in Inode inode, ReadOnlySpan<byte> fullName, Span<byte> destination, out int length)
    {
        length = 0;
        if (!AttributeName.TryParse(fullName, out byte index, out ReadOnlySpan<byte> name))
            return false;
        using (BlockLease record = inodes.Lease(inode.Number, out ReadOnlySpan<byte> raw))
        {
            if (HasArea(raw, inode.Number, out ReadOnlySpan<byte> body)
                && TryGet(ExtendedAttributeArea.InInode(body, inode.Number, _superblock), index, name, destination, inode, out length))
            {
                return length >= 0;
            }
        }

        if (inode.AttributeBlock == 0)
            return false;
        using BlockLease block = ReadBlock(inode);
        return TryGet(ExtendedAttributeArea.InBlock(block.Bytes, inode.Number, _superblock), index, name, destination, inode, out length)
            && length >= 0;
    }

    /// <summary>The full names, each with a NUL behind it; copied if all fit.</summary>
    /// <returns>The length of all of them.</returns>
    internal int List(in Inode inode, Span<byte> destination)
    {
        int length = 0;
        using BlockLease record = inodes.Lease(inode.Number, out ReadOnlySpan<byte> raw);
        bool hasBody = HasArea(raw, inode.Number, out ReadOnlySpan<byte> body);
        ExtendedAttributeArea inner = hasBody ? ExtendedAttributeArea.InInode(body, inode.Number, _superblock) : default;
        if (hasBody)
            length += List(inner, default);
        if (inode.AttributeBlock == 0)
        {
            if (hasBody && length <= destination.Length)
                List(inner, destination);
            return length;
        }

        using BlockLease block = ReadBlock(inode);
        ExtendedAttributeArea outer = ExtendedAttributeArea.InBlock(block.Bytes, inode.Number, _superblock);
        length += List(outer, default);
        if (length <= destination.Length)
        {
            int used = hasBody ? List(inner, destination) : 0;
            List(outer, destination[used..]);
        }

        return length;
    }

    /// <summary>The length of the names in one area, which are copied unless the destination is empty.</summary>
    private static int List(ExtendedAttributeArea area, Span<byte> destination)
    {
        int length = 0;
        int offset = area.First;
        while (area.TryNext(ref offset, out ExtendedAttributeEntry entry, out ReadOnlySpan<byte> name))
        {
            if (!AttributeName.TryGetPrefix(entry.NameIndex, name, out ReadOnlySpan<byte> prefix))
                continue;
            if (!destination.IsEmpty)
            {
                prefix.CopyTo(destination[length..]);
                name.CopyTo(destination[(length + prefix.Length)..]);
                destination[length + prefix.Length + name.Length] = 0;
            }

            length += prefix.Length + name.Length + 1;
        }

        return length;
    }

    /// <summary>Finds an attribute in one area. The length is -1 for an access control list that says nothing.</summary>
    private bool TryGet(ExtendedAttributeArea area, byte index, ReadOnlySpan<byte> wanted, Span<byte> destination, in Inode inode, out int length)
    {
        int offset = area.First;
        while (area.TryNext(ref offset, out ExtendedAttributeEntry entry, out ReadOnlySpan<byte> name))
        {
            if (entry.NameIndex != index || !name.SequenceEqual(wanted))
                continue;
            bool isAcl = index is AttributeName.AccessAcl or AttributeName.DefaultAcl;
            if (entry.ValueInode != 0 && !isAcl)
            {
                length = (int)entry.ValueSize;
                if (length <= destination.Length)
                    values.Read(entry, name, inode, destination[..length]);
                return true;
            }

            ReadOnlySpan<byte> value = entry.ValueInode != 0 ? values.Read(entry, name, inode) : area.Value(entry);
            if (!isAcl)
            {
                length = value.Length;
                if (length <= destination.Length)
                    value.CopyTo(destination);
                return true;
            }

            length = PosixAcl.ShownLength(value, inode.Number);
            if (length == 0)
                length = -1;
            else if (length <= destination.Length)
                PosixAcl.Convert(value, destination);
            return true;
        }

        length = 0;
        return false;
    }

    /// <summary>Whether there are attributes in an inode, and where.</summary>
    private static bool HasArea(ReadOnlySpan<byte> raw, uint number, out ReadOnlySpan<byte> body)
    {
        bool hasArea = ExtendedAttributeArea.TryFindInInode(raw, InodeRecord.ExtraSize(raw, number), out int start);
        body = hasArea ? raw[start..] : default;
        return hasArea;
    }

    private BlockLease ReadBlock(in Inode inode)
    {
        BlockLease lease = blocks.Read(inode.AttributeBlock, inode.Number);
        if (!_superblock.HasMetadataChecksums || lease.IsVerified(Verification.AttributeBlock))
            return lease;
        try
        {
            ExtendedAttributeArea.CheckChecksum(lease.Bytes, inode.AttributeBlock, _superblock, inode.Number);
            lease.SetVerified(Verification.AttributeBlock);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }
}
