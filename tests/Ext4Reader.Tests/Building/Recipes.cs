namespace Ext4Reader.Tests.Building;

/// <summary>The images most tests use.</summary>
internal static class Recipes
{
    public const string Ext4 = "-t ext4 -O ^has_journal,metadata_csum_seed -b 1024 -I 256 -N 1024";

    /// <summary>ext4 with all checksums, 1 KiB blocks, and an extended attribute in the inode, in a block, and ACLs.</summary>
    public static readonly ImageRecipe Standard = new(Ext4, SourceTree.Standard, Reindexed: true, Edits:
    [
        "ea_set /attributes/file user.small value",
        "ea_set /attributes/file trusted.large " + new string('l', 300),
        "ea_set /attributes/file security.empty \"\"",
        "mknod old-device c 1 3",
        "mknod pipe p",
        "sif /attributes/file mtime @4294967295",
    ]);

    /// <summary>A directory with an index of one level, by half_md4.</summary>
    public static readonly ImageRecipe Indexed = new(Ext4 + " -N 2048", SourceTree.ManyNames(700), Reindexed: true);

    /// <summary>The same names without an index.</summary>
    public static readonly ImageRecipe Unindexed = new(Ext4 + " -N 2048", SourceTree.ManyNames(700));

    /// <summary>ext2 as its block maps need it: no extents, no checksums.</summary>
    public static readonly ImageRecipe Ext2 = new("-t ext2 -b 1024 -I 128 -N 1024", SourceTree.Standard, Mebibytes: 16);

    /// <summary>No dir_index: cookies are byte offsets.</summary>
    public static readonly ImageRecipe Linear = new("-t ext4 -O ^dir_index,^has_journal -b 1024 -N 2048", SourceTree.ManyNames(700));
}
