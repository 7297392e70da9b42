namespace Ext4Reader.OnDisk;

/// <summary>One extended attribute: the namespace's number, the rest of the name, and where the value is.</summary>
internal readonly record struct ExtendedAttributeEntry(int NameLength, byte NameIndex, int ValueOffset, uint ValueInode, uint ValueSize, uint Hash)
{
    internal const int HeaderSize = 16;

    internal static ExtendedAttributeEntry Parse(ReadOnlySpan<byte> raw) => new(
        NameLength: raw[0x00],                                             // e_name_len
        NameIndex: raw[0x01],                                              // e_name_index
        ValueOffset: LittleEndian.U16(raw, 0x02),                          // e_value_offs
        ValueInode: LittleEndian.U32(raw, 0x04),                           // e_value_inum
        ValueSize: LittleEndian.U32(raw, 0x08),                            // e_value_size
        Hash: LittleEndian.U32(raw, 0x0c));                                // e_hash

    /// <summary>Bytes from one entry to the next.</summary>
    internal int Length => (HeaderSize + NameLength + 3) & ~3;
}
