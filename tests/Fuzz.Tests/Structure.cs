namespace Fuzz.Tests;

/// <summary>What lies at some place of an image.</summary>
internal enum StructureKind
{
    Superblock,
    GroupDescriptor,
    Inode,
    ExtentBlock,
    PointerBlock,
    DirectoryLeaf,
    IndexRoot,
    IndexNode,
    AttributeBlock,
    Journal,
}

/// <summary>A piece of metadata that a mutation may change.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Length">How long it is.</param>
/// <param name="Owner">The inode it belongs to; the group of a group descriptor; 0 for the superblock.</param>
internal sealed record Structure(StructureKind Kind, int Offset, int Length, uint Owner)
{
    public override string ToString() => $"{Kind} of {Owner} at {Offset:x}";
}
