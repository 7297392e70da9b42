using System.Globalization;

namespace Ext4Reader.OnDisk;

/// <summary>Features a journal's reader may ignore altogether.</summary>
[Flags]
internal enum JournalCompatibleFeatures : uint
{
    None = 0,
    Checksum = 0x1,
}

/// <summary>Features a journal's reader must know.</summary>
[Flags]
internal enum JournalIncompatibleFeatures : uint
{
    None = 0,
    Revocations = 0x1,
    SixtyFourBit = 0x2,
    AsynchronousCommit = 0x4,
    ChecksumV2 = 0x8,
    ChecksumV3 = 0x10,
    FastCommit = 0x20,
}

/// <summary>The journal's own superblock, its first block. An instance is consistent in itself.</summary>
internal sealed class JournalSuperblock
{
    /// <summary>Bytes of the structure, whatever the block size.</summary>
    internal const int Size = 1024;

    private const int ChecksumOffset = 0xfc;
    private const byte ChecksumTypeCrc32c = 4;
    private const uint DefaultFastCommitBlocks = 256;

    // Linux leaves at least as many blocks to full commits; a smaller journal has no fast ones.
    private const uint MinimumLogBlocks = 1024;

    private const JournalIncompatibleFeatures KnownFeatures = JournalIncompatibleFeatures.Revocations | JournalIncompatibleFeatures.SixtyFourBit
        | JournalIncompatibleFeatures.AsynchronousCommit | JournalIncompatibleFeatures.ChecksumV2 | JournalIncompatibleFeatures.ChecksumV3
        | JournalIncompatibleFeatures.FastCommit;

    private const JournalIncompatibleFeatures BlockChecksums = JournalIncompatibleFeatures.ChecksumV2 | JournalIncompatibleFeatures.ChecksumV3;

    internal required JournalCompatibleFeatures Compatible { get; init; }
    internal required JournalIncompatibleFeatures Incompatible { get; init; }

    /// <summary>The first block of the log.</summary>
    internal required uint First { get; init; }

    /// <summary>The block after the last one of the log, where it goes on with <see cref="First"/>.</summary>
    internal required uint End { get; init; }

    /// <summary>The blocks for fast commits: from the first one to one behind the last one; equal if there are none.</summary>
    internal required (uint First, uint End) FastCommits { get; init; }

    /// <summary>The number of the first transaction in the log.</summary>
    internal required uint Sequence { get; init; }

    /// <summary>Where that transaction starts; 0 if the log is empty.</summary>
    internal required uint Start { get; init; }

    /// <summary>Filesystems that use this journal.</summary>
    internal required uint UserCount { get; init; }

    /// <summary>What every checksum of the journal starts from, where blocks have one each.</summary>
    internal required uint ChecksumSeed { get; init; }

    internal bool HasBlockChecksums => Has(BlockChecksums);

    internal bool HasTransactionChecksums => (Compatible & JournalCompatibleFeatures.Checksum) != 0;

    internal bool Has(JournalIncompatibleFeatures feature) => (Incompatible & feature) != 0;

