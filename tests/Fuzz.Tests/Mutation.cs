namespace Fuzz.Tests;

/// <summary>What was done to an image.</summary>
/// <param name="Description">In words, for whoever has to understand a failure.</param>
/// <param name="Touched">The inodes that may differ now; null for all.</param>
/// <param name="MustComplain">Inodes with a checksum that is wrong now and must be reported.</param>
/// <param name="Cut">The length the image is cut off at, or null.</param>
internal sealed record Mutation(string Description, IReadOnlySet<uint>? Touched, IReadOnlySet<uint> MustComplain, long? Cut);

/// <summary>Breaks an image where it hurts: fields of its structures get values that somebody may have forgotten to check.</summary>
internal sealed class Mutator(Layout layout, Patch patch, Random random)
{
    private readonly List<string> _words = [];
    private readonly HashSet<uint> _touched = [];
    private readonly HashSet<uint> _complaining = [];
    private readonly StructureKind[] _kinds = [.. layout.Structures.Select(structure => structure.Kind).Distinct()];
    private bool _touchedAll;
    private bool _isCopy;

    public Mutation Run()
    {
        int choice = random.Next(20);
        if (choice == 0)
            return Cut();
        bool repair = random.Next(2) == 0;
        int structures = choice < 15 ? 1 : random.Next(2, 4);
        for (; structures > 0; structures--)
        {
            StructureKind kind = _kinds[random.Next(_kinds.Length)];
            Structure[] all = [.. layout.Structures.Where(structure => structure.Kind == kind)];
            Change(all[random.Next(all.Length)], repair);
        }

        // Two broken structures may make up for each other: a generation, for instance, is part of every checksum of its inode.
        return new Mutation(string.Join("; ", _words), _touchedAll ? null : _touched, choice < 15 && !_touchedAll ? _complaining : [], null);
    }

    private Mutation Cut()
    {
        long length = random.Next(4) == 0 ? random.Next(5000) : random.NextInt64(patch.Bytes.Length);
        return new Mutation($"cut off at {length}", null, new HashSet<uint>(), length);
    }

    private void Change(Structure structure, bool repair)
    {
        byte[] before = patch.Bytes.Slice(structure.Offset, structure.Length).ToArray();
        int kind = random.Next(12);
        if (kind == 0)
            FlipBits(structure);
        else if (kind == 1)
            Fill(structure);
        else
            SetFields(structure);
        // A copied block of the same owner may well fit, checksum and all.
        bool isChanged = !_isCopy && !patch.Bytes.Slice(structure.Offset, structure.Length).SequenceEqual(before);
        if (repair)
            new ChecksumRepair(layout, patch).Apply(structure);
        _words.Add(repair ? "checksum repaired" : "checksum left");
        Note(structure, isChanged && !repair, repair);
    }

    private void FlipBits(Structure structure)
    {
        for (int flips = random.Next(1, 9); flips > 0; flips--)
        {
            int at = structure.Offset + random.Next(structure.Length);
            patch.Write(at, 1, patch.Read(at, 1) ^ (1UL << random.Next(8)));
            _words.Add($"{structure}: bit flipped at {at - structure.Offset:x}");
        }
    }

    private void Fill(Structure structure)
    {
        byte[] content = new byte[structure.Length];
        switch (random.Next(4))
        {
            case 0:
                Array.Fill(content, byte.MaxValue);
                break;
            case 1:
                random.NextBytes(content);
                break;
            case 2:
                Structure other = layout.Structures[random.Next(layout.Structures.Count)];
                patch.Bytes.Slice(other.Offset, Math.Min(other.Length, content.Length)).CopyTo(content);
                _isCopy = true;
                break;
            default:
                break;
        }

        patch.Write(structure.Offset, content);
        _words.Add($"{structure}: filled, first byte {content[0]:x2}");
    }

    private void SetFields(Structure structure)
    {
        for (int fields = random.Next(1, 4); fields > 0; fields--)
        {
            (int offset, int width) = Fields.Pick(structure, patch.Bytes.Slice(structure.Offset, structure.Length), random);
            if (offset + width > structure.Length)
                continue;
            ulong value = Value(structure, patch.Read(structure.Offset + offset, width), width);
            patch.Write(structure.Offset + offset, width, value);
            _words.Add($"{structure}: {width} bytes at {offset:x} = {value:x}");
        }
    }

    private ulong Value(Structure structure, ulong now, int width)
    {
        ulong most = width == 8 ? ulong.MaxValue : (1UL << (8 * width)) - 1;
        ulong blocks = layout.Superblock.BlockCount;
        int blockBits = layout.Superblock.BlockSizeBits;
        ulong value = random.Next(18) switch
        {
            0 => 0,
            1 => 1,
            2 => most,
            3 => most - (ulong)random.Next(16),
            4 => (most >> 1) + (ulong)random.Next(2),
            5 => unchecked(now + 1),
            6 => unchecked(now - 1),
            7 => now << 1,
            8 => now ^ (1UL << random.Next(8 * width)),
            9 => unchecked(blocks - (ulong)random.Next(2)),
            10 => (ulong)structure.Offset >> blockBits,
            11 => (ulong)layout.Structures[random.Next(layout.Structures.Count)].Offset >> blockBits,
            12 => layout.Structures[random.Next(layout.Structures.Count)].Owner,
            13 => structure.Owner,
            14 => (ulong)random.Next(64),
            15 => 1UL << random.Next(8 * width),
            16 => (ulong)layout.Superblock.BlockSize - (ulong)random.Next(16),
            _ => (ulong)random.NextInt64(),
        };
        return value & most;
    }

    private void Note(Structure structure, bool isStale, bool isRepaired)
    {
        switch (structure.Kind)
        {
            case StructureKind.Superblock:
                _touchedAll = true;
                break;
            // What a descriptor that passes for sound calls metadata is nobody's content, and neither is what the journal has.
            case StructureKind.GroupDescriptor when isRepaired || !layout.Superblock.HasGroupChecksums:
            case StructureKind.Inode or StructureKind.ExtentBlock or StructureKind.PointerBlock
                when structure.Owner == layout.Superblock.JournalInode || layout.IsAttributeValue(structure.Owner):
                _touchedAll = true;
                break;
            case StructureKind.GroupDescriptor:
                for (uint index = 1; index <= layout.Superblock.InodesPerGroup; index++)
                    _touched.Add((structure.Owner * layout.Superblock.InodesPerGroup) + index);
                break;
            case StructureKind.AttributeBlock:
                _touched.UnionWith(layout.UsersOfAttributes(structure.Offset));
                break;
            default:
                _touched.Add(structure.Owner);
                break;
        }

        if (isStale && layout.Superblock.HasMetadataChecksums && IsWhollyCovered(structure))
            _complaining.Add(structure.Owner);
    }

    // Nobody looks at the rest of an index or of the journal; an inode without mode and links is a free one.
    private bool IsWhollyCovered(Structure structure) => structure.Kind switch
    {
        StructureKind.Inode => patch.Read(structure.Offset, 2) != 0 || patch.Read(structure.Offset + 0x1a, 2) != 0,
        StructureKind.ExtentBlock => patch.Changes.All(change => change.Offset - structure.Offset < 12 + (12 * ((structure.Length - 16) / 12))),
        StructureKind.DirectoryLeaf or StructureKind.AttributeBlock => true,
        _ => false,
    };
}
