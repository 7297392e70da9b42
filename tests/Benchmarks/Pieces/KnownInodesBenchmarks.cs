using BenchmarkDotNet.Attributes;
using Fuse4fs.State;
using Handles;

namespace Benchmarks.Pieces;

/// <summary>The table of what was named to the kernel: each LOOKUP and each name of READDIRPLUS adds to it.</summary>
[MemoryDiagnoser]
public class KnownInodesBenchmarks
{
    private const int TableBytes = 64 << 20;
    private const int Batch = 100_000;

    private SessionState _state = null!;
    private uint _number;

    /// <summary>How many inodes are in the table before.</summary>
    [Params(1_000, 1_000_000)]
    public uint Known { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _state = SessionState.Create(default, TableBytes);
        for (uint number = 1; number <= Known; number++)
            _state.Known.Add(new FileHandle(number, number * 7), out _);
    }

    [GlobalCleanup]
    public void Cleanup() => _state.Dispose();

    /// <summary>An inode that is there already, each time another.</summary>
    [Benchmark]
    public bool AddKnown()
    {
        _number = (_number + 7919) % Known;
        return _state.Known.Add(new FileHandle(_number + 1, (_number + 1) * 7), out _);
    }

    /// <summary>Inodes that are not, into a fresh table: untouched pages included.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public bool AddNew()
    {
        using SessionState fresh = SessionState.Create(default, TableBytes);
        bool isNew = false;
        for (uint number = 1; number <= Batch; number++)
            isNew = fresh.Known.Add(new FileHandle(number, Known), out _);
        return isNew;
    }
}
