using Ext4Reader.OnDisk;

namespace Fuzz.Tests;

/// <summary>Finds every piece of metadata of a sound image, with nothing but the bytes and the specification.</summary>
internal sealed class Layout
{
    private const uint JournalInode = 8;
    private const int JournalBlocks = 16;
    private const int MapOffset = 0x28;
    private const int DirectPointers = 12;

    private readonly byte[] _bytes;
    private readonly List<Structure> _structures = [];
    private readonly HashSet<ulong> _attributeBlocks = [];
    private readonly Dictionary<uint, int> _inodes = [];

    public Layout(byte[] bytes)
    {
        _bytes = bytes;
        Superblock = Superblock.Parse(bytes.AsSpan(Superblock.Offset, Superblock.Size));
        _structures.Add(new Structure(StructureKind.Superblock, Superblock.Offset, Superblock.Size, 0));
        for (uint group = 0; group < Superblock.GroupCount; group++)
            _structures.Add(new Structure(StructureKind.GroupDescriptor, GroupAt(group), Superblock.DescriptorSize, group));
        for (uint number = 1; number <= Superblock.InodeCount; number++)
            AddInode(number);
    }

    public Superblock Superblock { get; }

    public IReadOnlyList<Structure> Structures => _structures;

    /// <summary>Where the blocks of the journal are, in bytes.</summary>
    public IReadOnlyList<int> Journal { get; private set; } = [];

    /// <summary>Where the blocks of the orphan file are, in bytes.</summary>
    public IReadOnlyList<int> OrphanFile { get; private set; } = [];

    /// <summary>The inodes that use an attribute block: Linux shares equal ones.</summary>
    public IEnumerable<uint> UsersOfAttributes(int offset) =>
        _structures.Where(other => other.Kind == StructureKind.Inode && AttributeBlock(other.Offset) << Superblock.BlockSizeBits == (ulong)offset)
            .Select(other => other.Owner);

    /// <summary>Whether an inode is the value of other inodes' attributes.</summary>
    public bool IsAttributeValue(uint number) =>
        _inodes.TryGetValue(number, out int at) && (LittleEndian.U32(_bytes, at + 0x20) & InodeRecord.AttributeValueFlag) != 0;

    /// <summary>Where an inode in use lies, or lay before anything was broken.</summary>
    public int InodeAt(uint number) => _inodes[number];

    private int GroupAt(uint group)
    {
        (uint block, uint index) = Math.DivRem(group, (uint)Superblock.DescriptorsPerBlock);
        return At(Superblock.DescriptorBlock(block)) + ((int)index * Superblock.DescriptorSize);
    }

    private int FindInode(uint number)
    {
        uint group = (number - 1) / Superblock.InodesPerGroup;
        GroupDescriptor descriptor = GroupDescriptor.Parse(_bytes.AsSpan(GroupAt(group), Superblock.DescriptorSize));
        return At(descriptor.InodeTable) + (int)((number - 1) % Superblock.InodesPerGroup * (uint)Superblock.InodeSize);
    }

    private int At(ulong block) => (int)(block << Superblock.BlockSizeBits);

    private ulong AttributeBlock(int inode) => LittleEndian.U32(_bytes, inode + 0x68);

