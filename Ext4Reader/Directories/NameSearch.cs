using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories;

/// <summary>Finds a name among the entries of one directory block.</summary>
internal static class NameSearch
{
    internal static bool TryFind(ReadOnlySpan<byte> raw, scoped in WantedName name, uint directory, Superblock superblock, out uint inodeNumber)
    {
        var block = new DirectoryBlock(raw, directory, superblock.InodeCount);
        int offset = 0;
        int at = 0;
        while (block.TryNext(ref offset, out DirectoryEntry entry))
        {
            if (entry.InodeNumber != 0 && name.Matches(block.Name(at, entry)))
            {
                inodeNumber = entry.InodeNumber;
                return true;
            }

            at = offset;
        }

        inodeNumber = 0;
        return false;
    }
}
