namespace Ext4Reader.Partitions;

/// <summary>No partition, or more than one, is what was asked for. The message lists what there is.</summary>
public sealed class PartitionChoiceException : Ext4Exception
{
    internal PartitionChoiceException(string message)
        : base(message)
    {
    }
}
