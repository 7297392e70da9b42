using System.Security.Cryptography;
using Ext4Reader.Files;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Verity;

/// <summary>
/// The Merkle tree of one file, for one thread. Level 0 has the hashes of the content's pieces, each further level those of the blocks of the
/// level below, and the descriptor that of the one block of the last level.
/// </summary>
internal sealed class MerkleTree : IDisposable
{
    private const int MaximumLevels = 8;
    private const int None = -1;

    private readonly VerifiedFiles _owner;
    private readonly FileReader _files;
    private readonly Inode _file;
    private readonly VerityDescriptor _descriptor;
    private readonly IncrementalHash _hash;
    private readonly int _levels;
    private readonly long[] _starts = new long[MaximumLevels];

    // For each level the block that was verified last: neighbours share it.
    private readonly byte[][] _nodes = new byte[MaximumLevels][];
    private readonly long[] _verified = new long[MaximumLevels];

    /// <param name="owner">Who reads.</param>
    /// <param name="files">Reads the image.</param>
    /// <param name="file">The file, its size being the end of what describes it.</param>
    /// <param name="size">The size of the content.</param>
    /// <param name="start">Where the tree starts.</param>
    /// <param name="descriptor">What describes it.</param>
    internal MerkleTree(VerifiedFiles owner, FileReader files, in Inode file, long size, long start, VerityDescriptor descriptor)
    {
        _owner = owner;
        _files = files;
        _file = file;
        _descriptor = descriptor;
        Scratch = new byte[descriptor.BlockSize];
        Span<long> counts = stackalloc long[MaximumLevels];
        for (long blocks = Blocks(size, descriptor.BlockBits); blocks > 1; _levels++)
        {
            if (_levels == MaximumLevels)
                throw VerityDescriptor.Broken(file, $"more than {MaximumLevels} levels");
            blocks = Blocks(blocks, descriptor.FanOutBits);
            counts[_levels] = blocks;
        }

        for (int level = _levels - 1; level >= 0; level--)
        {
            _starts[level] = start;
            start += counts[level] << descriptor.BlockBits;
            _nodes[level] = new byte[descriptor.BlockSize];
            _verified[level] = None;
        }

        _hash = IncrementalHash.CreateHash(descriptor.DigestSize == SHA256.HashSizeInBytes ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA512);
    }

    internal int BlockBits => _descriptor.BlockBits;

    /// <summary>Room for one piece of content.</summary>
    internal byte[] Scratch { get; }

    public void Dispose() => _hash.Dispose();

    internal bool IsOf(VerifiedFiles owner, in Inode file) =>
        ReferenceEquals(_owner, owner) && _file.Number == file.Number && _file.Generation == file.Generation;

    /// <summary>Checks a piece of the content.</summary>
    /// <param name="index">Which one.</param>
    /// <param name="piece">Its bytes; the last one may be short.</param>
    internal void Verify(long index, ReadOnlySpan<byte> piece)
    {
        Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
        digest = Hash(piece, digest);
        if (!digest.SequenceEqual(Expected(0, index)))
            throw new ContentChangedException(_file.Number, $"content from byte {index << BlockBits} on");
    }

    /// <summary>The hash that a block must have: the descriptor's for the only block on top, else from the block one level up.</summary>
    private ReadOnlySpan<byte> Expected(int level, long index)
    {
        if (level == _levels)
            return _descriptor.RootHash;
        byte[] node = Node(level, index >> _descriptor.FanOutBits);
        int slot = (int)(index & ((1L << _descriptor.FanOutBits) - 1));
        return node.AsSpan(slot * _descriptor.DigestSize, _descriptor.DigestSize);
    }

    private byte[] Node(int level, long index)
    {
        byte[] node = _nodes[level];
        if (_verified[level] == index)
            return node;
        _verified[level] = None;
        _files.Read(_file, _starts[level] + (index << BlockBits), node);
        Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
        digest = Hash(node, digest);
        if (!digest.SequenceEqual(Expected(level + 1, index)))
            throw new ContentChangedException(_file.Number, $"block {index} of level {level} of the tree itself");
        _verified[level] = index;
        return node;
    }

    private Span<byte> Hash(ReadOnlySpan<byte> block, Span<byte> digest)
    {
        _hash.AppendData(_descriptor.Prefix);
        _hash.AppendData(block);
        for (int missing = _descriptor.BlockSize - block.Length; missing > 0;)
        {
            ReadOnlySpan<byte> zeros = Zeros[..Math.Min(missing, Zeros.Length)];
            _hash.AppendData(zeros);
            missing -= zeros.Length;
        }

        return digest[.._hash.GetHashAndReset(digest)];
    }

    private static ReadOnlySpan<byte> Zeros => new byte[64];

    private static long Blocks(long size, int bits) => (size + (1L << bits) - 1) >> bits;
}