    /// <summary>Parses and checks a journal's superblock.</summary>
    /// <param name="raw">Its 1024 bytes.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <param name="blocks">Number of blocks that the journal has room for.</param>
    /// <exception cref="CorruptImageException">It is none, its checksum is wrong, or it describes a log that cannot be.</exception>
    /// <exception cref="UnsupportedImageException">It has features that nobody knows here.</exception>
    internal static JournalSuperblock Parse(ReadOnlySpan<byte> raw, int blockSize, ulong blocks)
    {
        JournalHeader header = JournalHeader.Parse(raw);
        bool isV2 = header.Type == JournalBlockType.SuperblockV2;
        if (header.Magic != JournalHeader.JournalMagic || (!isV2 && header.Type != JournalBlockType.SuperblockV1))
            throw Absurd($"magic {header.Magic:x8} and type {(uint)header.Type}");
        uint size = BigEndian.U32(raw, 0x0c);                              // s_blocksize
        if (size != (uint)blockSize)
            throw Absurd($"blocks of {size} bytes in a filesystem with blocks of {blockSize}");
        var compatible = isV2 ? (JournalCompatibleFeatures)BigEndian.U32(raw, 0x24) : 0;     // s_feature_compat
        var incompatible = isV2 ? (JournalIncompatibleFeatures)BigEndian.U32(raw, 0x28) : 0; // s_feature_incompat
        CheckFeatures(compatible, incompatible, isV2 ? BigEndian.U32(raw, 0x2c) : 0);        // s_feature_ro_compat
        if ((incompatible & BlockChecksums) != 0)
            CheckChecksum(raw);
        uint length = BigEndian.U32(raw, 0x10);                            // s_maxlen
        uint first = BigEndian.U32(raw, 0x14);                             // s_first
        uint start = BigEndian.U32(raw, 0x1c);                             // s_start
        if (length > blocks)
            throw Absurd($"{length} blocks where there is room for {blocks}");
        if (first == 0 || first >= length)
            throw Absurd($"a log that starts with block {first} of {length}");
        if (start >= length)
            throw Absurd($"a transaction that starts in block {start} of {length}");
        (uint end, (uint, uint) fast) = Divide(length, (incompatible & JournalIncompatibleFeatures.FastCommit) != 0, BigEndian.U32(raw, 0x54)); // s_num_fc_blks
        if (first >= end)
            throw Absurd($"a log that starts with block {first} and ends before block {end}");
        return new JournalSuperblock
        {
            Compatible = compatible,
            Incompatible = incompatible,
            First = first,
            End = end,
            FastCommits = fast,
            Sequence = BigEndian.U32(raw, 0x18),                           // s_sequence
            Start = start,
            UserCount = BigEndian.U32(raw, 0x40),                          // s_nr_users
            ChecksumSeed = Crc32c.Append(Crc32c.Start, raw.Slice(0x30, 16)), // s_uuid
        };
    }

    /// <summary>What the checksum of a journal's superblock must be.</summary>
    internal static uint ComputeChecksum(ReadOnlySpan<byte> raw)
    {
        uint crc = Crc32c.Append(Crc32c.Start, raw[..ChecksumOffset]);
        return Crc32c.Append(Crc32c.Append(crc, 0u), raw[(ChecksumOffset + sizeof(uint))..Size]);
    }

    // Fast commits have the last blocks. The one before them belongs to neither part.
    private static (uint End, (uint First, uint End) FastCommits) Divide(uint length, bool hasFastCommits, uint fastBlocks)
    {
        fastBlocks = fastBlocks == 0 ? DefaultFastCommitBlocks : fastBlocks;
        if (!hasFastCommits || fastBlocks > length || length - fastBlocks < MinimumLogBlocks)
            return (length, default);
        uint end = length - fastBlocks;
        return (end, (end + 1, length));
    }

    private static void CheckFeatures(JournalCompatibleFeatures compatible, JournalIncompatibleFeatures incompatible, uint readOnly)
    {
        var unknown = new List<string>();
        for (int bit = 0; bit < 32; bit++)
        {
            if (((uint)(incompatible & ~KnownFeatures) >> bit & 1) != 0)
                unknown.Add(string.Create(CultureInfo.InvariantCulture, $"journal FEATURE_I{bit}"));
            if ((readOnly >> bit & 1) != 0)
                unknown.Add(string.Create(CultureInfo.InvariantCulture, $"journal FEATURE_R{bit}"));
        }

        if (unknown.Count > 0)
            throw UnsupportedImageException.For(unknown);
        bool hasV1 = (compatible & JournalCompatibleFeatures.Checksum) != 0;
        JournalIncompatibleFeatures newer = incompatible & BlockChecksums;
        if (newer == BlockChecksums || (hasV1 && newer != 0))
            throw Absurd("more than one kind of checksums");
    }

    private static void CheckChecksum(ReadOnlySpan<byte> raw)
    {
        if (raw[0x50] != ChecksumTypeCrc32c)                               // s_checksum_type
            throw Absurd($"checksum type {raw[0x50]}");
        uint stored = BigEndian.U32(raw, ChecksumOffset);                  // s_checksum
        uint computed = ComputeChecksum(raw);
        if (stored != computed)
        {
            throw new CorruptImageException(Corruption.JournalSuperblockChecksum, 0,
                $"journal superblock: checksum {stored:x8} stored, {computed:x8} computed");
        }
    }

    private static CorruptImageException Absurd(string what) =>
        new(Corruption.JournalSuperblock, 0, $"journal superblock: {what} cannot be");
}