    private void AddInode(uint number)
    {
        int at = FindInode(number);
        ushort mode = LittleEndian.U16(_bytes, at);
        if (mode == 0 || LittleEndian.U16(_bytes, at + 0x1a) == 0)
            return;
        _inodes[number] = at;
        _structures.Add(new Structure(StructureKind.Inode, at, Superblock.InodeSize, number));
        if (AttributeBlock(at) is not 0 and ulong attributes && _attributeBlocks.Add(attributes))
            _structures.Add(new Structure(StructureKind.AttributeBlock, At(attributes), Superblock.BlockSize, number));
        int type = mode >> 12;
        bool isSlowLink = type == 0xa && LittleEndian.U32(_bytes, at + 0x04) >= InodeRecord.MapSize;
        bool isInline = (LittleEndian.U32(_bytes, at + 0x20) & InodeRecord.InlineDataFlag) != 0;
        if ((type is not (0x4 or 0x8) && !isSlowLink) || isInline)
            return;
        var blocks = new SortedDictionary<uint, ulong>();
        if ((LittleEndian.U32(_bytes, at + 0x20) & InodeRecord.ExtentsFlag) != 0)
            AddExtents(number, at + MapOffset, blocks);
        else
            AddPointers(number, at + MapOffset, blocks);
        if (type == 0x4)
            AddDirectory(number, (LittleEndian.U32(_bytes, at + 0x20) & InodeRecord.IndexFlag) != 0, blocks);
        else if (number == Superblock.OrphanFileInode)
            OrphanFile = [.. blocks.Values.Select(At)];
        else if (number == JournalInode)
            Journal = [.. blocks.Values.Select(At)];
        if (number == JournalInode)
            _structures.AddRange(blocks.Values.Take(JournalBlocks).Select(block => new Structure(StructureKind.Journal, At(block), Superblock.BlockSize, number)));
    }

    private void AddExtents(uint number, int node, SortedDictionary<uint, ulong> blocks)
    {
        int count = LittleEndian.U16(_bytes, node + 2);
        bool isLeaf = LittleEndian.U16(_bytes, node + 6) == 0;
        for (int entry = node + 12; count > 0; count--, entry += 12)
        {
            if (isLeaf)
            {
                uint length = LittleEndian.U16(_bytes, entry + 4);
                for (uint index = 0; length <= 0x8000 && index < length; index++)
                    blocks[LittleEndian.U32(_bytes, entry) + index] = LittleEndian.U48(_bytes, low: entry + 8, high: entry + 6) + index;
                continue;
            }

            int child = At(LittleEndian.U48(_bytes, low: entry + 4, high: entry + 8));
            _structures.Add(new Structure(StructureKind.ExtentBlock, child, Superblock.BlockSize, number));
            AddExtents(number, child, blocks);
        }
    }

    private void AddPointers(uint number, int map, SortedDictionary<uint, ulong> blocks)
    {
        for (int index = 0; index < DirectPointers; index++)
        {
            if (LittleEndian.U32(_bytes, map + (4 * index)) is not 0 and uint block)
                blocks[(uint)index] = block;
        }

        uint first = DirectPointers;
        uint perBlock = (uint)Superblock.BlockSize / 4;
        for (int level = 1; level <= 3; level++)
        {
            AddPointerBlock(number, LittleEndian.U32(_bytes, map + (4 * (DirectPointers + level - 1))), level, first, blocks);
            first += (uint)Math.Min(Math.Pow(perBlock, level), int.MaxValue);
        }
    }

    private void AddPointerBlock(uint number, uint block, int level, uint first, SortedDictionary<uint, ulong> blocks)
    {
        if (block == 0)
            return;
        _structures.Add(new Structure(StructureKind.PointerBlock, At(block), Superblock.BlockSize, number));
        uint perBlock = (uint)Superblock.BlockSize / 4;
        uint span = (uint)Math.Pow(perBlock, level - 1);
        for (uint index = 0; index < perBlock; index++)
        {
            uint pointer = LittleEndian.U32(_bytes, At(block) + (4 * (int)index));
            if (level > 1)
                AddPointerBlock(number, pointer, level - 1, unchecked(first + (index * span)), blocks);
            else if (pointer != 0)
                blocks[first + index] = pointer;
        }
    }

    private void AddDirectory(uint number, bool isIndexed, SortedDictionary<uint, ulong> blocks)
    {
        foreach ((uint fileBlock, ulong block) in blocks)
        {
            StructureKind kind = StructureKind.DirectoryLeaf;
            if (isIndexed && fileBlock == 0)
                kind = StructureKind.IndexRoot;
            else if (isIndexed && DirectoryBlock.LooksLikeIndex(_bytes.AsSpan(At(block), Superblock.BlockSize)))
                kind = StructureKind.IndexNode;
            _structures.Add(new Structure(kind, At(block), Superblock.BlockSize, number));
        }
    }
}
