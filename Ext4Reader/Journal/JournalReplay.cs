using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Journal;

/// <summary>
/// Finds what a journal's committed transactions would change, in three walks over the log as Linux makes them: the first one looks for
/// the end of the last complete transaction, the second one gathers revocations, the third one notes the newest copy of each block.
/// </summary>
/// <remarks>
/// A transaction without its commit block ends the log, and so does one whose checksum is wrong where it can be left over from an earlier
/// turn of the log, or may not have reached the disk whole (asynchronous commit). Any other wrong checksum makes the journal useless: an
/// older state was never one that anybody saw, so the image is refused, as Linux refuses it.
/// </remarks>
internal sealed class JournalReplay
{
    // What a hostile journal may cost: some hundred bytes for each. Real ones have a tenth at most.
    private const int MaximumBlocks = 1 << 20;

    private readonly JournalFile _file;
    private readonly JournalSuperblock _journal;
    private readonly ulong _imageBlocks;
    private readonly byte[] _block;
    private readonly byte[] _copy;
    private readonly Dictionary<ulong, uint> _revoked = [];
    private readonly Dictionary<ulong, long> _copies = [];

    private JournalReplay(JournalFile file, JournalSuperblock journal, ulong imageBlocks)
    {
        _file = file;
        _journal = journal;
        _imageBlocks = imageBlocks;
        _block = new byte[file.BlockSize];
        _copy = new byte[file.BlockSize];
    }

    /// <summary>Replays the full commits.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="journal">Its superblock, with a log that is not empty.</param>
    /// <param name="imageBlocks">Number of blocks of the image.</param>
    /// <returns>The newer blocks, and the number that the next transaction would have had.</returns>
    /// <exception cref="CorruptImageException">The journal cannot be replayed.</exception>
    internal static (BlockOverlay Overlay, uint NextSequence) Run(JournalFile file, JournalSuperblock journal, ulong imageBlocks)
    {
        var replay = new JournalReplay(file, journal, imageBlocks);
        uint end = replay.FindEnd();
        replay.GatherRevocations(end);
        replay.GatherCopies(end);
        return (BlockOverlay.OfJournal(file.Source, replay._copies), end);
    }

    /// <summary>Transaction numbers wrap around: whether one is later than another is a matter of the shorter way.</summary>
    internal static bool IsLater(uint sequence, uint other) => unchecked((int)(sequence - other)) > 0;

    private uint FindEnd()
    {
        uint sequence = _journal.Sequence;
        uint? brokenAt = null;
        uint sum = Crc32.Start;
        ulong lastSeconds = 0;
        bool isSuspect = false;
        var cursor = new LogCursor(_journal);
        while (TryReadHeader(ref cursor, sequence, out JournalBlockType type, out uint block))
        {
            if (type == JournalBlockType.Descriptor)
            {
                isSuspect |= !HasSoundTail(_block);
                bool isSummed = _journal.HasTransactionChecksums && !isSuspect && brokenAt is null;
                if (isSummed)
                    sum = Crc32.Append(sum, _block);
                if (!TryPassCopies(ref cursor, isSummed, ref sum))
                    break;
                continue;
            }

            if (type == JournalBlockType.Revocation)
            {
                isSuspect |= !HasSoundTail(_block);
                continue;
            }

            JournalCommit commit = JournalCommit.Parse(_block);
            if (isSuspect && commit.Seconds < lastSeconds)
                break;
            if (isSuspect)
                throw WrongChecksum($"a block of transaction {sequence}, which ends in block {block}");
            // With asynchronous commits a broken transaction may be the last one, but nothing can come after it.
            if (_journal.HasTransactionChecksums && brokenAt is uint broken)
                throw WrongChecksum($"transaction {broken}, which is not the last one");
            bool isSound = (!_journal.HasTransactionChecksums || commit.Vouches(sum)) && HasSoundCommit(_block);
            if (!isSound)
            {
                if (commit.Seconds < lastSeconds)
                    break;
                if (!_journal.Has(JournalIncompatibleFeatures.AsynchronousCommit))
                    throw WrongChecksum($"transaction {sequence}, which ends in block {block}");
                brokenAt ??= sequence;
            }

            sum = Crc32.Start;
            lastSeconds = commit.Seconds;
            sequence = unchecked(sequence + 1);
        }

        return brokenAt ?? sequence;
    }

    private void GatherRevocations(uint end)
    {
        uint sequence = _journal.Sequence;
        var cursor = new LogCursor(_journal);
        uint unused = 0;
        while (IsLater(end, sequence) && TryReadHeader(ref cursor, sequence, out JournalBlockType type, out _))
        {
            if (type == JournalBlockType.Commit)
            {
                sequence = unchecked(sequence + 1);
            }
            else if (type == JournalBlockType.Descriptor)
            {
                if (!TryPassCopies(ref cursor, isSummed: false, ref unused))
                    break;
            }
            else
            {
                var revocations = new JournalRevocations(_block, _journal);
                while (revocations.TryNext(out ulong block))
                    Revoke(block, sequence);
            }
        }

        CheckEnd(sequence, end);
    }

