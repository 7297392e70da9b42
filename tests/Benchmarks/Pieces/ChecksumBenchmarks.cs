using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using BenchmarkDotNet.Attributes;
using Ext4Reader.OnDisk;

namespace Benchmarks.Pieces;

/// <summary>CRC-32C of an inode and of a block, against the bare instruction.</summary>
[MemoryDiagnoser]
public class ChecksumBenchmarks
{
    private readonly byte[] _bytes = new byte[4096];

    /// <summary>Bytes.</summary>
    [Params(256, 4096)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Setup() => new Random(1).NextBytes(_bytes);

    [Benchmark]
    public uint Crc32cOfBytes() => Crc32c.Append(Crc32c.Start, _bytes.AsSpan(0, Length));

    /// <summary>One chain of the instruction, each waiting for the one before: what a loop can reach without interleaving.</summary>
    [Benchmark]
    public uint Instruction()
    {
        ulong crc = Crc32c.Start;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(_bytes.AsSpan(0, Length)))
            crc = Sse42.X64.Crc32(crc, word);
        return unchecked((uint)crc);
    }
}
