using Ext4Reader.OnDisk;

namespace Fuzz.Tests;

/// <summary>Makes the checksum of a changed structure right again, so that what was changed gets past it.</summary>
internal sealed class ChecksumRepair(Layout layout, Patch patch)
{
    private readonly Superblock _superblock = layout.Superblock;

    public void Apply(Structure structure)
    {
        if (structure.Kind == StructureKind.GroupDescriptor && _superblock.HasGroupChecksums)
        {
            patch.Write(structure.Offset + 0x1e, 2, 0);
            patch.Write(structure.Offset + 0x1e, 2, GroupDescriptor.ComputeChecksum(Raw(structure), structure.Owner, _superblock));
        }

        if (!_superblock.HasMetadataChecksums)
            return;
        switch (structure.Kind)
        {
            case StructureKind.Superblock:
                patch.Write(structure.Offset + 0x3fc, 4, Crc32c.Append(Crc32c.Start, Raw(structure)[..0x3fc]));
                break;
            case StructureKind.Inode:
                Inode(structure);
                break;
            case StructureKind.ExtentBlock:
                int length = Math.Min(ExtentNode.ChecksummedLength(Raw(structure)), structure.Length - 4);
                patch.Write(structure.Offset + length, 4, Crc32c.Append(SeedOf(structure.Owner), Raw(structure)[..length]));
                break;
            case StructureKind.DirectoryLeaf:
                patch.Write(structure.Offset + structure.Length - 4, 4, Crc32c.Append(SeedOf(structure.Owner), Raw(structure)[..^12]));
                break;
            case StructureKind.IndexRoot:
                Index(structure, 32);
                break;
            case StructureKind.IndexNode:
                Index(structure, 8);
                break;
            case StructureKind.AttributeBlock:
                patch.Write(structure.Offset + 0x10, 4, 0);
                uint crc = Crc32c.Append(_superblock.ChecksumSeed, (ulong)structure.Offset >> _superblock.BlockSizeBits);
                patch.Write(structure.Offset + 0x10, 4, Crc32c.Append(crc, Raw(structure)));
                break;
            default:
                break;
        }
    }

    private ReadOnlySpan<byte> Raw(Structure structure) => patch.Bytes.Slice(structure.Offset, structure.Length);

    private uint SeedOf(uint number) => _superblock.InodeSeed(number, LittleEndian.U32(patch.Bytes, layout.InodeAt(number) + 0x64));

    private void Inode(Structure structure)
    {
        bool hasHigh = structure.Length > 128 && LittleEndian.U16(patch.Bytes, structure.Offset + 0x80) >= 4;
        patch.Write(structure.Offset + 0x7c, 2, 0);
        if (hasHigh)
            patch.Write(structure.Offset + 0x82, 2, 0);
        uint crc = Crc32c.Append(SeedOf(structure.Owner), Raw(structure));
        patch.Write(structure.Offset + 0x7c, 2, crc);
        if (hasHigh)
            patch.Write(structure.Offset + 0x82, 2, crc >> 16);
    }

    private void Index(Structure structure, int entries)
    {
        int limit = LittleEndian.U16(Raw(structure), entries);
        int count = LittleEndian.U16(Raw(structure), entries + 2);
        int tail = entries + (limit * 8);
        if (tail > structure.Length - 8 || count > limit)
            return; // there is no place for a checksum any more
        uint crc = Crc32c.Append(SeedOf(structure.Owner), Raw(structure)[..(entries + (count * 8))]);
        patch.Write(structure.Offset + tail + 4, 4, Crc32c.Append(Crc32c.Append(crc, Raw(structure).Slice(tail, 4)), 0u));
    }
}
