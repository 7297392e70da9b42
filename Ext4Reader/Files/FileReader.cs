using Ext4Reader.Storage;

namespace Ext4Reader.Files;

/// <summary>
/// Reads the content of files straight into the caller's memory, one positioned read for each contiguous piece: file
/// data never enters the block cache.
/// </summary>
internal sealed class FileReader(BlockReader blocks, BlockMap map, ulong maximumPieces = FileReader.MaximumPieces)
{
    // About a second's worth. No request may take for ever, and behind this a hostile map is likelier than a fragmented file.
    private const ulong MaximumPieces = 1 << 22;

    private readonly int _blockSizeBits = blocks.Superblock.BlockSizeBits;

    private readonly int _blockSize = blocks.Superblock.BlockSize;

    /// <summary>Fills the destination from a byte offset; shorter only at the end of the file.</summary>
    internal int Read(in Inode file, long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (offset >= file.Size)
            return 0;
        destination = destination[..(int)Math.Min(destination.Length, file.Size - offset)];
        int gathered = 0;       // bytes up to here are filled, or will be by one read of the pieces gathered so far
        int start = 0;          // where those pieces begin in the destination
        long imageOffset = 0;   // and in the image
        while (gathered < destination.Length)
        {
            long position = offset + gathered;
            int within = (int)(position & (_blockSize - 1));
            int left = destination.Length - gathered;
            ulong wanted = (ulong)(((long)within + left + _blockSize - 1) >> _blockSizeBits);
            BlockRun run = map.Find(file, FileBlock(file, position), wanted);
            if (blocks.Overlay is not null && !run.ReadsAsZeros)
            {
                // A block that the journal has a newer copy of goes by itself, and ends the run before it.
                if (blocks.Overlay.TryFind(run.ImageBlock, out BlockPlace place))
                {
                    ReadPiece(imageOffset, destination[start..gathered]);
                    int part = Math.Min(_blockSize - within, left);
                    place.Read(within, destination.Slice(gathered, part));
                    gathered += part;
                    start = gathered;
                    continue;
                }

                run = run with { Length = Math.Min(run.Length, blocks.Overlay.NextFrom(run.ImageBlock) - run.ImageBlock) };
            }

            int length = (int)Math.Min((long)(Math.Min(run.Length, wanted) << _blockSizeBits) - within, left);
            long runOffset = ((long)run.ImageBlock << _blockSizeBits) + within;
            if (run.ReadsAsZeros || runOffset != imageOffset + (gathered - start))
            {
                ReadPiece(imageOffset, destination[start..gathered]);
                start = gathered;
                imageOffset = runOffset;
            }

            if (run.ReadsAsZeros)
            {
                destination.Slice(gathered, length).Clear();
                start = gathered + length;
            }

            gathered += length;
        }

        ReadPiece(imageOffset, destination[start..]);
        return destination.Length;
    }

    /// <summary>The first byte at or after an offset that has data; -1 if there is none.</summary>
    internal long SeekData(in Inode file, long offset) => Seek(file, offset, data: true);

    /// <summary>The first byte at or after an offset that has none; the end of the file counts. -1 behind it.</summary>
    internal long SeekHole(in Inode file, long offset) => Seek(file, offset, data: false);

    private long Seek(in Inode file, long offset, bool data)
    {
        if (offset < 0 || offset >= file.Size)
            return -1;
        // Pieces that hold something are all distinct in a sound map, and holes lie between them.
        ulong mostPieces = 2 * blocks.Superblock.BlockCount + 2;
        long position = offset;
        for (ulong pieces = 0; pieces < maximumPieces; pieces++)
        {
            BlockRun run = map.Find(file, FileBlock(file, position), uint.MaxValue);
            if (run.ReadsAsZeros != data)
                return position;
            long block = (position >> _blockSizeBits) + (long)run.Length;
            if (block > file.Size >> _blockSizeBits || block << _blockSizeBits >= file.Size)
                return data ? -1 : file.Size;
            position = block << _blockSizeBits;
            if (pieces > mostPieces)
                throw new CorruptImageException(Corruption.BlockMapLoop, file.Number, $"more pieces than the image has blocks, at byte {position}");
        }

        // To call a hole data is always allowed: it reads as zeros.
        return data ? position : file.Size;
    }

    private void ReadPiece(long imageOffset, Span<byte> piece)
    {
        if (!piece.IsEmpty)
            blocks.Source.Read(imageOffset, piece);
    }

    private uint FileBlock(in Inode file, long position)
    {
        long block = position >> _blockSizeBits;
        if (block > uint.MaxValue)
            throw new CorruptImageException(Corruption.InodeSize, file.Number, $"byte {position} is more than a block map can describe");
        return (uint)block;
    }
}