    private void GatherCopies(uint end)
    {
        uint sequence = _journal.Sequence;
        var cursor = new LogCursor(_journal);
        while (IsLater(end, sequence) && TryReadHeader(ref cursor, sequence, out JournalBlockType type, out _))
        {
            if (type == JournalBlockType.Commit)
                sequence = unchecked(sequence + 1);
            if (type != JournalBlockType.Descriptor)
                continue;
            var tags = new JournalTags(_block, _journal);
            while (tags.TryNext(out JournalTag tag) && cursor.TryTake(out uint block))
                Note(tag, block, sequence);
        }

        CheckEnd(sequence, end);
    }

    private void Note(in JournalTag tag, uint block, uint sequence)
    {
        if (_revoked.TryGetValue(tag.Block, out uint revoked) && !IsLater(sequence, revoked))
            return;
        if (tag.Block >= _imageBlocks)
            throw new CorruptImageException(Corruption.JournalTransaction, 0, $"transaction {sequence} of the journal changes block {tag.Block} of {_imageBlocks}");
        if (_journal.HasBlockChecksums && !IsSoundCopy(tag, block, sequence))
            throw WrongChecksum($"the copy of block {tag.Block} in block {block}, transaction {sequence}");
        _copies[tag.Block] = _file.Place(block) | (tag.IsEscaped ? 1L : 0L);
        CheckCount(_copies.Count);
    }

    private void Revoke(ulong block, uint sequence)
    {
        if (!_revoked.TryGetValue(block, out uint earlier) || IsLater(sequence, earlier))
            _revoked[block] = sequence;
        CheckCount(_revoked.Count);
    }

    private bool TryReadHeader(ref LogCursor cursor, uint sequence, out JournalBlockType type, out uint block)
    {
        type = JournalBlockType.None;
        if (!cursor.TryTake(out block))
            return false;
        _file.Read(block, _block);
        JournalHeader header = JournalHeader.Parse(_block);
        type = header.Type;
        return header.Magic == JournalHeader.JournalMagic && header.Sequence == sequence
            && type is JournalBlockType.Descriptor or JournalBlockType.Commit or JournalBlockType.Revocation;
    }

    /// <summary>Moves on behind the copies that a descriptor tells of; false if the log has fewer blocks.</summary>
    private bool TryPassCopies(ref LogCursor cursor, bool isSummed, ref uint sum)
    {
        var tags = new JournalTags(_block, _journal);
        while (tags.TryNext(out _))
        {
            if (!cursor.TryTake(out uint block))
                return false;
            if (!isSummed)
                continue;
            _file.Read(block, _copy);
            sum = Crc32.Append(sum, _copy);
        }

        return true;
    }

    /// <summary>Whether the checksum at the end of a descriptor or a revocation block is right.</summary>
    private bool HasSoundTail(ReadOnlySpan<byte> raw) => !_journal.HasBlockChecksums || IsSound(raw, raw.Length - sizeof(uint));

    private bool HasSoundCommit(ReadOnlySpan<byte> raw) => !_journal.HasBlockChecksums || IsSound(raw, JournalCommit.ChecksumOffset);

    private bool IsSound(ReadOnlySpan<byte> raw, int at)
    {
        uint crc = Crc32c.Append(Crc32c.Append(_journal.ChecksumSeed, raw[..at]), 0u);
        return Crc32c.Append(crc, raw[(at + sizeof(uint))..]) == BigEndian.U32(raw, at);
    }

    private bool IsSoundCopy(in JournalTag tag, uint block, uint sequence)
    {
        _file.Read(block, _copy);
        uint crc = Crc32c.Append(_journal.ChecksumSeed, System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(sequence));
        crc = Crc32c.Append(crc, _copy);
        return tag.Checksum == (_journal.Has(JournalIncompatibleFeatures.ChecksumV3) ? crc : crc & 0xffff);
    }

    // The first walk saw them all: only a journal that changes meanwhile can end earlier.
    private static void CheckEnd(uint sequence, uint end)
    {
        if (sequence != end)
            throw new CorruptImageException(Corruption.JournalTransaction, 0, $"the journal ends with transaction {sequence} where {end} was found before");
    }

    private static void CheckCount(int count)
    {
        if (count > MaximumBlocks)
            throw new CorruptImageException(Corruption.JournalTransaction, 0, $"the journal changes or revokes more than {MaximumBlocks} blocks");
    }

    private static CorruptImageException WrongChecksum(string what) =>
        new(Corruption.JournalChecksum, 0, $"journal: the checksum of {what} is wrong");
}
