using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>The blocks of a journal: an inode's in the image, or a device's of its own.</summary>
internal sealed class JournalFile
{
    private readonly BlockMap? _map;
    private readonly Inode _inode;
    private readonly int _blockSizeBits;
    private uint _runStart;
    private BlockRun _run;

    private JournalFile(ImageSource source, int blockSizeBits, ulong length)
    {
        Source = source;
        _blockSizeBits = blockSizeBits;
        Length = length;
    }

    private JournalFile(ImageSource source, BlockMap map, in Inode inode)
        : this(source, map.Superblock.BlockSizeBits, (ulong)inode.Size >> map.Superblock.BlockSizeBits)
    {
        _map = map;
        _inode = inode;
    }

    /// <summary>What the blocks lie in.</summary>
    internal ImageSource Source { get; }

    /// <summary>Number of blocks.</summary>
    internal ulong Length { get; }

    /// <summary>The block with the journal's superblock.</summary>
    internal uint SuperblockBlock { get; private init; }

    internal int BlockSize => 1 << _blockSizeBits;

    /// <summary>The journal in the image itself.</summary>
    /// <param name="blocks">Reads the image as it lies.</param>
    internal static JournalFile Internal(BlockReader blocks)
    {
        uint number = blocks.Superblock.JournalInode;
        if (number > blocks.Superblock.InodeCount || !new InodeTable(blocks, new GroupTable(blocks)).TryReadAny(number, out Inode inode))
            throw new CorruptImageException(Corruption.JournalInode, number, "the journal's inode is not in use");
        // No sound file has more blocks than the image: this bounds the time to read it.
        if (inode.Type != FileType.Regular || (ulong)inode.Size >> blocks.Superblock.BlockSizeBits > blocks.Superblock.BlockCount)
            throw new CorruptImageException(Corruption.JournalInode, number, $"a {inode.Type} of {inode.Size} bytes cannot be the journal");
        return new JournalFile(blocks.Source, new BlockMap(blocks), inode);
    }

    /// <summary>The journal in a device of its own, whose blocks it counts from the device's start.</summary>
    internal static JournalFile External(ImageSource device, int blockSizeBits, uint superblock, ulong length) =>
        new(device, blockSizeBits, length) { SuperblockBlock = superblock };

    /// <summary>The byte offset in <see cref="Source"/> of one of the journal's blocks.</summary>
    /// <exception cref="CorruptImageException">The journal has no such block.</exception>
    internal long Place(uint block)
    {
        if (block >= Length)
            throw new CorruptImageException(Corruption.JournalInode, _inode.Number, $"block {block} of a journal of {Length}");
        if (_map is null)
            return (long)block << _blockSizeBits;
        if (block < _runStart || block - _runStart >= _run.Length)
        {
            _run = _map.Find(_inode, block, Length - block);
            _runStart = block;
        }

        if (_run.ReadsAsZeros)
            throw new CorruptImageException(Corruption.JournalInode, _inode.Number, $"block {block} of the journal is missing");
        return (long)(_run.ImageBlock + (block - _runStart)) << _blockSizeBits;
    }

    /// <summary>Reads a whole block of the journal.</summary>
    internal void Read(uint block, Span<byte> destination) => Source.Read(Place(block), destination);
}
