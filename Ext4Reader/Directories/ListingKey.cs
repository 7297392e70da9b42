using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>
/// The keys that order listings of filesystems with dir_index, and are their cookies: 31 bits of major hash, 24 bits
/// of minor hash, and the rank (8 bits) among names of equal hash. They depend on the names alone, so they stay valid
/// when other names come and go, when e2fsck rebuilds the directory, and after a restart.
/// </summary>
internal static class ListingKey
{
    internal const ulong Dot = 1;
    internal const ulong DotDot = 2;

    /// <summary>The most names of equal hash that can be told apart.</summary>
    internal const int MaximumRank = 255;

    // The lowest keys belong to the dots.
    private const ulong First = 3;

    /// <summary>The key of the first of all names with this hash.</summary>
    internal static ulong Of(HashedName hash) => Math.Max(First, (ulong)(hash.Major >> 1) << 32 | hash.Minor >> 8 << 8);

    /// <summary>The lowest major hash whose names may come after a cookie.</summary>
    internal static uint MajorHash(ulong cookie) => (uint)(cookie >> 32) << 1;

    /// <summary>The key of an entry before names of equal hash are told apart.</summary>
    /// <param name="block">The block.</param>
    /// <param name="at">Where the entry is in it.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="index">Its number in the first block; anything above 1 for all other entries.</param>
    /// <param name="hash">The directory's hash function.</param>
    /// <param name="major">The name's major hash; 0 for the dots.</param>
    /// <param name="directory">The directory, for the message.</param>
    internal static ulong Of(scoped in DirectoryBlock block, int at, scoped in DirectoryEntry entry, int index, NameHash hash, out uint major, uint directory)
    {
        ReadOnlySpan<byte> name = block.Name(at, entry);
        major = 0;
        if (name[0] == '.' && (name.Length == 1 || (name.Length == 2 && name[1] == '.')))
        {
            if (index != name.Length - 1)
                throw new CorruptImageException(Corruption.DirectoryEntryName, directory, "a second \".\" or \"..\"");
            return name.Length == 1 ? Dot : DotDot;
        }

        HashedName hashed = Hash(block, at, entry, hash);
        major = hashed.Major;
        return Of(hashed);
    }

    /// <summary>The hash of an entry's name, which in some directories is stored with it.</summary>
    internal static HashedName Hash(scoped in DirectoryBlock block, int at, scoped in DirectoryEntry entry, NameHash hash)
    {
        if (hash.Version != NameHashVersion.Stored)
            return hash.Compute(block.Name(at, entry));
        (uint major, uint minor) = block.StoredHash(at, entry);
        return new HashedName(major & ~1u, minor);
    }

    /// <summary>Refuses to number more names of one hash than there are ranks.</summary>
    internal static void CheckRank(ulong key, int rank, uint directory)
    {
        if (rank >= MaximumRank || (int)(key & MaximumRank) + rank > MaximumRank)
            throw new CorruptImageException(Corruption.DirectoryHashCollisions, directory, $"more than {rank} names with one hash ({key >> 8:x})");
    }
}
