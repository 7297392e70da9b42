using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>Inode number → inode.</summary>
/// <param name="blocks">Reads the image.</param>
/// <param name="groups">The group descriptors.</param>
/// <param name="zones">Where no file may be; null if that does not matter.</param>
internal sealed class InodeTable(BlockReader blocks, GroupTable groups, SystemZones? zones = null)
{
    private readonly Superblock _superblock = blocks.Superblock;

    /// <summary>An inode that a user may see; false if there is none of that number.</summary>
    /// <param name="number">The inode number, whatever it is.</param>
    /// <param name="record">Gets the record as it lies, if it is not empty.</param>
    /// <param name="inode">The inode.</param>
    internal bool TryRead(uint number, Span<byte> record, out Inode inode)
    {
        if (number == 0 || _superblock.IsInternalInode(number))
        {
            inode = default;
            return false;
        }

        if (!TryReadAny(number, record, out inode))
            return false;
        if (inode.IsAttributeValue)
            throw new CorruptImageException(Corruption.InodeFlags, number, "the value of an extended attribute, which is no file");
        return true;
    }

    /// <inheritdoc cref="TryRead(uint, Span{byte}, out Inode)"/>
    internal bool TryRead(uint number, out Inode inode) => TryRead(number, default, out inode);

    /// <summary>Every inode that a user may see, in the order of their numbers. What cannot be read, or is broken, is left out.</summary>
    internal IEnumerable<Inode> InUse()
    {
        uint number = 1;
        while (number != 0 && number <= _superblock.InodeCount)
            if (TryReadOrSkip(ref number, out Inode inode))
                yield return inode;
    }

    // Goes on to the next number that can be in use: tables that were never written or cannot be found are passed over, and what is in one block fails as one.
    private bool TryReadOrSkip(ref uint number, out Inode inode)
    {
        inode = default;
        (uint group, uint index) = Math.DivRem(number - 1, _superblock.InodesPerGroup);
        uint restOfGroup = _superblock.InodesPerGroup - index;
        uint step = restOfGroup;
        try
        {
            if (index == 0)
            {
                _ = groups.InodeTable(group, number, out bool isUninitialized);
                if (isUninitialized)
                    return false;
            }

            step = 1;
            return TryRead(number, out inode);
        }
        catch (CorruptImageException)
        {
            return false;
        }
        catch (IOException)
        {
            if (step == 1)
                step = Math.Min(restOfGroup, (uint)_superblock.InodesPerBlock - (index % (uint)_superblock.InodesPerBlock)); // the last block of a table need not be full
            return false;
        }
        finally
        {
            number = unchecked(number + step); // 0 behind the last number that there can be
        }
    }

    /// <summary>The same for the filesystem's own inodes, too.</summary>
    /// <param name="number">At most the inode count; there is no inode 0, but superblocks name it.</param>
    /// <param name="record">Gets the record as it lies, if it is not empty.</param>
    /// <param name="inode">The inode.</param>
    internal bool TryReadAny(uint number, Span<byte> record, out Inode inode)
    {
        inode = default;
        if (number == 0)
            return false;
        using BlockLease lease = Lease(number, out ReadOnlySpan<byte> raw, out bool isUninitialized);
        if (isUninitialized || InodeRecord.IsBlank(raw))
            return false;
        int extraSize = InodeRecord.ExtraSize(raw, number);
        uint seed = 0;
        if (_superblock.HasMetadataChecksums)
        {
            seed = _superblock.InodeSeed(number, InodeRecord.Generation(raw));
            InodeRecord.CheckChecksum(raw, number, seed, extraSize);
        }

        if (InodeRecord.LinkCount(raw) == 0)
            return false;
        inode = new Inode(raw, number, seed, extraSize, _superblock);
        CheckMap(inode);
        if (!record.IsEmpty)
            raw.CopyTo(record);
        return true;
    }

    /// <inheritdoc cref="TryReadAny(uint, Span{byte}, out Inode)"/>
    internal bool TryReadAny(uint number, out Inode inode) => TryReadAny(number, default, out inode);

    /// <summary>The raw record of an inode, for what is not parsed with it.</summary>
    internal BlockLease Lease(uint number, out ReadOnlySpan<byte> raw) => Lease(number, out raw, out _);

    /// <summary>Where the record of an inode lies: image block and byte offset in it.</summary>
    internal (ulong Block, int Offset) Locate(uint number) => Locate(number, out _);

    private BlockLease Lease(uint number, out ReadOnlySpan<byte> raw, out bool isUninitialized)
    {
        (ulong block, int offset) = Locate(number, out isUninitialized);
        BlockLease lease = blocks.Read(block, number);
        raw = lease.Bytes.Slice(offset, _superblock.InodeSize);
        return lease;
    }

    private (ulong Block, int Offset) Locate(uint number, out bool isUninitialized)
    {
        (uint group, uint index) = Math.DivRem(number - 1, _superblock.InodesPerGroup);
        ulong table = groups.InodeTable(group, number, out isUninitialized);
        (uint block, uint position) = Math.DivRem(index, (uint)_superblock.InodesPerBlock);
        return (table + block, (int)position * _superblock.InodeSize);
    }

    /// <summary>What an inode itself points to is checked once, here: whoever has an inode may walk its tree.</summary>
    private void CheckMap(in Inode inode)
    {
        if (inode.AttributeBlock != 0)
            zones?.Check(inode.AttributeBlock, 1, inode.Number);
        bool hasMap = inode.Type is FileType.Regular or FileType.Directory || (inode.Type == FileType.SymbolicLink && !inode.IsFastSymbolicLink);
        if (!hasMap || !inode.UsesExtents || inode.HasInlineContent)
            return;
        ExtentNode.CheckHeader(inode.Map, Math.Min(ExtentNode.DepthOf(inode.Map), ExtentNode.MaximumDepth), inode.Number);
        new ExtentNode(inode.Map).Check(inode.Number, _superblock);
        zones?.Check(new ExtentNode(inode.Map), inode.Number);
    }
}
