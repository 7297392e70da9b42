using System.Buffers.Binary;
using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>Changes inodes and their maps as fast commits say. Maps are kept as lists until somebody needs them in the image.</summary>
internal sealed class InodeEdit(Workspace workspace, SpaceEdit space)
{
    // Of all files together, 30 bytes each.
    private const int MaximumPieces = 1 << 20;

    private readonly Superblock _superblock = workspace.Superblock;
    private readonly Dictionary<uint, ExtentEdit> _maps = [];
    private long _pieces;

    /// <summary>The group an inode is in.</summary>
    internal uint GroupOf(uint number) => (number - 1) / _superblock.InodesPerGroup;

    /// <summary>Puts an inode's record in place of the old one. The map stays: pieces of the file come separately.</summary>
    internal void Replace(uint number, ReadOnlySpan<byte> record)
    {
        if (!_superblock.IsNameableInode(number))
            return;
        _ = Flush(number);
        Drop(number);
        MarkInUse(number);
        Span<byte> raw = workspace.EditInode(number);
        uint oldSeed = _superblock.InodeSeed(number, InodeRecord.Generation(raw));
        InodeRecord.Overwrite(raw, record);
        if (InodeRecord.UsesExtents(raw))
        {
            Span<byte> map = raw.Slice(InodeRecord.MapOffset, InodeRecord.MapSize);
            if (!ExtentNode.HasMagic(map))
                ExtentNode.MakeEmptyRoot(map);
            Keep(number, ExtentEdit.Load(new Inode(map, number, oldSeed), workspace));
            // A new generation makes all checksums of the tree new.
            _maps[number].IsChanged = true;
            _ = Flush(number);
            InodeRecord.SetSectors(raw, _maps[number].BlockCount << (_superblock.BlockSizeBits - 9), _superblock);
        }
        else
        {
            record.Slice(InodeRecord.MapOffset, InodeRecord.MapSize).CopyTo(raw[InodeRecord.MapOffset..]);
        }

        workspace.SealInode(number);
    }

    /// <summary>Adds a piece to a file.</summary>
    internal void AddRange(uint number, in Extent extent)
    {
        if (!TryMap(number, out ExtentEdit? map))
            return;
        if (extent.Length == 0 || extent.FirstFileBlock + (ulong)extent.Length > uint.MaxValue || !_superblock.IsDataRun(extent.FirstImageBlock, extent.Length))
        {
            throw new CorruptImageException(Corruption.FastCommit, number,
                $"a fast commit adds {extent.Length} blocks from image block {extent.FirstImageBlock} of {_superblock.BlockCount}");
        }

        map.Add(extent, number, space);
    }

    /// <summary>Removes a piece from a file.</summary>
    internal void DeleteRange(uint number, uint first, uint length)
    {
        if (TryMap(number, out ExtentEdit? map))
            map.Remove(first, length, space);
    }

    /// <summary>Reads an inode with its map as it is now; false if it is not in use.</summary>
    internal bool TryRead(uint number, out Inode inode)
    {
        inode = default;
        if (number > _superblock.InodeCount || !_superblock.IsNameableInode(number))
            return false;
        _ = Flush(number);
        return workspace.Inodes.TryRead(number, out inode);
    }

    /// <summary>Sets the number of names; without any, the inode and all it has are free.</summary>
    internal void SetLinks(uint number, uint links)
    {
        if (links == 0)
            Free(number);
        Span<byte> raw = workspace.EditInode(number);
        InodeRecord.SetLinkCount(raw, (ushort)links);
        workspace.SealInode(number);
    }

    /// <summary>Notes that an inode is in use.</summary>
    internal void MarkInUse(uint number) => space.MarkInode(number, isUsed: true);

