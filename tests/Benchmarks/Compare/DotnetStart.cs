using System.Diagnostics;
using TestSupport;

namespace Benchmarks.Compare;

/// <summary>
/// The least that a mount by two .NET processes can take, one of which starts the other: the runtime, twice, and nothing else.
/// </summary>
internal sealed class DotnetStart : IDisposable
{
    /// <summary>The argument with which this program does nothing.</summary>
    public const string Verb = "nothing";

    private readonly ScratchFolder _folder = new();
    private readonly string _program;

    public DotnetStart()
    {
        // Alone in a folder: a program without packages has no list of them to be read first.
        string own = typeof(DotnetStart).Assembly.Location;
        _program = Path.Combine(_folder.Path, Path.GetFileName(own));
        File.Copy(own, _program);
        File.Copy(Path.ChangeExtension(own, "runtimeconfig.json"), Path.ChangeExtension(_program, "runtimeconfig.json"));
    }

    /// <summary>Seconds for both.</summary>
    public double Measure()
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 2; i++)
        {
            using Process process = TestSupport.Command.Start(null, Path.Combine(FuseServer.Environment["DOTNET_ROOT"]!, "dotnet"), _program, Verb);
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"the program that does nothing ended with {process.ExitCode}: {process.StandardError.ReadToEnd()}");
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _folder.Dispose();
}
