using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Benchmarks.Compare;
using Benchmarks.Floor;
using Benchmarks.Scale;

namespace Benchmarks;

/// <summary>Measures: pieces of the program by themselves, whole mounts beside each other, or how costs grow.</summary>
internal static class Program
{
    private const string Usage = """
        usage: dotnet run -c Release --project tests/Benchmarks -- VERB
          pieces [OPTION…]     pieces of the request path, in nanoseconds and allocated bytes; takes BenchmarkDotNet's options, as --job short --filter '*Lookup*'
          compare [--quick] [--json] [--only ROW]
                               fuse4fs, the kernel's ext4, and what else is there, mounted on the same images: tables in Markdown, or JSON. As root; minutes.
                               --only: the mounts on which a row is measured whose name begins so
          scale [--json] [--only TABLE]
               how costs of fuse4fs grow with images, directories and known inodes: tables in Markdown, or JSON. As root; minutes
        """;

    // Nothing that is used by one verb only is to be loaded for another: one of them times the start of this program.
    private static int Main(string[] arguments) => arguments switch
    {
        [DotnetStart.Verb] => 0,
        ["pieces", .. var options] => MeasurePieces(options),
        ["compare", .. var options] => Comparison.Run(options),
        ["scale", .. var options] => ScaleRun.Run(options),
        ["floor", var image, var mountPoint, var tape] => FloorServer.Run(image, mountPoint, tape),
        _ => Fail(),
    };

    // In this process: the generated projects that BenchmarkDotNet would build otherwise inherit this repository's rules and break them.
    private static int MeasurePieces(string[] options)
    {
        IConfig config = ManualConfig.Create(DefaultConfig.Instance)
            .WithOptions(ConfigOptions.JoinSummary)
            .HideColumns(Column.Error, Column.Median)
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