    /// <summary>Adds a block at the end of a directory.</summary>
    /// <returns>The image block, all zero, and its file block.</returns>
    internal (ulong ImageBlock, uint FileBlock) Append(in Inode directory)
    {
        uint fileBlock = (uint)(directory.Size >> _superblock.BlockSizeBits);
        if (!TryMap(directory.Number, out ExtentEdit? map))
            throw UnsupportedImageException.FastCommit($"directory {directory.Number} must grow, and has no extents");
        // The block may have come with a tag of its own.
        BlockRun run = Find(directory.Number, fileBlock);
        ulong block = run.ImageBlock;
        if (run.ReadsAsZeros)
        {
            block = space.Allocate(GroupOf(directory.Number));
            map.Add(new Extent(fileBlock, block, 1, IsUnwritten: false), directory.Number, space);
        }

        _ = Flush(directory.Number);
        Span<byte> raw = workspace.EditInode(directory.Number);
        InodeRecord.SetSize(raw, (ulong)directory.Size + (uint)_superblock.BlockSize);
        InodeRecord.SetSectors(raw, map.BlockCount << (_superblock.BlockSizeBits - 9), _superblock);
        workspace.SealInode(directory.Number);
        _ = workspace.Create(block);
        return (block, fileBlock);
    }

    /// <summary>Writes what is still in lists, and marks the blocks of all changed files.</summary>
    internal void Finish()
    {
        foreach (uint number in _maps.Keys.ToArray())
        {
            _ = Flush(number);
            _maps[number].MarkAll(space, isUsed: true);
        }
    }

    private BlockRun Find(uint number, uint fileBlock) =>
        TryRead(number, out Inode inode) ? workspace.Map.Find(inode, fileBlock, 1) : BlockRun.Zeros(1);

    /// <summary>Writes a changed map into its inode.</summary>
    private bool Flush(uint number)
    {
        if (!_maps.TryGetValue(number, out ExtentEdit? map) || !map.IsChanged)
            return false;
        Span<byte> raw = workspace.EditInode(number);
        uint seed = _superblock.InodeSeed(number, InodeRecord.Generation(raw));
        map.Write(raw.Slice(InodeRecord.MapOffset, InodeRecord.MapSize), seed, GroupOf(number), workspace, space);
        workspace.SealInode(number);
        return true;
    }

    private bool TryMap(uint number, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ExtentEdit? map)
    {
        if (_maps.TryGetValue(number, out map))
            return true;
        if (!TryRead(number, out Inode inode) || !inode.UsesExtents)
            return false;
        map = ExtentEdit.Load(inode, workspace);
        Keep(number, map);
        return true;
    }

    private void Keep(uint number, ExtentEdit map)
    {
        _maps[number] = map;
        _pieces += map.Pieces;
        if (_pieces > MaximumPieces)
            throw UnsupportedImageException.FastCommit($"they change files in more than {MaximumPieces} pieces");
    }

    private void Drop(uint number)
    {
        if (_maps.Remove(number, out ExtentEdit? map))
            _pieces -= map.Pieces;
    }

    private void Free(uint number)
    {
        Span<byte> raw = workspace.EditInode(number);
        if (TryMap(number, out ExtentEdit? map))
        {
            map.MarkAll(space, isUsed: false);
            Drop(number);
            ExtentNode.MakeEmptyRoot(raw.Slice(InodeRecord.MapOffset, InodeRecord.MapSize));
        }

        FreeAttributes(InodeRecord.AttributeBlock(RawInode.Of(raw), _superblock), number);
        InodeRecord.SetSize(raw, 0);
        InodeRecord.SetSectors(raw, 0, _superblock);
        space.MarkInode(number, isUsed: false);
    }

    private void FreeAttributes(ulong block, uint number)
    {
        if (block == 0 || !_superblock.IsDataBlock(block))
            return;
        byte[] raw = workspace.Edit(block, number);
        uint users = LittleEndian.U32(raw, 0x04);                          // h_refcount
        if (users <= 1)
            space.MarkBlocks(block, 1, isUsed: false);
    }
}
