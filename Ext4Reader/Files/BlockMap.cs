using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>File block → run of image blocks, for either kind of map.</summary>
/// <param name="blocks">Reads the image.</param>
/// <param name="zones">Where no file may be; null if that does not matter.</param>
internal sealed class BlockMap(BlockReader blocks, SystemZones? zones = null)
{
    private readonly ExtentTree _extents = new(blocks, zones);
    private readonly IndirectBlocks _indirect = new(blocks, zones);

    internal Superblock Superblock { get; } = blocks.Superblock;

    /// <summary>The file block behind the last one that is mapped, of a file with extents.</summary>
    internal ulong End(in Inode inode) => _extents.End(inode);

    /// <summary>The run that starts at a file block.</summary>
    /// <param name="inode">A regular file, directory or slow symbolic link.</param>
    /// <param name="fileBlock">The file block, which may lie behind the end of the file.</param>
    /// <param name="wanted">How many blocks are of interest, at least 1; the run may be longer.</param>
    internal BlockRun Find(in Inode inode, uint fileBlock, ulong wanted) =>
        inode.UsesExtents ? _extents.Find(inode, fileBlock) : _indirect.Find(inode, fileBlock, wanted);
}
