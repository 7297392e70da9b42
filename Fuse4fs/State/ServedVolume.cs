using System.Runtime.InteropServices;

namespace Fuse4fs.State;

/// <summary>What is served with less than all that the image has.</summary>
[Flags]
internal enum Limitations : uint
{
    /// <summary>Nothing is missing.</summary>
    None = 0,

    /// <summary>The feature encrypt: names in the kernel's no-key form, no contents.</summary>
    EncryptedWithoutKeys = 1,

    /// <summary>The journal needs replay and is not replayed, by the user's wish.</summary>
    NotRecovered = 2,

    /// <summary>The feature verity: contents are not checked against their Merkle trees unless asked for.</summary>
    VerityUnchecked = 4,

    /// <summary>Inodes too small for a birth time: a reused number of generation 0 is not told apart from the file before.</summary>
    NoBirthTimes = 8,
}

/// <summary>What a worker found in the image, for status. Words from the image: not to be trusted, only shown.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct ServedVolume
{
    /// <summary>The filesystem's label.</summary>
    public ShortText Label;

    /// <summary>What is served with limits.</summary>
    public Limitations Limitations;
}

/// <summary>When the last worker reached what on its way to the first answer, in ticks of the monotonic clock (<c>Stopwatch</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct Milestones
{
    /// <summary>The runtime has started.</summary>
    public long Runtime;

    /// <summary>The sandbox is entered.</summary>
    public long Contained;

    /// <summary>The image is read and found good.</summary>
    public long Opened;

    /// <summary>The caches' attributes and names are called in question where need be: the first request can be answered.</summary>
    public long Serving;
}
