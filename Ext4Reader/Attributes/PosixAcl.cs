using System.Buffers.Binary;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Attributes;

/// <summary>
/// Access control lists: ext4 keeps version 1, in which only named users and groups have an id; the world sees
/// version 2 (posix_acl_xattr), in which every entry has one.
/// </summary>
internal static class PosixAcl
{
    private const uint StoredVersion = 1;
    private const uint ShownVersion = 2;
    private const int HeaderSize = 4;
    private const int ShortEntrySize = 4;
    private const int EntrySize = 8;
    private const uint NoId = uint.MaxValue;
    private const ushort UserObject = 0x01;
    private const ushort NamedUser = 0x02;
    private const ushort GroupObject = 0x04;
    private const ushort NamedGroup = 0x08;
    private const ushort Mask = 0x10;
    private const ushort Other = 0x20;

    /// <summary>The length a stored list has when shown, which also checks it; 0 for a list without entries, which counts as none.</summary>
    internal static int ShownLength(ReadOnlySpan<byte> stored, uint inode)
    {
        if (stored.Length < HeaderSize || LittleEndian.U32(stored, 0) != StoredVersion)                // a_version
            throw Broken(inode, stored);
        int entries = 0;
        for (ReadOnlySpan<byte> rest = stored[HeaderSize..]; !rest.IsEmpty; entries++)
        {
            int size = rest.Length < ShortEntrySize ? EntrySize : SizeOf(LittleEndian.U16(rest, 0));    // e_tag
            if (size == 0 || size > rest.Length)
                throw Broken(inode, stored);
            rest = rest[size..];
        }

        if (entries != ExpectedEntries(stored.Length - HeaderSize))
            throw Broken(inode, stored);
        return entries == 0 ? 0 : HeaderSize + entries * EntrySize;
    }

    /// <summary>Writes a list that was checked.</summary>
    internal static void Convert(ReadOnlySpan<byte> stored, Span<byte> shown)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(shown, ShownVersion);
        shown = shown[HeaderSize..];
        for (ReadOnlySpan<byte> rest = stored[HeaderSize..]; !rest.IsEmpty; shown = shown[EntrySize..])
        {
            int size = SizeOf(LittleEndian.U16(rest, 0));
            rest[..ShortEntrySize].CopyTo(shown);                                                       // e_tag, e_perm
            BinaryPrimitives.WriteUInt32LittleEndian(shown[ShortEntrySize..], size == EntrySize ? LittleEndian.U32(rest, 4) : NoId); // e_id
            rest = rest[size..];
        }
    }

    /// <summary>The number of entries as Linux tells it from the length alone: at most four are short; -1 if none fits.</summary>
    private static int ExpectedEntries(int length)
    {
        const int Short = 4;
        int rest = length - Short * ShortEntrySize;
        if (rest < 0)
            return length % ShortEntrySize == 0 ? length / ShortEntrySize : -1;
        return rest % EntrySize == 0 ? rest / EntrySize + Short : -1;
    }

    private static int SizeOf(ushort tag) => tag switch
    {
        NamedUser or NamedGroup => EntrySize,
        UserObject or GroupObject or Mask or Other => ShortEntrySize,
        _ => 0,
    };

    private static CorruptImageException Broken(uint inode, ReadOnlySpan<byte> stored) =>
        new(Corruption.AccessControlList, inode, $"access control list of {stored.Length} bytes");
}
