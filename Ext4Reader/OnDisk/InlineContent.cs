namespace Ext4Reader.OnDisk;

/// <summary>
/// Content that lies in the inode itself: its first bytes where the block map would be, the rest as the value of the attribute system.data.
/// </summary>
internal static class InlineContent
{
    private const byte SystemIndex = 7;

    /// <summary>Where in an inode's record the rest of its content is.</summary>
    /// <exception cref="CorruptImageException">The inode has no such attribute, or its attributes are broken.</exception>
    internal static (int Offset, int Length) Find(ReadOnlySpan<byte> raw, uint number, int extraSize, Superblock superblock)
    {
        if (ExtendedAttributeArea.TryFindInInode(raw, extraSize, out int start))
        {
            ExtendedAttributeArea area = ExtendedAttributeArea.InInode(raw[start..], number, superblock);
            int offset = area.First;
            while (area.TryNext(ref offset, out ExtendedAttributeEntry entry, out ReadOnlySpan<byte> name))
            {
                if (entry.NameIndex != SystemIndex || !name.SequenceEqual("data"u8))
                    continue;
                if (entry.ValueInode != 0)
                    throw new CorruptImageException(Corruption.InlineData, number, $"content of the inode that is said to be in inode {entry.ValueInode}");
                return entry.ValueSize == 0 ? default : (start + entry.ValueOffset, (int)entry.ValueSize);
            }
        }

        throw new CorruptImageException(Corruption.InlineData, number, "content in the inode, but no attribute system.data");
    }
}
