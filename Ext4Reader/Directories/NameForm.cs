using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>How a listing shows names: as they are, or, of an encrypted directory, encoded.</summary>
/// <param name="IsEncoded">Whether they are encoded.</param>
/// <param name="WithHash">Whether the encoded form has the name's hash, which Linux leaves out where it lists a directory as it lies.</param>
/// <param name="Function">The directory's hash function.</param>
/// <param name="Directory">The directory's number.</param>
internal readonly record struct NameForm(bool IsEncoded, bool WithHash, NameHash Function, uint Directory)
{
    internal static NameForm Of(in Inode directory, NameHash function, bool withHash) =>
        new(directory.IsEncrypted, withHash || directory.HasStoredHashes, function, directory.Number);

    /// <summary>What the encoded form of an entry's name has for a hash.</summary>
    internal HashedName Hash(scoped in DirectoryBlock block, int at, scoped in DirectoryEntry entry)
    {
        bool isDots = block.Name(at, entry) is [(byte)'.'] or [(byte)'.', (byte)'.'];
        return WithHash && !isDots ? ListingKey.Hash(block, at, entry, Function) : default;
    }
}
