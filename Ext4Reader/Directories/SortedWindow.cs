namespace Ext4Reader.Directories;

/// <summary>
/// A part of a directory in key order: the names from one key on, as many as fit, each with the place of its entry.
/// </summary>
internal sealed class SortedWindow
{
    /// <summary>The most names in one window; a larger directory has several, each the fruit of a scan.</summary>
    internal const int MaximumNames = 1 << 19;

    internal required uint Directory { get; init; }

    internal required uint Generation { get; init; }

    /// <summary>The window has all names with keys above this one, up to <see cref="End"/>.</summary>
    internal required ulong After { get; init; }

    /// <summary>The last key that belongs to the window; the greatest there can be in a directory's last one.</summary>
    internal required ulong End { get; init; }

    /// <summary>Keys, ascending, all different.</summary>
    internal required ulong[] Keys { get; init; }

    /// <summary>Where the entries start in the directory, in units of four bytes.</summary>
    internal required uint[] Places { get; init; }

    internal bool Covers(uint directory, uint generation, ulong after) =>
        Directory == directory && Generation == generation && after >= After && after < End;
}
