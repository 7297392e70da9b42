using System.Text;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Partitions;

/// <summary>
/// What tells one ext2, ext3 or ext4 filesystem from another. Only its superblock's magic was looked at: that the filesystem can be opened is
/// not said.
/// </summary>
/// <param name="Label">The volume name; bytes that are not UTF-8 are replaced.</param>
/// <param name="Uuid">The filesystem's UUID, written as e2fsprogs writes it.</param>
public sealed record ExtSignature(string Label, Guid Uuid)
{
    private const uint JournalDevice = 0x8;
    private const uint LargestLogBlockSize = 6;

    // The superblock's fields up to the volume name.
    private const int Needed = 0x88;

    /// <summary>Looks for a superblock.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="start">The byte at which a filesystem may start.</param>
    /// <returns>Null if there is none, or it belongs to an external journal, which is no filesystem.</returns>
    internal static ExtSignature? Probe(ImageSource disk, long start)
    {
        Span<byte> raw = stackalloc byte[Needed];
        if (start > long.MaxValue - Superblock.Offset || disk.ReadUpTo(start + Superblock.Offset, raw) < raw.Length || !Superblock.HasMagic(raw))
            return null;
        uint blocks = LittleEndian.U32(raw, 0x04);                      // s_blocks_count
        uint logBlockSize = LittleEndian.U32(raw, 0x18);                // s_log_block_size
        uint incompatible = LittleEndian.U32(raw, 0x60);                // s_feature_incompat
        // Two bytes of magic alone can be chance. (A count with 64 bits may have 32 zeros at its low end, but hardly so.)
        if (blocks == 0 || logBlockSize > LargestLogBlockSize || (incompatible & JournalDevice) != 0)
            return null;
        ReadOnlySpan<byte> label = raw.Slice(0x78, 16);                 // s_volume_name
        int end = label.IndexOf((byte)0);
        return new ExtSignature(
            Encoding.UTF8.GetString(end < 0 ? label : label[..end]),
            new Guid(raw.Slice(0x68, 16), bigEndian: true));            // s_uuid
    }
}
