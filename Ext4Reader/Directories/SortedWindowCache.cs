using System.Diagnostics.CodeAnalysis;

namespace Ext4Reader.Directories;

/// <summary>The windows used last, bounded in names. Reading takes no lock.</summary>
internal sealed class SortedWindowCache
{
    private const int Slots = 16;
    private const long MaximumNames = 2 * SortedWindow.MaximumNames;

    // Of windows that are being made, 50 bytes for each name: for all threads together.
    private const int MaximumInTheMaking = SortedWindow.MaximumNames;
    private const int LeastNames = 1 << 13;

    private readonly SortedWindow?[] _windows = new SortedWindow?[Slots];
    private readonly Lock _adding = new();
    private int _next;
    private int _inTheMaking;

    /// <summary>
    /// Says how large a window may be made now. When many threads make one at once, theirs are smaller: each then scans more often, but none
    /// waits for another one's scan. What was said must be given back.
    /// </summary>
    internal int Reserve(int names)
    {
        while (true)
        {
            int taken = Volatile.Read(ref _inTheMaking);
            int granted = Math.Min(names, Math.Max(LeastNames, (MaximumInTheMaking - taken) / 2));
            if (Interlocked.CompareExchange(ref _inTheMaking, taken + granted, taken) == taken)
                return granted;
        }
    }

    /// <summary>Gives back what <see cref="Reserve"/> said.</summary>
    internal void Release(int names) => Interlocked.Add(ref _inTheMaking, -names);

    internal bool TryGet(uint directory, uint generation, ulong after, [NotNullWhen(true)] out SortedWindow? window)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            window = Volatile.Read(ref _windows[slot]);
            if (window is not null && window.Covers(directory, generation, after))
                return true;
        }

        window = null;
        return false;
    }

    /// <summary>Adds a window, in place of the oldest ones.</summary>
    internal void Add(SortedWindow window)
    {
        lock (_adding)
        {
            _windows[_next] = null;
            long names = window.Keys.Length;
            foreach (SortedWindow? other in _windows)
                names += other?.Keys.Length ?? 0;
            for (int slot = _next + 1; names > MaximumNames && slot < _next + Slots; slot++)
            {
                names -= _windows[slot % Slots]?.Keys.Length ?? 0;
                Volatile.Write(ref _windows[slot % Slots], null);
            }

            Volatile.Write(ref _windows[_next], window);
            _next = (_next + 1) % Slots;
        }
    }
}
