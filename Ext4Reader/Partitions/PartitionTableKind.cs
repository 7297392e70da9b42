namespace Ext4Reader.Partitions;

/// <summary>How a disk is divided.</summary>
public enum PartitionTableKind
{
    /// <summary>Not at all: whatever is there begins at byte 0.</summary>
    None,

    /// <summary>By a master boot record, with logical partitions in a chain of extended boot records.</summary>
    Mbr,

    /// <summary>By a GUID partition table (UEFI specification, chapter 5).</summary>
    Gpt,
}
