using System.Text;

namespace Ext4Reader.OnDisk;

/// <summary>What the last user of a filesystem with multiple mount protection said of itself.</summary>
/// <param name="Sequence">Counts while the filesystem is in use; two values above all counts mean "clean" and "checked by e2fsck".</param>
/// <param name="Seconds">When it was last written, in seconds since 1970.</param>
/// <param name="NodeName">The host.</param>
/// <param name="DeviceName">The device's name there.</param>
internal sealed record MultipleMountRecord(uint Sequence, ulong Seconds, string NodeName, string DeviceName)
{
    /// <summary>Bytes of the record at the start of its block.</summary>
    internal const int Size = 1024;

    private const uint Magic = 0x004d4d50;
    private const uint Clean = 0xff4d4d50;
    private const uint Checking = 0xe24d4d50;
    private const int ChecksumOffset = 0x3fc;

    /// <summary>Whether nobody uses the filesystem.</summary>
    internal bool IsClean => Sequence == Clean;

    /// <summary>Whether e2fsck is at work, or was until it was killed.</summary>
    internal bool IsChecking => Sequence == Checking;

    /// <exception cref="CorruptImageException">It is no such record, or its checksum is wrong.</exception>
    internal static MultipleMountRecord Parse(ReadOnlySpan<byte> raw, Superblock superblock)
    {
        uint magic = LittleEndian.U32(raw, 0x00);                          // mmp_magic
        if (magic != Magic)
            throw new CorruptImageException(Corruption.MultipleMountBlock, 0, $"multiple mount protection block with magic {magic:x8}");
        uint stored = LittleEndian.U32(raw, ChecksumOffset);               // mmp_checksum
        uint computed = Crc32c.Append(superblock.ChecksumSeed, raw[..ChecksumOffset]);
        if (superblock.HasMetadataChecksums && stored != computed)
        {
            throw new CorruptImageException(Corruption.MultipleMountChecksum, 0,
                $"multiple mount protection block: checksum {stored:x8} stored, {computed:x8} computed");
        }

        return new MultipleMountRecord(
            Sequence: LittleEndian.U32(raw, 0x04),                         // mmp_seq
            Seconds: LittleEndian.U64(raw, 0x08, 0x0c),                    // mmp_time
            NodeName: Text(raw.Slice(0x10, 64)),                           // mmp_nodename
            DeviceName: Text(raw.Slice(0x50, 32)));                        // mmp_bdevname
    }

    /// <summary>Names are for people to read; what would confuse a terminal is not shown.</summary>
    private static string Text(ReadOnlySpan<byte> raw)
    {
        int end = raw.IndexOf((byte)0);
        var text = new StringBuilder();
        foreach (byte value in end < 0 ? raw : raw[..end])
            text.Append(value is > 0x20 and < 0x7f ? (char)value : '?');
        return text.Length == 0 ? "?" : text.ToString();
    }
}
