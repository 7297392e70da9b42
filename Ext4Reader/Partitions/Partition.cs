namespace Ext4Reader.Partitions;

/// <summary>A partition that lies within its disk.</summary>
public sealed record Partition
{
    /// <summary>
    /// The number that Linux gives it: the entry's place in the table, from 1; logical partitions count on from 5 in the order of their chain.
    /// </summary>
    public required int Number { get; init; }

    /// <summary>The first byte on the disk.</summary>
    public required long Start { get; init; }

    /// <summary>Length in bytes, greater than 0.</summary>
    public required long Length { get; init; }

    /// <summary>The kind of table that it comes from.</summary>
    public required PartitionTableKind Kind { get; init; }

    /// <summary>What the table says is in it: two hexadecimal digits (MBR) or a GUID (GPT), in lower case.</summary>
    public required string Type { get; init; }

    /// <summary>The name in the table; empty if it has none, and always with an MBR.</summary>
    public string Name { get; init; } = "";

    /// <summary>
    /// What Linux calls PARTUUID: the partition's GUID, or the MBR's disk signature and the partition's number (<c>1234abcd-05</c>). Null where
    /// an MBR has no signature.
    /// </summary>
    public string? Uuid { get; init; }

    /// <summary>The ext2, ext3 or ext4 filesystem that begins in it, or null.</summary>
    public ExtSignature? Filesystem { get; init; }

    /// <summary>Words for <see cref="Type"/> where it is a common one; otherwise the type itself.</summary>
    public string TypeName => PartitionTypes.NameOf(Type);
}
