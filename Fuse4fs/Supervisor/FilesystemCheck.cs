using System.Text;
using Fuse4fs.Device;

namespace Fuse4fs.Supervisor;

/// <summary>e2fsck, or a command of the administrator's, at work on the image while no worker reads it.</summary>
internal sealed class FilesystemCheck : IDisposable
{
    private const int MostOutput = 64 * 1024;

    private readonly ChildProcess _process;
    private readonly StringBuilder _output = new();
    private readonly bool _isFsck;

    private FilesystemCheck(ChildProcess process, Descriptor words, bool isFsck)
    {
        _process = process;
        Words = words;
        _isFsck = isFsck;
    }

    /// <summary>Readable when it has said something, and when it has ended.</summary>
    public Descriptor Words { get; }

    /// <summary>What it has said: the first 64 KiB.</summary>
    public string Output => _output.ToString();

    /// <summary>Starts e2fsck.</summary>
    /// <param name="image">The image's absolute path.</param>
    /// <param name="offset">Where the filesystem starts in it, in bytes.</param>
    /// <param name="arguments">e2fsck's arguments, in front of the image; none for -p.</param>
    public static FilesystemCheck StartFsck(string image, long offset, IReadOnlyList<string> arguments) =>
        // "?offset=" is how libext2fs takes a filesystem inside of a file (unix_io, see e2fsck's and mke2fs's -E offset).
        Start([Program(), .. arguments is [] ? ["-p"] : arguments, offset == 0 ? image : $"{image}?offset={offset}"], isFsck: true);

    /// <summary>Starts a command of the user's by the shell, the image's path in <c>$IMAGE</c>.</summary>
    public static FilesystemCheck StartCommand(string command, string image) =>
        Start(["/bin/sh", "-c", command], isFsck: false, "IMAGE=" + image);

    /// <summary>Takes what there is to read. False when it has ended.</summary>
    public bool Read()
    {
        Span<byte> buffer = stackalloc byte[4096];
        int count = Words.Read(buffer, out _);
        if (count <= 0)
            return false;
        if (_output.Length < MostOutput)
            _output.Append(Encoding.UTF8.GetString(buffer[..count]));
        return true;
    }

    /// <summary>After the end: null when the image may be served, otherwise why not (e2fsck(8), EXIT CODE).</summary>
    public string? Verdict()
    {
        _ = _process.HasEnded(milliseconds: 5000);
        int code = _process.ExitCode;
        if (!_isFsck)
            return code == 0 ? null : $"the command ended with {_process.DescribeEnd()}";
        return code switch
        {
            < 4 => null, // 0 clean, 1 errors corrected, 2 corrected and a reboot advised, which is for mounted filesystems
            _ when (code & 4) != 0 => "e2fsck left errors uncorrected; run it by hand (e2fsck -f), then fuse4fs resume",
            _ when (code & 8) != 0 => "e2fsck could not do its work (exit 8); see its words",
            _ when (code & 16) != 0 => "e2fsck did not understand its arguments (exit 16)",
            _ when (code & 32) != 0 => "e2fsck was cancelled (exit 32)",
            _ => $"e2fsck ended with {_process.DescribeEnd()}",
        };
    }

    /// <summary>What e2fsck's or the command's exit code was.</summary>
    public int ExitCode => _process.ExitCode;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasEnded())
            _process.Kill();
        Words.Dispose();
    }

    // Where it lives is not on everybody's PATH.
    private static string Program() => Array.Find(["/usr/sbin/e2fsck", "/sbin/e2fsck", "/usr/local/sbin/e2fsck"], File.Exists) ?? "e2fsck";

    private static FilesystemCheck Start(string[] command, bool isFsck, params string[] more)
    {
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        try
        {
            return new FilesystemCheck(ChildProcess.Start(command, [.. ChildProcess.OwnEnvironment(), .. more], [(speaker, 1), (speaker, 2)], newSession: true), words, isFsck);
        }
        catch
        {
            words.Dispose();
            throw;
        }
        finally
        {
            speaker.Dispose();
        }
    }
}
