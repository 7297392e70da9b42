namespace Ext4Reader.Files;

/// <summary>A run of blocks of a file that lie next to each other in the image, or nowhere.</summary>
/// <param name="ImageBlock">The first image block; 0 if the run reads as zeros (a hole, or reserved but unwritten).</param>
/// <param name="Length">Blocks, at least 1.</param>
internal readonly record struct BlockRun(ulong ImageBlock, ulong Length)
{
    /// <summary>Whether the run has no data of its own.</summary>
    internal bool ReadsAsZeros => ImageBlock == 0;

    internal static BlockRun Zeros(ulong length) => new(0, length);
}
