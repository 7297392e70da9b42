using System.Buffers.Binary;

namespace Ext4Reader.OnDisk;

/// <summary>One entry of a directory block: inode number, length of the record, length of the name, type, name.</summary>
/// <param name="InodeNumber">0: free space.</param>
/// <param name="RecordLength">Bytes to the next entry.</param>
/// <param name="NameLength">Bytes of the name, which starts <see cref="HeaderSize"/> bytes into the record.</param>
/// <param name="Type">The type's number; 0 where entries have none.</param>
internal readonly record struct DirectoryEntry(uint InodeNumber, int RecordLength, int NameLength, byte Type)
{
    internal const int HeaderSize = 8;

    /// <summary>The shortest record there is: a name of one byte, padded to a multiple of four.</summary>
    internal const int MinimumLength = 12;

    internal static DirectoryEntry Parse(ReadOnlySpan<byte> raw, int blockSize)
    {
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(raw);
        return new DirectoryEntry(
            InodeNumber: (uint)(header & uint.MaxValue),                   // inode
            RecordLength: DecodeLength((int)(header >> 32 & 0xffff), blockSize), // rec_len
            NameLength: (int)(header >> 48 & 0xff),                        // name_len
            Type: (byte)(header >> 56));                                   // file_type
    }

    /// <summary>With 64 KiB blocks lengths need 17 bits: the two lowest, always zero, carry the highest, and a full block has a code of its own.</summary>
    internal static int DecodeLength(int stored, int blockSize)
    {
        if (blockSize < 65536)
            return stored;
        return stored is 0 or 65535 ? blockSize : (stored & 0xfffc) | (stored & 3) << 16;
    }

    /// <summary>The shortest record that can hold a name.</summary>
    internal static int LengthFor(int nameLength) => (HeaderSize + nameLength + 3) & ~3;

    /// <summary>A number from the image as a type; unknown numbers are unknown types.</summary>
    internal FileType FileType(bool hasTypes) => hasTypes && Type <= (byte)Ext4Reader.FileType.SymbolicLink ? (FileType)Type : Ext4Reader.FileType.Unknown;
}
