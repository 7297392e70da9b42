namespace Ext4Reader.Storage;

/// <summary>
/// Tokens for what a cached block was checked as, and for whom. The image does not change while it is open, so an
/// inode number stands for one generation.
/// </summary>
internal static class Verification
{
    internal static ulong ExtentNode(uint inode) => 1UL << 32 | inode;

    internal static ulong DirectoryLeaf(uint inode) => 2UL << 32 | inode;

    internal static ulong DirectoryIndex(uint inode) => 3UL << 32 | inode;

    internal static ulong AttributeBlock => 4UL << 32;
}
