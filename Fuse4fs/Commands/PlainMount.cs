using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>
/// <c>mount IMAGE MOUNTPOINT [-o OPTIONS]…</c>, as mount(8) has it, read without the command-line library: building and using that takes a start longer than
/// the runtime itself does, and a mount in the background has two of them. Everything else, help and mistakes included, is the library's.
/// </summary>
internal static class PlainMount
{
    private const string OptionsFlag = "-o";

    /// <summary>Whether a command line is of this form.</summary>
    public static bool Is(ReadOnlySpan<string> arguments) => TrySplit(arguments, [], []);

    /// <summary>The request; null for a command line that is not of this form.</summary>
    /// <exception cref="UsageException">It is, but one of the words behind -o means nothing.</exception>
    public static MountRequest? TryRead(ReadOnlySpan<string> arguments)
    {
        var operands = new List<string>();
        var options = new List<string>();
        return TrySplit(arguments, operands, options)
            ? MountOptions.Apply(new MountRequest { Image = operands[0], MountPoint = operands[1] }, options)
            : null;
    }

    private static bool TrySplit(ReadOnlySpan<string> arguments, List<string> operands, List<string> options)
    {
        if (arguments is not ["mount", ..])
            return false;
        for (int i = 1; i < arguments.Length; i++)
        {
            bool isFlag = arguments[i] == OptionsFlag;
            if (isFlag && ++i == arguments.Length)
                return false;
            string word = arguments[i];
            // Flags, files with more arguments, and directives of the library.
            if (word.Length == 0 || word[0] is '-' or '@' or '[')
                return false;
            (isFlag ? options : operands).Add(word);
        }
        return operands.Count == 2;
    }
}
