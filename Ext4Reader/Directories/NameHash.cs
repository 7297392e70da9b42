using System.Numerics;
using Ext4Reader.Directories.Casefold;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>A name's place in a directory's index and listing.</summary>
/// <param name="Major">What the index is sorted by; even, and never the last even number.</param>
/// <param name="Minor">Tells apart most names of equal <paramref name="Major"/>; 0 in the oldest version.</param>
internal readonly record struct HashedName(uint Major, uint Minor);

/// <summary>The hash functions for names of indexed directories. All arithmetic wraps by definition.</summary>
/// <param name="Version">Which function.</param>
/// <param name="IsUnsigned">Whether bytes above 127 count as positive.</param>
/// <param name="Seed">The filesystem's seed; all zero means none.</param>
/// <param name="IsFolding">Whether names are folded first.</param>
internal readonly record struct NameHash(NameHashVersion Version, bool IsUnsigned, (uint A, uint B, uint C, uint D) Seed, bool IsFolding = false)
{
    // The two hash values above this are taken: the end of a listing must be behind every name.
    private const uint EndOfListing = 0xfffffffe;

    /// <summary>The function for a directory whose index does not name one.</summary>
    internal static NameHash Default(in Inode directory, Superblock superblock) =>
        Of(directory.HasStoredHashes ? NameHashVersion.Stored : superblock.DefaultHash, directory, superblock);

    internal static NameHash Of(NameHashVersion version, in Inode directory, Superblock superblock) =>
        new(version, superblock.HashesUnsigned, superblock.HashSeed, directory.IsCasefolded && !directory.IsEncrypted);

    /// <summary>The hash of a name as it is stored.</summary>
    internal HashedName Compute(ReadOnlySpan<byte> name)
    {
        if (!IsFolding)
            return ComputeFolded(name);
        Span<byte> folded = stackalloc byte[NameFolding.MaximumLength];
        return ComputeFolded(NameFolding.TryFold(name, folded, out int length) ? folded[..length] : name);
    }

    /// <summary>The hash of a name that was folded, if it has to be.</summary>
    internal HashedName ComputeFolded(ReadOnlySpan<byte> name)
    {
        (uint A, uint B, uint C, uint D) state = Seed == default ? (0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476) : Seed;
        uint major;
        uint minor = 0;
        switch (Version)
        {
            case NameHashVersion.HalfMd4:
                Span<uint> eight = stackalloc uint[8];
                for (; !name.IsEmpty; name = name[Math.Min(32, name.Length)..])
                {
                    Pack(name, eight);
                    HalfMd4(ref state, eight);
                }

                (major, minor) = (state.B, state.C);
                break;
            case NameHashVersion.Tea:
                Span<uint> four = stackalloc uint[4];
                for (; !name.IsEmpty; name = name[Math.Min(16, name.Length)..])
                {
                    Pack(name, four);
                    Tea(ref state, four);
                }

                (major, minor) = (state.A, state.B);
                break;
            default:
                major = Legacy(name);
                break;
        }

        major &= ~1u;
        return new HashedName(major == EndOfListing ? EndOfListing - 2 : major, minor);
    }

    private uint Legacy(ReadOnlySpan<byte> name)
    {
        unchecked
        {
            uint newer = 0x12a3fe2d;
            uint older = 0x37abe8f9;
            foreach (byte value in name)
            {
                uint hash = older + (newer ^ (uint)(Char(value) * 7152373));
                if ((hash & 0x80000000) != 0)
                    hash -= 0x7fffffff;
                (older, newer) = (newer, hash);
            }

            return newer << 1;
        }
    }

    /// <summary>Packs the next bytes of a name four to a word, filled up with the length of what is left of the name.</summary>
    private void Pack(ReadOnlySpan<byte> name, Span<uint> words)
    {
        unchecked
        {
            uint padding = (uint)name.Length | (uint)name.Length << 8;
            padding |= padding << 16;
            for (int index = 0; index < words.Length; index++)
                words[index] = padding;
            int length = Math.Min(name.Length, words.Length * sizeof(uint));
            uint word = padding;
            for (int index = 0; index < length; index++)
            {
                word = (uint)Char(name[index]) + (word << 8);
                if ((index & 3) == 3)
                {
                    words[index >> 2] = word;
                    word = padding;
                }
            }

            if ((length & 3) != 0)
                words[length >> 2] = word;
        }
    }

    private int Char(byte value) => IsUnsigned ? value : unchecked((sbyte)value);

    private static void HalfMd4(ref (uint A, uint B, uint C, uint D) state, ReadOnlySpan<uint> words)
    {
        unchecked
        {
            (uint a, uint b, uint c, uint d) = state;
            for (int i = 0; i < 8; i += 4)
            {
                a = BitOperations.RotateLeft(a + Choose(b, c, d) + words[i], 3);
                d = BitOperations.RotateLeft(d + Choose(a, b, c) + words[i + 1], 7);
                c = BitOperations.RotateLeft(c + Choose(d, a, b) + words[i + 2], 11);
                b = BitOperations.RotateLeft(b + Choose(c, d, a) + words[i + 3], 19);
            }

            // The second round takes the words in the order 1 3 5 7 0 2 4 6.
            for (int i = 1; i >= 0; i--)
            {
                a = BitOperations.RotateLeft(a + Majority(b, c, d) + words[i] + 0x5a827999, 3);
                d = BitOperations.RotateLeft(d + Majority(a, b, c) + words[i + 2] + 0x5a827999, 5);
                c = BitOperations.RotateLeft(c + Majority(d, a, b) + words[i + 4] + 0x5a827999, 9);
                b = BitOperations.RotateLeft(b + Majority(c, d, a) + words[i + 6] + 0x5a827999, 13);
            }

            // The third round takes the words in the order 3 7 2 6 1 5 0 4.
            for (int i = 3; i >= 1; i -= 2)
            {
                a = BitOperations.RotateLeft(a + (b ^ c ^ d) + words[i] + 0x6ed9eba1, 3);
                d = BitOperations.RotateLeft(d + (a ^ b ^ c) + words[i + 4] + 0x6ed9eba1, 9);
                c = BitOperations.RotateLeft(c + (d ^ a ^ b) + words[i - 1] + 0x6ed9eba1, 11);
                b = BitOperations.RotateLeft(b + (c ^ d ^ a) + words[i + 3] + 0x6ed9eba1, 15);
            }

            state = (state.A + a, state.B + b, state.C + c, state.D + d);
        }
    }

    private static uint Choose(uint x, uint y, uint z) => z ^ (x & (y ^ z));

    private static uint Majority(uint x, uint y, uint z) => unchecked((x & y) + ((x ^ y) & z));

    private static void Tea(ref (uint A, uint B, uint C, uint D) state, ReadOnlySpan<uint> key)
    {
        unchecked
        {
            uint sum = 0;
            uint left = state.A;
            uint right = state.B;
            for (int round = 0; round < 16; round++)
            {
                sum += 0x9e3779b9;
                left += ((right << 4) + key[0]) ^ (right + sum) ^ ((right >> 5) + key[1]);
                right += ((left << 4) + key[2]) ^ (left + sum) ^ ((left >> 5) + key[3]);
            }

            state = (state.A + left, state.B + right, state.C, state.D);
        }
    }
}
