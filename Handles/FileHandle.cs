using System.Globalization;

namespace Handles;

/// <summary>
/// A persistent name for an inode of one filesystem: it means the same file in every process, mount and year,
/// or nothing at all (it is stale), never another file that got the same inode number.
/// </summary>
/// <param name="Inode">Inode number, 1 to 2^32-1.</param>
/// <param name="Generation">
/// What tells one use of the inode number from the next: <c>i_generation</c>, or, where that is 0, what
/// <see cref="Of"/> makes of the birth time. 0 means that the inode has neither.
/// </param>
public readonly record struct FileHandle(uint Inode, uint Generation)
{
    /// <summary>The root directory's: its number alone, whatever generation the image gives it. Were its handle to change, a mount would be lost.</summary>
    public static readonly FileHandle Root = new(Inode: 2, Generation: 0);

    /// <summary>The handle of an inode as its image describes it.</summary>
    /// <param name="inode">Inode number.</param>
    /// <param name="generation">The raw <c>i_generation</c>.</param>
    /// <param name="rawBirthTime">
    /// <c>i_crtime | i_crtime_extra &lt;&lt; 32</c>, or 0 where the inode has no birth time. It stands in for a generation of 0,
    /// which is what <c>mke2fs -d</c> and debugfs give to everything they make. Limits: 128-byte inodes of generation 0 have
    /// nothing to tell them apart, and neither have two births by those tools within one second.
    /// </param>
    public static FileHandle Of(uint inode, uint generation, ulong rawBirthTime) =>
        new(inode, generation != 0 || rawBirthTime == 0 ? generation : StandIn(rawBirthTime));

    /// <summary>Parses the text form: the inode number in decimal, a colon, eight hexadecimal digits of generation.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out FileHandle handle)
    {
        handle = default;
        int colon = text.IndexOf(':');
        if (colon <= 0 || text.Length - colon - 1 != 8)
            return false;
        if (!uint.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out uint inode) || inode == 0)
            return false;
        if (!uint.TryParse(text[(colon + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint generation))
            return false;
        handle = new FileHandle(inode, generation);
        return true;
    }

    /// <summary>The text form, for example <c>12:1a2b3c4d</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Inode}:{Generation:x8}");

    // Handles made by one version must mean the same to every later one: this function is part of the format and never changes.
    // It is the 64-bit finalizer of MurmurHash3, folded; 0 is kept for "no generation".
    private static uint StandIn(ulong rawBirthTime)
    {
        unchecked // arithmetic modulo 2^64 is the function
        {
            ulong h = rawBirthTime;
            h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdUL;
            h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53UL;
            h ^= h >> 33;
            uint folded = (uint)(h ^ (h >> 32));
            return folded == 0 ? 1 : folded;
        }
    }
}
