using BenchmarkDotNet.Attributes;
using Ext4Reader.Directories;
using Ext4Reader.OnDisk;

namespace Benchmarks.Pieces;

/// <summary>The hash of a name: the first step of a lookup in an indexed directory.</summary>
[MemoryDiagnoser]
public class NameHashBenchmarks
{
    private static readonly (uint, uint, uint, uint) Seed = (0xeef5f4f0, 0x00400000, 0x00000080, 0xcdab0000);

    private readonly NameHash _legacy = new(NameHashVersion.Legacy, IsUnsigned: false, Seed);
    private readonly NameHash _halfMd4 = new(NameHashVersion.HalfMd4, IsUnsigned: false, Seed);
    private readonly NameHash _tea = new(NameHashVersion.Tea, IsUnsigned: false, Seed);
    private readonly NameHash _folding = new(NameHashVersion.HalfMd4, IsUnsigned: false, Seed, IsFolding: true);
    private byte[] _name = [];

    /// <summary>Bytes of the name.</summary>
    [Params(12, 60)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup() => _name = [.. Enumerable.Range(0, Length).Select(i => (byte)('A' + (i % 26)))];

    [Benchmark]
    public uint Legacy() => _legacy.Compute(_name).Major;

    [Benchmark]
    public uint HalfMd4() => _halfMd4.Compute(_name).Major;

    [Benchmark]
    public uint Tea() => _tea.Compute(_name).Major;

    /// <summary>half_md4 of a name whose case does not matter.</summary>
    [Benchmark]
    public uint Casefolded() => _folding.Compute(_name).Major;
}
