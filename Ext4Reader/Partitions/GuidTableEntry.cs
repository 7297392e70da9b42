using System.Text;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Partitions;

/// <summary>One partition of a GUID partition table, as the table has it: unchecked.</summary>
internal readonly record struct GuidTableEntry(Guid Type, Guid Unique, ulong First, ulong Last, string Name)
{
    /// <summary>The known part of an entry; tables may have larger ones.</summary>
    internal const int Size = 128;

    internal bool IsEmpty => Type == Guid.Empty;

    internal static GuidTableEntry Parse(ReadOnlySpan<byte> raw) => new(
        Type: new Guid(raw[..0x10]),
        Unique: new Guid(raw[0x10..0x20]),
        First: LittleEndian.U64(raw, 0x20, 0x24),
        Last: LittleEndian.U64(raw, 0x28, 0x2c),
        Name: Encoding.Unicode.GetString(raw[0x38..Size]).Split('\0')[0]);
}
