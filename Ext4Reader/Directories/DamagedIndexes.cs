namespace Ext4Reader.Directories;

/// <summary>
/// The directories whose index a listing found damaged. Damage shows only where one looks, so without a memory one
/// page of a listing would go by the index and the next one not, and a misplaced name could fall between them.
/// Bounded: what is forgotten is found again.
/// </summary>
internal sealed class DamagedIndexes
{
    private const int Slots = 256;

    private readonly uint[] _directories = new uint[Slots];

    internal bool Contains(uint directory) => Volatile.Read(ref _directories[directory % Slots]) == directory;

    internal void Add(uint directory) => Volatile.Write(ref _directories[directory % Slots], directory);
}
