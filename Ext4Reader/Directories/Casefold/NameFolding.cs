using System.Buffers.Text;
using System.Text;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Directories.Casefold;

/// <summary>
/// The form in which names of casefolded directories are compared and hashed: letters folded, composed ones taken apart, marks in canonical
/// order, what nobody sees left out (encoding utf8-12.1).
/// </summary>
internal static class NameFolding
{
    /// <summary>Room for every name's form: no letter becomes more than three times as long.</summary>
    internal const int MaximumLength = 3 * 255;

    // A name has at most 255 code points, or fewer longer ones; none of them becomes more than three for each two bytes.
    private const int MostPoints = 384;

    // Stands for a code point that is left out: marks are not moved across it.
    private const uint Nothing = uint.MaxValue;

    private const int PointSize = 3;
    private const int ClassSize = 4;
    private const int EntrySize = 5;

    private static readonly byte[] Classes = Decode(FoldingTable.Classes);
    private static readonly byte[] Entries = Decode(FoldingTable.Entries);
    private static readonly byte[] Pool = Decode(FoldingTable.Pool);

    /// <summary>Writes the form of a name.</summary>
    /// <param name="name">The name, of at most 255 bytes.</param>
    /// <param name="destination">Room for <see cref="MaximumLength"/> bytes.</param>
    /// <param name="length">The form's length.</param>
    /// <returns>False if the name is not UTF-8: such names are compared as they are.</returns>
    internal static bool TryFold(ReadOnlySpan<byte> name, Span<byte> destination, out int length)
    {
        length = 0;
        Span<uint> points = stackalloc uint[MostPoints];
        int count = 0;
        while (!name.IsEmpty)
        {
            if (name[0] < 0x80)
            {
                byte letter = name[0];
                points[count++] = letter is >= (byte)'A' and <= (byte)'Z' ? letter | 0x20u : letter;
                name = name[1..];
                continue;
            }

            if (Rune.DecodeFromUtf8(name, out Rune rune, out int consumed) != System.Buffers.OperationStatus.Done)
                return false;
            count += Append((uint)rune.Value, points[count..]);
            name = name[consumed..];
        }

        points = points[..count];
        PutInOrder(points);
        foreach (uint point in points)
        {
            if (point != Nothing)
                length += new Rune(point).EncodeToUtf8(destination[length..]);
        }

        return true;
    }

    private static int Append(uint point, Span<uint> points)
    {
        if (point is >= 0xac00 and < 0xd7a4)
            return AppendSyllable(point - 0xac00, points);
        if (point is >= 0xe0000 and < 0xe1000)
        {
            points[0] = Nothing;
            return 1;
        }

        int index = Last(Entries, EntrySize, point);
        if (index < 0 || Point(Entries, index * EntrySize) != point)
        {
            points[0] = point;
            return 1;
        }

        int start = LittleEndian.U16(Entries, index * EntrySize + PointSize);
        int end = LittleEndian.U16(Entries, (index + 1) * EntrySize + PointSize);
        for (int at = start; at < end; at++)
            points[at - start] = Point(Pool, at * PointSize);
        if (end > start)
            return end - start;
        points[0] = Nothing;
        return 1;
    }

    /// <summary>Takes a Hangul syllable apart: 19 initial consonants by 21 vowels by 27 final consonants or none.</summary>
    private static int AppendSyllable(uint index, Span<uint> points)
    {
        (uint pair, uint final) = Math.DivRem(index, 28);
        (points[0], points[1]) = (0x1100 + pair / 21, 0x1161 + pair % 21);
        if (final == 0)
            return 2;
        points[2] = 0x11a7 + final;
        return 3;
    }

    /// <summary>Sorts each run of marks by combining class; marks of equal class keep their order.</summary>
    private static void PutInOrder(Span<uint> points)
    {
        for (int next = 1; next < points.Length; next++)
        {
            int combining = Class(points[next]);
            if (combining == 0)
                continue;
            for (int index = next; index > 0 && Class(points[index - 1]) > combining; index--)
                (points[index], points[index - 1]) = (points[index - 1], points[index]);
        }
    }

    private static int Class(uint point)
    {
        if (point < 0x300 || point == Nothing)
            return 0;
        int index = Last(Classes, ClassSize, point);
        return index < 0 ? 0 : Classes[index * ClassSize + PointSize];
    }

    /// <summary>The last record whose code point is not above the one wanted; -1 if none is.</summary>
    private static int Last(ReadOnlySpan<byte> table, int size, uint point)
    {
        int low = 0;
        int high = table.Length / size;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (Point(table, middle * size) <= point)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    private static uint Point(ReadOnlySpan<byte> table, int at) => LittleEndian.U16(table, at) | (uint)table[at + 2] << 16;

    private static byte[] Decode(ReadOnlySpan<byte> base64)
    {
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        Base64.DecodeFromUtf8(base64, bytes, out _, out int length);
        return bytes[..length];
    }
}
