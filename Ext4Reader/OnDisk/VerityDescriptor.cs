using System.Numerics;

namespace Ext4Reader.OnDisk;

/// <summary>
/// What fs-verity knows of a file. Behind the content, from the next multiple of 64 KiB on, lie
/// <code>
/// | Merkle tree: root level first, each level from a block boundary on | descriptor 256, signature | … | length of those two 4 |
/// </code>
/// the descriptor starting with a filesystem block and its length ending the last one.
/// </summary>
internal sealed class VerityDescriptor
{
    internal const int Size = 256;

    private const byte KnownVersion = 1;
    private const byte Sha256 = 1;
    private const byte Sha512 = 2;
    private const int MaximumSaltSize = 32;
    private const int MinimumBlockBits = 10;
    private const int ReservedOffset = 112;

    /// <summary>The hash function's output in bytes: 32 for SHA-256, 64 for SHA-512.</summary>
    internal required int DigestSize { get; init; }

    /// <summary>Blocks of the tree and pieces of content are 2 to the power of this many bytes.</summary>
    internal required int BlockBits { get; init; }

    internal required byte[] RootHash { get; init; }

    /// <summary>What every hashed block begins with: the salt, filled up with zeros to the hash function's own block size.</summary>
    internal required byte[] Prefix { get; init; }

    internal int BlockSize => 1 << BlockBits;

    /// <summary>Hashes in a block of the tree, as a power of two.</summary>
    internal int FanOutBits => BlockBits - BitOperations.Log2((uint)DigestSize);

    /// <param name="raw">The descriptor and what follows it.</param>
    /// <param name="file">The file.</param>
    /// <param name="blockSizeBits">The filesystem's block size as a power of two.</param>
    internal static VerityDescriptor Parse(ReadOnlySpan<byte> raw, in Inode file, int blockSizeBits)
    {
        byte version = raw[0x00];                                          // version
        byte algorithm = raw[0x01];                                        // hash_algorithm
        int blockBits = raw[0x02];                                         // log_blocksize
        int saltSize = raw[0x03];                                          // salt_size
        uint signatureSize = LittleEndian.U32(raw, 0x04);                  // sig_size
        ulong size = LittleEndian.U64(raw, 0x08, 0x0c);                    // data_size
        if (version != KnownVersion || algorithm is not (Sha256 or Sha512))
            throw Broken(file, $"version {version} with hash function {algorithm}");
        if (saltSize > MaximumSaltSize || signatureSize > raw.Length - Size || raw[ReservedOffset..Size].ContainsAnyExcept((byte)0))
            throw Broken(file, $"a salt of {saltSize} and a signature of {signatureSize} bytes");
        if (blockBits < MinimumBlockBits || blockBits > blockSizeBits)
            throw Broken(file, $"blocks of 2^{blockBits} bytes");
        if (size != (ulong)file.Size)
            throw Broken(file, $"{size} bytes of content, but the file has {file.Size}");
        int digestSize = algorithm == Sha256 ? 32 : 64;
        var prefix = new byte[saltSize == 0 ? 0 : 2 * digestSize];
        raw.Slice(0x50, saltSize).CopyTo(prefix);                          // salt
        return new VerityDescriptor
        {
            DigestSize = digestSize,
            BlockBits = blockBits,
            RootHash = raw.Slice(0x10, digestSize).ToArray(),              // root_hash
            Prefix = prefix,
        };
    }

    internal static CorruptImageException Broken(in Inode file, string what) =>
        new(Corruption.VerityDescriptor, file.Number, $"verity descriptor: {what}");
}
