using System.Collections.ObjectModel;
using System.Globalization;

namespace Ext4Reader.OnDisk;

/// <summary>Features an older reader may ignore altogether.</summary>
[Flags]
internal enum CompatibleFeatures : uint
{
    None = 0,
    HasJournal = 0x4,
    DirectoryIndex = 0x20,
    SparseSuperblocks2 = 0x200,
    OrphanFile = 0x1000,
}

/// <summary>Features a reader must know.</summary>
[Flags]
internal enum IncompatibleFeatures : uint
{
    None = 0,
    FileType = 0x2,
    NeedsRecovery = 0x4,
    JournalDevice = 0x8,
    MetaBlockGroups = 0x10,
    Extents = 0x40,
    SixtyFourBit = 0x80,
    MultipleMountProtection = 0x100,
    FlexibleGroups = 0x200,
    AttributeInodes = 0x400,
    ChecksumSeed = 0x2000,
    LargeDirectory = 0x4000,
    InlineData = 0x8000,
    Encryption = 0x10000,
    Casefold = 0x20000,
}

/// <summary>Features only a writer must know.</summary>
[Flags]
internal enum ReadOnlyFeatures : uint
{
    None = 0,
    SparseSuperblocks = 0x1,
    HugeFile = 0x8,
    GroupChecksums = 0x10,
    Quota = 0x100,
    BigAllocation = 0x200,
    MetadataChecksums = 0x400,
    Project = 0x2000,
    Verity = 0x8000,
    OrphanPresent = 0x10000,
}

/// <summary>The three feature words of a superblock, and what this library can do with them.</summary>
internal readonly record struct Features(CompatibleFeatures Compatible, IncompatibleFeatures Incompatible, ReadOnlyFeatures ReadOnly)
{
    // A feature missing here changes the layout in a way that is not read yet.
    private const IncompatibleFeatures Readable = IncompatibleFeatures.FileType | IncompatibleFeatures.NeedsRecovery
        | IncompatibleFeatures.Extents | IncompatibleFeatures.SixtyFourBit | IncompatibleFeatures.FlexibleGroups
        | IncompatibleFeatures.ChecksumSeed | IncompatibleFeatures.LargeDirectory | IncompatibleFeatures.MetaBlockGroups
        | IncompatibleFeatures.InlineData | IncompatibleFeatures.AttributeInodes | IncompatibleFeatures.MultipleMountProtection
        | IncompatibleFeatures.Encryption | IncompatibleFeatures.Casefold;

    private static readonly string?[] CompatibleNames =
    [
        "dir_prealloc", "imagic_inodes", "has_journal", "ext_attr", "resize_inode", "dir_index", "lazy_bg", null,
        "snapshot_bitmap", "sparse_super2", "fast_commit", "stable_inodes", "orphan_file",
    ];

    private static readonly string?[] IncompatibleNames =
    [
        "compression", "filetype", "needs_recovery", "journal_dev", "meta_bg", null, "extent", "64bit",
        "mmp", "flex_bg", "ea_inode", null, "dirdata", "metadata_csum_seed", "large_dir", "inline_data",
        "encrypt", "casefold",
    ];

    private static readonly string?[] ReadOnlyNames =
    [
        "sparse_super", "large_file", null, "huge_file", "uninit_bg", "dir_nlink", "extra_isize", "snapshot",
        "quota", "bigalloc", "metadata_csum", "replica", "read-only", "project", "shared_blocks", "verity",
        "orphan_present",
    ];

    internal bool Has(CompatibleFeatures feature) => (Compatible & feature) != 0;

    internal bool Has(IncompatibleFeatures feature) => (Incompatible & feature) != 0;

    internal bool Has(ReadOnlyFeatures feature) => (ReadOnly & feature) != 0;

    /// <summary>The names, as e2fsprogs spells them, of all features that are set.</summary>
    internal ReadOnlyCollection<string> Names() => Names((uint)Compatible, (uint)Incompatible, (uint)ReadOnly);

    /// <summary>The names of those features without which the image cannot be read correctly. Those that only a writer must know are none.</summary>
    internal ReadOnlyCollection<string> UnreadableNames() => Names(0, (uint)(Incompatible & ~Readable), 0);

    private static ReadOnlyCollection<string> Names(uint compatible, uint incompatible, uint readOnly)
    {
        var names = new List<string>();
        Add(names, compatible, CompatibleNames, 'C');
        Add(names, incompatible, IncompatibleNames, 'I');
        Add(names, readOnly, ReadOnlyNames, 'R');
        return names.AsReadOnly();
    }

    private static void Add(List<string> names, uint word, string?[] known, char kind)
    {
        for (int bit = 0; bit < 32; bit++)
        {
            if ((word >> bit & 1) == 0)
                continue;
            string? name = bit < known.Length ? known[bit] : null;
            names.Add(name ?? string.Create(CultureInfo.InvariantCulture, $"FEATURE_{kind}{bit}"));
        }
    }
}
