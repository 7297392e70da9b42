using Ext4Reader.OnDisk;

namespace Fuzz.Tests;

/// <summary>Where the fields of each structure are: offset and width in bytes.</summary>
internal static class Fields
{
    private static readonly (int Offset, int Width)[] Superblock =
    [
        (0x00, 4), (0x04, 4), (0x08, 4), (0x0c, 4), (0x14, 4), (0x18, 4), (0x1c, 4), (0x20, 4), (0x24, 4), (0x28, 4), (0x38, 2), (0x3a, 2), (0x4c, 4),
        (0x54, 4), (0x58, 2), (0x5c, 4), (0x60, 4), (0x64, 4), (0x68, 8), (0x78, 8), (0xce, 2), (0xe0, 4), (0xe8, 4), (0xec, 4), (0xfc, 1), (0xfe, 2),
        (0x100, 4), (0x104, 4), (0x150, 4), (0x154, 4), (0x15c, 2), (0x15e, 2), (0x160, 4), (0x168, 8), (0x174, 1), (0x175, 1), (0x240, 4), (0x244, 4),
        (0x248, 4), (0x24c, 4), (0x250, 4), (0x26c, 4), (0x270, 4), (0x27c, 2), (0x280, 4), (0x3fc, 4),
    ];

    private static readonly (int Offset, int Width)[] Group =
    [
        (0x00, 4), (0x04, 4), (0x08, 4), (0x0c, 2), (0x0e, 2), (0x10, 2), (0x12, 2), (0x1c, 2), (0x1e, 2), (0x20, 4), (0x24, 4), (0x28, 4), (0x2c, 2), (0x2e, 2),
    ];

    private static readonly (int Offset, int Width)[] Inode =
    [
        (0x00, 2), (0x02, 2), (0x04, 4), (0x04, 4), (0x08, 4), (0x14, 4), (0x18, 2), (0x1a, 2), (0x1c, 4), (0x20, 4), (0x20, 4), (0x64, 4), (0x68, 4), (0x6c, 4),
        (0x74, 2), (0x76, 2), (0x78, 2), (0x7c, 2), (0x80, 2), (0x82, 2), (0x84, 4), (0x8c, 4), (0x90, 4), (0x94, 4), (0x9c, 4),
    ];

    private static readonly (int Offset, int Width)[] Node = [(0, 2), (2, 2), (4, 2), (6, 2), (8, 4)];
    private static readonly (int Offset, int Width)[] Extent = [(0, 4), (4, 2), (6, 2), (8, 4), (4, 4), (8, 2)];
    private static readonly (int Offset, int Width)[] Name = [(0, 4), (4, 2), (4, 2), (6, 1), (7, 1), (8, 1), (9, 1)];
    private static readonly (int Offset, int Width)[] Attribute = [(0, 1), (1, 1), (2, 2), (4, 4), (8, 4), (12, 4), (16, 1)];
    private static readonly (int Offset, int Width)[] AttributeHeader = [(0, 4), (4, 4), (8, 4), (12, 4), (16, 4)];
    private static readonly (int Offset, int Width)[] IndexInfo = [(4, 2), (12, 4), (16, 2), (24, 4), (28, 1), (29, 1), (30, 1), (31, 1), (32, 2), (34, 2), (36, 4)];
    private static readonly (int Offset, int Width)[] IndexHeader = [(0, 4), (4, 2), (6, 1), (8, 2), (10, 2), (12, 4)];
    private static readonly (int Offset, int Width)[] Journal = [(0, 4), (4, 4), (8, 4), (12, 4), (16, 4), (20, 4), (24, 4), (28, 4), (36, 4), (40, 4), (80, 1), (252, 4)];

    /// <summary>A field of a structure as it is now, which may not be sound any more.</summary>
    public static (int Offset, int Width) Pick(Structure structure, ReadOnlySpan<byte> raw, Random random)
    {
        switch (structure.Kind)
        {
            case StructureKind.Superblock:
                return Any(Superblock, random);
            case StructureKind.GroupDescriptor:
                return Any(Group.AsSpan(0, raw.Length >= 64 ? Group.Length : Group.Length - 4), random);
            case StructureKind.Inode:
                return PickInInode(raw, random);
            case StructureKind.ExtentBlock:
                return PickInNode(raw, 0, random);
            case StructureKind.PointerBlock:
                return (4 * random.Next(random.Next(2) == 0 ? 4 : raw.Length / 4), 4);
            case StructureKind.DirectoryLeaf:
                return Shift(NameAt(raw, random), Any(Name, random));
            case StructureKind.IndexRoot:
                return random.Next(3) > 0 ? Any(IndexInfo, random) : (32 + (8 * random.Next(1, 20)) + (4 * random.Next(2)), 4);
            case StructureKind.IndexNode:
                return random.Next(2) > 0 ? Any(IndexHeader, random) : (8 + (8 * random.Next(1, 20)) + (4 * random.Next(2)), 4);
            case StructureKind.AttributeBlock:
                return random.Next(3) == 0 ? Any(AttributeHeader, random) : Shift(AttributeAt(raw, 32, random), Any(Attribute, random));
            case StructureKind.Journal:
                return random.Next(2) == 0 ? Any(Journal, random) : (random.Next(raw.Length - 4), 4);
            default:
                throw new InvalidOperationException($"no fields of {structure.Kind}");
        }
    }

    private static (int Offset, int Width) PickInInode(ReadOnlySpan<byte> raw, Random random)
    {
        int choice = random.Next(10);
        if (choice < 2)
            return PickInNode(raw.Slice(0x28, 60), 0x28, random);
        if (choice == 2)
            return (0x28 + (4 * random.Next(15)), 4);
        int extra = raw.Length > 0x82 ? LittleEndian.U16(raw, 0x80) : 0;
        int body = 0x80 + extra;
        if (choice == 3 && extra > 0 && body + 24 < raw.Length)
            return random.Next(4) == 0 ? (body, 4) : Shift(AttributeAt(raw, body + 4, random), Any(Attribute, random));
        (int Offset, int Width) field = Any(Inode, random);
        return field.Offset + field.Width <= raw.Length ? field : (0x20, 4);
    }

    private static (int Offset, int Width) PickInNode(ReadOnlySpan<byte> node, int origin, Random random)
    {
        int most = Math.Max(1, Math.Min(LittleEndian.U16(node, 2), (node.Length - 12) / 12));
        return random.Next(3) == 0 ? Shift(origin, Any(Node, random)) : Shift(origin + 12 + (12 * random.Next(most)), Any(Extent, random));
    }

    private static int NameAt(ReadOnlySpan<byte> raw, Random random)
    {
        int at = 0;
        for (int steps = random.Next(20); steps > 0; steps--)
        {
            int length = DirectoryEntry.Parse(raw[at..], raw.Length).RecordLength;
            if (length < 12 || at + length > raw.Length - 12)
                break;
            at += length;
        }

        return at;
    }

    private static int AttributeAt(ReadOnlySpan<byte> raw, int first, Random random)
    {
        int at = first;
        for (int steps = random.Next(5); steps > 0; steps--)
        {
            int length = ExtendedAttributeEntry.Parse(raw[at..]).Length;
            if (at + length > raw.Length - 20)
                break;
            at += length;
        }

        return Math.Min(at, raw.Length - 20);
    }

    private static (int Offset, int Width) Shift(int origin, (int Offset, int Width) field) => (origin + field.Offset, field.Width);

    private static (int Offset, int Width) Any(ReadOnlySpan<(int Offset, int Width)> fields, Random random) => fields[random.Next(fields.Length)];
}
