using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fuse4fs.State;

/// <summary>Text as plain data of a fixed size, so that it can lie in the state. The default is no text.</summary>
internal struct ShortText : IEquatable<ShortText>
{
    /// <summary>The most bytes in UTF-8: more than twice the longest name that a partition can have.</summary>
    public const int Capacity = 255;

    private byte _length;
    private Bytes _bytes;

    /// <summary>Whether there is no text.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>Stores a text; false if it is too long.</summary>
    public static bool TryFrom(string text, out ShortText result)
    {
        result = default;
        if (!Encoding.UTF8.TryGetBytes(text, result._bytes, out int length))
            return false;
        result._length = (byte)length;
        return true;
    }

    /// <inheritdoc/>
    public override readonly string ToString() => Encoding.UTF8.GetString(Written);

    /// <inheritdoc/>
    public readonly bool Equals(ShortText other) => Written.SequenceEqual(other.Written);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is ShortText other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    [UnscopedRef]
    private readonly ReadOnlySpan<byte> Written => ((ReadOnlySpan<byte>)_bytes)[.._length];

    [InlineArray(Capacity)]
    private struct Bytes
    {
        private byte _first;
    }
}
