using Ext4Reader.Files;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Attributes;

/// <summary>
/// Reads values that lie in inodes of their own (ea_inode), which several attributes may share. Such an inode keeps the value's hash where
/// others keep their access time, and the attribute's entry a hash of name and value.
/// </summary>
internal sealed class AttributeValues(Superblock superblock, InodeTable inodes, FileReader files)
{
    // Linux takes no longer list of access rights from anybody.
    private const uint MaximumListSize = 65536;

    /// <summary>Reads the value of an access control list, which must be converted before it is shown.</summary>
    internal byte[] Read(in ExtendedAttributeEntry entry, ReadOnlySpan<byte> name, in Inode owner)
    {
        if (entry.ValueSize > MaximumListSize)
            throw new CorruptImageException(Corruption.AccessControlList, owner.Number, $"access control list of {entry.ValueSize} bytes");
        var value = new byte[entry.ValueSize];
        Read(entry, name, owner, value);
        return value;
    }

    /// <summary>Fills the destination, which is exactly as long as the value.</summary>
    internal void Read(in ExtendedAttributeEntry entry, ReadOnlySpan<byte> name, in Inode owner, Span<byte> destination)
    {
        uint number = entry.ValueInode;
        if (superblock.IsInternalInode(number) || !inodes.TryReadAny(number, out Inode inode))
            throw Broken(owner, number, "which is not in use");
        if (!inode.IsAttributeValue || inode.HasInlineContent || inode.Size != destination.Length)
            throw Broken(owner, number, $"which is no value of {destination.Length} bytes");
        files.Read(inode, 0, destination);
        uint stored = unchecked((uint)inode.AccessTime.Seconds);
        // Lustre's values have no hashes; they name the inode they belong to.
        if (entry.Hash != stored && inode.Generation == owner.Generation && inode.ModificationTime.Seconds == owner.Number)
            return;
        uint hash = Crc32c.Append(superblock.ChecksumSeed, destination);
        if (hash != stored)
            throw Broken(owner, number, $"which has hash {stored:x8}, but its bytes have {hash:x8}");
        if (EntryHash(name, hash, isUnsigned: true) != entry.Hash && EntryHash(name, hash, isUnsigned: false) != entry.Hash)
            throw Broken(owner, number, "which is the value of another attribute");
    }

    /// <summary>The hash of a name and of its value's hash. Machines whose char is signed made another one of names that are not ASCII.</summary>
    private static uint EntryHash(ReadOnlySpan<byte> name, uint value, bool isUnsigned)
    {
        uint hash = 0;
        foreach (byte letter in name)
            hash = hash << 5 ^ hash >> 27 ^ (isUnsigned ? letter : unchecked((uint)(sbyte)letter));
        return hash << 16 ^ hash >> 16 ^ value;
    }

    private static CorruptImageException Broken(in Inode owner, uint number, string what) =>
        new(Corruption.ExtendedAttributeInode, owner.Number, $"an extended attribute's value is in inode {number}, {what}");
}
