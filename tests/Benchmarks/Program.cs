using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Benchmarks;

/// <summary>Measures: pieces of the program by themselves, or whole mounts beside each other.</summary>
internal static class Program
{
    private const string Usage = """
        usage: dotnet run -c Release --project tests/Benchmarks -- VERB
          pieces [OPTION…]     pieces of the request path, in nanoseconds and allocated bytes; takes BenchmarkDotNet's options, as --job short --filter '*Lookup*'
        """;

    private static int Main(string[] arguments) => arguments switch
    {
        ["pieces", .. var options] => MeasurePieces(options),
        _ => Fail(),
    };

    // In this process: the generated projects that BenchmarkDotNet would build otherwise inherit this repository's rules and break them.
    private static int MeasurePieces(string[] options)
    {
        IConfig config = ManualConfig.Create(DefaultConfig.Instance)
            .WithOptions(ConfigOptions.JoinSummary)
            .WithArtifactsPath(Path.Combine(TestSupport.Repository.Root, "artifacts", "benchmarks"));
        string[] where = options.Contains("--filter") ? [] : ["--filter", "*"];
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run([.. options, .. where, "--inProcess"], config);
        return 0;
    }

    private static int Fail()
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }
}
