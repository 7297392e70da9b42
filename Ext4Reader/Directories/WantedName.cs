using System.Security.Cryptography;
using Ext4Reader.Directories.Casefold;

namespace Ext4Reader.Directories;

/// <summary>A name that is looked for, and which stored names it stands for: itself, any of other case, or an encrypted one.</summary>
internal readonly ref struct WantedName
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<byte> _digest;
    private readonly Kind _kind;
    private readonly HashedName _hash;

    private WantedName(Kind kind, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> digest, HashedName hash)
    {
        _kind = kind;
        _bytes = bytes;
        _digest = digest;
        _hash = hash;
    }

    private enum Kind : byte
    {
        Exact,
        Folded,
        Encrypted,
    }

    /// <summary>Whether the hash to go by may be unknown, so that an index may miss the name.</summary>
    internal bool MayBeMissed => _kind == Kind.Encrypted;

    /// <summary>A name that stands for the same bytes only.</summary>
    internal static WantedName Exact(ReadOnlySpan<byte> name) => new(Kind.Exact, name, default, default);

    /// <summary>A name in folded form, which stands for all names of that form.</summary>
    internal static WantedName Folded(ReadOnlySpan<byte> form) => new(Kind.Folded, form, default, default);

    /// <summary>An encrypted name.</summary>
    /// <param name="bytes">Its bytes, or the first of them.</param>
    /// <param name="digest">SHA-256 of the others; empty if there are none.</param>
    /// <param name="hash">The hash that came with it; zero if none did.</param>
    internal static WantedName Encrypted(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> digest, HashedName hash) => new(Kind.Encrypted, bytes, digest, hash);

    /// <summary>Whether a stored name is meant.</summary>
    internal bool Matches(ReadOnlySpan<byte> stored) => _kind switch
    {
        Kind.Folded => MatchesFolded(stored),
        Kind.Encrypted when !_digest.IsEmpty => MatchesDigest(stored),
        _ => stored.SequenceEqual(_bytes),
    };

    /// <summary>What to look for in an index.</summary>
    internal HashedName Hash(NameHash function) =>
        !_digest.IsEmpty || function.Version == OnDisk.NameHashVersion.Stored ? _hash
        : _kind == Kind.Folded ? function.ComputeFolded(_bytes)
        : function.Compute(_bytes);

    private bool MatchesFolded(ReadOnlySpan<byte> stored)
    {
        Span<byte> form = stackalloc byte[NameFolding.MaximumLength];
        return NameFolding.TryFold(stored, form, out int length) && form[..length].SequenceEqual(_bytes);
    }

    private bool MatchesDigest(ReadOnlySpan<byte> stored)
    {
        if (stored.Length <= _bytes.Length || !stored.StartsWith(_bytes))
            return false;
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(stored[_bytes.Length..], digest);
        return digest.SequenceEqual(_digest);
    }
}
