using System.Text;

namespace EndToEnd.Tests.Recovery;

/// <summary>Contents that tell whose they are: each line of a file has its name.</summary>
internal static class OwnText
{
    public const int Size = 200_000;

    /// <summary>A shell function: <c>own NAME</c> prints them.</summary>
    public const string Function = "own() { yes \"$1 has lines that are its own\" | head -c 200000; }\n";

    /// <summary>What is in the file of this name.</summary>
    public static string Of(string name)
    {
        string line = name + " has lines that are its own\n";
        return new StringBuilder().Insert(0, line, (Size / line.Length) + 1).ToString(0, Size);
    }

    /// <summary>Bytes of a file as text.</summary>
    public static string Text(byte[] bytes) => Encoding.Latin1.GetString(bytes);
}
