using System.Buffers.Binary;
using Ext4Reader.Files;
using Ext4Reader.Journal;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Tests.Building;

/// <summary>How the blocks of a journal are checked.</summary>
internal enum JournalChecksums
{
    None,
    V1,
    V2,
    V3,
}

/// <summary>An image with a journal that the test writes, transaction by transaction, as Linux would have.</summary>
internal sealed class JournaledImage : IDisposable
{
    public const int BlockSize = 1024;
    public const uint FirstSequence = 7;

    /// <summary>1 KiB blocks and a journal of 1024 of them.</summary>
    public static readonly ImageRecipe Recipe = new("-t ext4 -O metadata_csum_seed -b 1024 -I 256 -N 1024 -J size=1", SourceTree.Standard, Mebibytes: 16);

    /// <summary>The same with a journal that has room for fast commits.</summary>
    public static readonly ImageRecipe FastRecipe =
        new("-t ext4 -O metadata_csum_seed,fast_commit -b 1024 -I 256 -N 1024 -J size=4", SourceTree.Standard, Mebibytes: 16, Reindexed: true);

    private readonly JournalChecksums _checksums;
    private readonly bool _is64Bit;
    private readonly bool _namesUuids;
    private readonly int[] _places;
    private readonly uint _features;
    private readonly uint _end;
    private readonly uint _seed;
    private uint _next;

    public JournaledImage(
        JournalChecksums checksums = JournalChecksums.V3, bool is64Bit = true, uint start = 1, uint sequence = FirstSequence, bool isAsynchronous = false,
        bool hasFastCommits = false, bool namesUuids = false, ImageRecipe? recipe = null)
    {
        _checksums = checksums;
        _is64Bit = is64Bit;
        _namesUuids = namesUuids;
        recipe ??= hasFastCommits ? FastRecipe : Recipe;
        Image = new DamagedImage(recipe);
        _places = Places(BuiltImage.PathOf(recipe));
        _features = 1u | (is64Bit ? 2u : 0) | (isAsynchronous ? 4u : 0) | (hasFastCommits ? 0x20u : 0)
            | checksums switch { JournalChecksums.V2 => 8u, JournalChecksums.V3 => 0x10u, _ => 0u };
        FirstFastBlock = hasFastCommits ? _places.Length - FastBlocks + 1 : 0;
        _end = (uint)(hasFastCommits ? _places.Length - FastBlocks : _places.Length);
        _seed = Crc32c.Append(Crc32c.Start, Image.Raw(_places[0] + 0x30, 16));
        (_next, Sequence) = (start, sequence);
        Span<byte> raw = Raw(0);
        Put(raw, 0x18, sequence);
        Put(raw, 0x1c, start);
        Put(raw, 0x24, checksums == JournalChecksums.V1 ? 1u : 0);
        Put(raw, 0x28, _features);
        Put(raw, 0x54, FastBlocks);
        raw[0x50] = checksums >= JournalChecksums.V2 ? (byte)4 : (byte)0;
        SealSuperblock();
        Image.Set32(Superblock.Offset + 0x60, LittleEndian.U32(Image.Bytes, Superblock.Offset + 0x60) | 4);
        Image.FixSuperblock();
    }

    public const int FastBlocks = 64;

    public DamagedImage Image { get; }

    /// <summary>The number of the transaction that comes next.</summary>
    public uint Sequence { get; private set; }

    /// <summary>The journal block that comes next.</summary>
    public uint Next => _next;

    public int JournalBlocks => _places.Length;

    public int FirstFastBlock { get; }

    /// <summary>When transactions end; each is a second later than the one before.</summary>
    public ulong Seconds { get; set; } = 1_700_000_000;

    public void Dispose() => Image.Dispose();

    public Ext4Image Open() => Image.Open();

    /// <summary>A block of the journal.</summary>
    public Span<byte> Raw(uint block) => Image.Raw(_places[block], BlockSize);

    /// <summary>The image block of a file's block.</summary>
    public ulong BlockOf(string path, uint fileBlock = 0) => (ulong)Image.BlockAt(path, fileBlock) / BlockSize;

    public static byte[] Filled(char with)
    {
        var block = new byte[BlockSize];
        block.AsSpan().Fill((byte)with);
        return block;
    }

    /// <summary>Writes a whole transaction.</summary>
    public void Commit(params (ulong Block, byte[] Content)[] blocks) => Commit(blocks, [], isCommitted: true);

    public void Revoke(params ulong[] revoked) => Commit([], revoked, isCommitted: true);

