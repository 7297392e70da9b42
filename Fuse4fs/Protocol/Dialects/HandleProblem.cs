namespace Fuse4fs.Protocol.Dialects;

/// <summary>Why a message or a handle in it is not in the form that its dialect has.</summary>
internal enum HandleProblem
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The arguments end before they are all there.</summary>
    Truncated,

    /// <summary>A handle of size 0 in a place where there is one or nothing.</summary>
    Empty,

    /// <summary>A handle larger than was negotiated.</summary>
    TooLarge,

    /// <summary>Bytes behind the end of the last argument.</summary>
    Trailing,

    /// <summary>An extension whose size is not a multiple of 8, or less than its header.</summary>
    BadExtension,

    /// <summary>More than one handle.</summary>
    Repeated,

    /// <summary>A compound whose parts do not add up to it, or too many or none of them.</summary>
    BadCompound,
}
