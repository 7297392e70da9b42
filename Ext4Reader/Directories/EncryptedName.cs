using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>
/// Encrypted names in the form that Linux shows while no key is known: base64 in its variant for URLs, unpadded, of
/// <code>
/// | major hash 4 | minor hash 4 | the name, up to 149 bytes of it | SHA-256 of the rest 32, if there is one |
/// </code>
/// so that every stored name has a printable one of its own, which can be looked up again.
/// </summary>
internal static class EncryptedName
{
    /// <summary>Room for every form.</summary>
    internal const int MaximumLength = 252;

    /// <summary>Room for everything behind a form.</summary>
    internal const int MaximumDecodedLength = HashesSize + WholeSize + SHA256.HashSizeInBytes;

    private const int HashesSize = 8;
    private const int WholeSize = 149;

    // One block of AES; a shorter name was not encrypted.
    private const int MinimumStoredLength = 16;

    /// <summary>The length of a form.</summary>
    internal static int Length(int storedLength) =>
        Base64Url.GetEncodedLength(storedLength <= WholeSize ? HashesSize + storedLength : MaximumDecodedLength);

    /// <summary>Writes the form of a stored name or link target, for which there must be room.</summary>
    /// <exception cref="CorruptImageException">It is too short to be encrypted.</exception>
    internal static int Encode(ReadOnlySpan<byte> stored, HashedName hash, Span<byte> destination, uint inode)
    {
        if (stored.Length < MinimumStoredLength)
            throw new CorruptImageException(Corruption.EncryptedName, inode, $"an encrypted name or target of {stored.Length} bytes");
        Span<byte> decoded = stackalloc byte[MaximumDecodedLength];
        BinaryPrimitives.WriteUInt32LittleEndian(decoded, hash.Major);
        BinaryPrimitives.WriteUInt32LittleEndian(decoded[4..], hash.Minor);
        int whole = Math.Min(stored.Length, WholeSize);
        stored[..whole].CopyTo(decoded[HashesSize..]);
        int length = HashesSize + whole;
        if (stored.Length > WholeSize)
            length += SHA256.HashData(stored[WholeSize..], decoded[length..]);
        return Base64Url.EncodeToUtf8(decoded[..length], destination);
    }

    /// <summary>Reads a form; false if nothing encrypted is ever shown like this.</summary>
    /// <param name="form">What somebody looks up.</param>
    /// <param name="buffer">Room for <see cref="MaximumDecodedLength"/> bytes, which must outlive the name.</param>
    /// <param name="name">The name.</param>
    internal static bool TryParse(ReadOnlySpan<byte> form, Span<byte> buffer, out WantedName name)
    {
        name = default;
        if (form.Length > MaximumLength || Base64Url.DecodeFromUtf8(form, buffer, out _, out int length) != OperationStatus.Done)
            return false;
        if (length <= HashesSize || (length > HashesSize + WholeSize && length != MaximumDecodedLength))
            return false;
        // The decoder is lenient, but each name has one form only.
        Span<byte> strict = stackalloc byte[MaximumLength];
        if (!strict[..Base64Url.EncodeToUtf8(buffer[..length], strict)].SequenceEqual(form))
            return false;
        var hash = new HashedName(LittleEndian.U32(buffer, 0), LittleEndian.U32(buffer, 4));
        int whole = Math.Min(length - HashesSize, WholeSize);
        name = WantedName.Encrypted(buffer.Slice(HashesSize, whole), buffer[(HashesSize + whole)..length], hash);
        return true;
    }
}