    public void Commit((ulong Block, byte[] Content)[] blocks, ulong[] revoked, bool isCommitted)
    {
        uint sum = Crc32.Start;
        if (revoked.Length > 0)
            WriteRevocations(revoked);
        if (blocks.Length > 0)
            WriteCopies(blocks, ref sum);
        if (!isCommitted)
            return;
        Span<byte> commit = Begin(JournalBlockType.Commit);
        Put(commit, 0x34, (uint)Seconds++);
        if (_checksums == JournalChecksums.V1)
        {
            (commit[0x0c], commit[0x0d]) = (1, 4);
            Put(commit, 0x10, sum);
        }
        else if (_checksums != JournalChecksums.None)
        {
            Put(commit, 0x10, Crc32c.Append(_seed, commit));
        }

        Sequence = unchecked(Sequence + 1);
    }

    /// <summary>Starts a block of the log by hand.</summary>
    public Span<byte> Begin(JournalBlockType type)
    {
        Span<byte> raw = Raw(Take());
        raw.Clear();
        Put(raw, 0, JournalHeader.JournalMagic);
        Put(raw, 4, (uint)type);
        Put(raw, 8, Sequence);
        return raw;
    }

    public void SealTail(Span<byte> raw)
    {
        if (_checksums >= JournalChecksums.V2)
            Put(raw, BlockSize - 4, Crc32c.Append(Crc32c.Append(_seed, raw[..(BlockSize - 4)]), 0u));
    }

    public void SealSuperblock() => Put(Raw(0), 0xfc, JournalSuperblock.ComputeChecksum(Raw(0)));

    public static void Put(Span<byte> raw, int offset, uint value) => BinaryPrimitives.WriteUInt32BigEndian(raw[offset..], value);

    private void WriteRevocations(ulong[] revoked)
    {
        Span<byte> raw = Begin(JournalBlockType.Revocation);
        int size = _is64Bit ? 8 : 4;
        Put(raw, 0x0c, (uint)(16 + revoked.Length * size));
        for (int index = 0; index < revoked.Length; index++)
        {
            if (_is64Bit)
                Put(raw, 16 + index * size, (uint)(revoked[index] >> 32));
            Put(raw, 16 + index * size + size - 4, (uint)(revoked[index] & uint.MaxValue));
        }

        SealTail(raw);
    }

    private void WriteCopies((ulong Block, byte[] Content)[] blocks, ref uint sum)
    {
        int size = _checksums == JournalChecksums.V3 ? 16 : 8 + (_checksums == JournalChecksums.V2 ? 2 : 0) + (_is64Bit ? 4 : 0);
        uint at = _next;
        Span<byte> descriptor = Begin(JournalBlockType.Descriptor);
        var copies = new List<byte[]>();
        int offset = 12;
        for (int index = 0; index < blocks.Length; index++)
        {
            byte[] copy = [.. blocks[index].Content];
            bool isEscaped = BinaryPrimitives.ReadUInt32BigEndian(copy) == JournalHeader.JournalMagic;
            if (isEscaped)
                copy.AsSpan(0, 4).Clear();
            bool isLast = index == blocks.Length - 1;
            bool isSame = index > 0 && !_namesUuids;
            Span<byte> tag = descriptor[offset..];
            uint crc = Crc32c.Append(Crc32c.Append(_seed, BinaryPrimitives.ReverseEndianness(Sequence)), copy);
            Put(tag, 0, (uint)(blocks[index].Block & uint.MaxValue));
            Put(tag, 4, (isEscaped ? 1u : 0) | (isSame ? 2u : 0) | (isLast ? 8u : 0));
            if (_is64Bit)
                Put(tag, 8, (uint)(blocks[index].Block >> 32));
            if (_checksums == JournalChecksums.V3)
                Put(tag, 12, crc);
            else if (_checksums == JournalChecksums.V2)
                BinaryPrimitives.WriteUInt16BigEndian(tag[4..], (ushort)(crc & 0xffff));
            offset += size + (isSame ? 0 : 16);
            copies.Add(copy);
        }

        SealTail(descriptor);
        sum = Crc32.Append(sum, Raw(at));
        foreach (byte[] copy in copies)
        {
            copy.CopyTo(Raw(Take()));
            sum = Crc32.Append(sum, copy);
        }
    }

    private uint Take()
    {
        uint block = _next++;
        if (_next >= _end)
            _next = 1;
        return block;
    }

    private static int[] Places(string path)
    {
        using var source = new ImageSource(File.OpenHandle(path), 0);
        var raw = new byte[Superblock.Size];
        source.Read(Superblock.Offset, raw);
        JournalFile journal = JournalFile.Internal(new BlockReader(source, Superblock.Parse(raw), 1 << 16));
        return [.. Enumerable.Range(0, (int)journal.Length).Select(block => (int)journal.Place((uint)block))];
    }
}
