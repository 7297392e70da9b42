namespace Ext4Reader;

/// <summary>Receives the entries of a directory, one by one.</summary>
public interface IDirectoryVisitor
{
    /// <summary>Takes an entry. False ends the listing, the entry not being taken.</summary>
    bool Visit(in ListedName entry);
}

/// <summary>An entry of a directory, valid during the visit.</summary>
public readonly ref struct ListedName
{
    internal ListedName(ReadOnlySpan<byte> name, uint inodeNumber, FileType type, ulong cookie)
    {
        Name = name;
        InodeNumber = inodeNumber;
        Type = type;
        Cookie = cookie;
    }

    /// <summary>1 to 255 bytes in no particular encoding, without '/' and NUL.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The inode's number: not above the inode count, but otherwise unchecked.</summary>
    public uint InodeNumber { get; }

    /// <summary>The type the entry records; unknown where entries have none.</summary>
    public FileType Type { get; }

    /// <summary>Where to go on after this entry: never 0, and below 2^63-1.</summary>
    public ulong Cookie { get; }
}
