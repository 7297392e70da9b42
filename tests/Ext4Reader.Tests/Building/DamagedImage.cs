using System.Buffers.Binary;
using Ext4Reader.Files;
using Ext4Reader.OnDisk;
using Ext4Reader.Storage;

namespace Ext4Reader.Tests.Building;

/// <summary>A private copy of an image that a test breaks, repairing checksums where it does not mean to break those.</summary>
internal sealed class DamagedImage : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ext4reader-damaged-{Guid.NewGuid():N}.img");
    private readonly string _original;
    private readonly List<IDisposable> _opened = [];

    public DamagedImage(ImageRecipe recipe)
    {
        _original = BuiltImage.PathOf(recipe);
        Bytes = File.ReadAllBytes(_original);
        Superblock = Superblock.Parse(Bytes.AsSpan(Superblock.Offset, Superblock.Size));
    }

    /// <summary>The whole image.</summary>
    public byte[] Bytes { get; private set; }

    /// <summary>The superblock as it was.</summary>
    public Superblock Superblock { get; }

    public void Dispose()
    {
        _opened.ForEach(image => image.Dispose());
        File.Delete(_path);
    }

    /// <summary>Opens the image as it is now.</summary>
    public Ext4Image Open(Ext4OpenOptions? options = null)
    {
        File.WriteAllBytes(_path, Bytes);
        var image = Ext4Image.Open(_path, options);
        _opened.Add(image);
        return image;
    }

    public void Truncate(int length) => Bytes = Bytes[..length];

    /// <summary>Cuts the file that was opened last; whoever has it open meets its end.</summary>
    public void TruncateOpened(int length)
    {
        using FileStream file = new(_path, FileMode.Open);
        file.SetLength(length);
    }

    public Span<byte> Raw(int offset, int length) => Bytes.AsSpan(offset, length);

    public void Set16(int offset, int value) => BinaryPrimitives.WriteUInt16LittleEndian(Bytes.AsSpan(offset), (ushort)value);

    public void Set32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Bytes.AsSpan(offset), value);

    /// <summary>The number of the inode at a path, before any damage.</summary>
    public uint Number(string path)
    {
        using var image = Ext4Image.Open(_original);
        return image.Find(path).Number;
    }

    /// <summary>Where an inode lies.</summary>
    public int InodeAt(uint number)
    {
        uint group = (number - 1) / Superblock.InodesPerGroup;
        GroupDescriptor descriptor = GroupDescriptor.Parse(Raw(GroupAt(group), Superblock.DescriptorSize));
        return (int)((descriptor.InodeTable << Superblock.BlockSizeBits) + ((number - 1) % Superblock.InodesPerGroup * (uint)Superblock.InodeSize));
    }

    /// <summary>Where a group's descriptor lies.</summary>
    public int GroupAt(uint group)
    {
        (uint block, uint index) = Math.DivRem(group, (uint)Superblock.DescriptorsPerBlock);
        return (int)(Superblock.DescriptorBlock(block) << Superblock.BlockSizeBits) + (int)index * Superblock.DescriptorSize;
    }

    /// <summary>A group's descriptor.</summary>
    public GroupDescriptor Group(uint group) => GroupDescriptor.Parse(Raw(GroupAt(group), Superblock.DescriptorSize));

    /// <summary>A block of the journal, whose extent tree is in its inode.</summary>
    public ulong JournalBlock => LittleEndian.U32(Bytes, InodeAt(Superblock.JournalInode) + 0x28 + 20) + 7;

    /// <summary>Where the record of multiple mount protection lies.</summary>
    public int MultipleMountAt => (int)Superblock.MultipleMountBlock << Superblock.BlockSizeBits;

    public void FixMultipleMount() =>
        Set32(MultipleMountAt + 0x3fc, Crc32c.Append(Superblock.ChecksumSeed, Raw(MultipleMountAt, 0x3fc)));

    /// <summary>Where a block of a file lies, before any damage.</summary>
    public int BlockAt(string path, uint fileBlock)
    {
        using var image = Ext4Image.Open(_original);
        using var source = new ImageSource(File.OpenHandle(_original), 0);
        var map = new BlockMap(new BlockReader(source, Superblock, 1 << 16));
        return (int)(map.Find(image.Find(path), fileBlock, 1).ImageBlock << Superblock.BlockSizeBits);
    }

    public void FixSuperblock() =>
        Set32(Superblock.Offset + 0x3fc, Crc32c.Append(Crc32c.Start, Raw(Superblock.Offset, 0x3fc)));

    public void FixGroup(uint group) =>
        Set16(GroupAt(group) + 0x1e, GroupDescriptor.ComputeChecksum(Raw(GroupAt(group), Superblock.DescriptorSize), group, Superblock));

    public void FixInode(uint number)
    {
        int at = InodeAt(number);
        Set16(at + 0x7c, 0);
        Set16(at + 0x82, 0);
        uint crc = Crc32c.Append(SeedOf(number), Raw(at, Superblock.InodeSize));
        Set16(at + 0x7c, (int)(crc & 0xffff));
        Set16(at + 0x82, (int)(crc >> 16));
    }

    public void FixDirectoryBlock(uint directory, int at) =>
        Set32(at + Superblock.BlockSize - 4, Crc32c.Append(SeedOf(directory), Raw(at, Superblock.BlockSize - 12)));

    /// <summary>Repairs the checksum of an index block, whose entries start at an offset.</summary>
    public void FixIndexBlock(uint directory, int at, int entries)
    {
        int limit = LittleEndian.U16(Bytes, at + entries);
        int count = LittleEndian.U16(Bytes, at + entries + 2);
        int tail = at + entries + limit * 8;
        uint crc = Crc32c.Append(SeedOf(directory), Raw(at, entries + count * 8));
        Set32(tail + 4, Crc32c.Append(Crc32c.Append(crc, Raw(tail, 4)), 0u));
    }

    public void FixExtentBlock(uint file, int at)
    {
        int length = ExtentNode.ChecksummedLength(Raw(at, Superblock.BlockSize));
        Set32(at + length, Crc32c.Append(SeedOf(file), Raw(at, length)));
    }

    public void FixAttributeBlock(int at)
    {
        Set32(at + 0x10, 0);
        uint crc = Crc32c.Append(Superblock.ChecksumSeed, (ulong)(uint)at >> Superblock.BlockSizeBits);
        Set32(at + 0x10, Crc32c.Append(crc, Raw(at, Superblock.BlockSize)));
    }

    private uint SeedOf(uint number) => Superblock.InodeSeed(number, LittleEndian.U32(Bytes, InodeAt(number) + 0x64));
}
