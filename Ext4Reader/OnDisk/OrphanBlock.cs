namespace Ext4Reader.OnDisk;

/// <summary>
/// A block of the orphan file: inode numbers, 0 where there is none.
/// <code>
/// | inode 4 | inode 4 | … | magic 4 | checksum 4 |
/// </code>
/// </summary>
internal static class OrphanBlock
{
    private const uint Magic = 0x0b10ca04;
    private const int TailSize = 8;

    /// <summary>The inode numbers, as bytes; empty if the block cannot be trusted.</summary>
    /// <param name="raw">The block.</param>
    /// <param name="place">Its image block.</param>
    /// <param name="seed">The orphan file's, or null where metadata has no checksums.</param>
    internal static ReadOnlySpan<byte> Entries(ReadOnlySpan<byte> raw, ulong place, uint? seed)
    {
        ReadOnlySpan<byte> entries = raw[..^TailSize];
        ReadOnlySpan<byte> tail = raw[^TailSize..];
        bool isSound = LittleEndian.U32(tail, 0x00) == Magic               // ob_magic
            && (seed is null || LittleEndian.U32(tail, 0x04) == Crc32c.Append(Crc32c.Append(seed.Value, place), entries)); // ob_checksum
        return isSound ? entries : [];
    }
}
