using System.Text;
using BenchmarkDotNet.Attributes;
using Ext4Reader;
using TestSupport;

namespace Benchmarks.Pieces;

/// <summary>What the reader does for most requests, blocks of metadata being in its cache.</summary>
[MemoryDiagnoser]
public class ImageBenchmarks
{
    private const int Blocks = 28600; // runs of the file /deep, one block each, each followed by a hole
    private const int BlockSize = 1024;

    private readonly byte[] _name = Encoding.ASCII.GetBytes(new string('0', 247) + "777");
    private readonly byte[] _content = new byte[16];
    private Ext4Image _deep = null!;
    private Ext4Image _wide = null!;
    private Inode _file;
    private Inode _directory;
    private uint _number;
    private int _position;

    [GlobalSetup]
    public void Setup()
    {
        _deep = Ext4Image.Open(Images.Get("deep-extents"));
        _wide = Ext4Image.Open(Images.Get("htree-two-levels"));
        _file = Find(_deep, "deep"u8);
        _directory = Find(_wide, "big"u8);
        if (!_wide.TryLookup(_directory, _name, out _number))
            throw new InvalidOperationException("no such name in the image");
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _deep.Dispose();
        _wide.Dispose();
    }

    /// <summary>An extent among 28,600 in a tree of depth 3, each time another, and the hole behind it: two searches.</summary>
    [Benchmark]
    public long FindExtent()
    {
        _position = (_position + 7919) % Blocks; // a prime: no two searches after each other end in the same leaf
        return _deep.SeekHole(_file, (long)_position * 2 * BlockSize);
    }

    /// <summary>The same, and 16 bytes from it, which the system has in its page cache.</summary>
    [Benchmark]
    public int ReadFromExtent()
    {
        _position = (_position + 7919) % Blocks;
        return _deep.Read(_file, (long)_position * 2 * BlockSize, _content);
    }

    /// <summary>A name of 250 bytes among 1,200, by an index of two levels.</summary>
    [Benchmark]
    public bool LookUpByIndex() => _wide.TryLookup(_directory, _name, out _);

    /// <summary>Group descriptor, checksum and all fields of an inode.</summary>
    [Benchmark]
    public bool ReadInode() => _wide.TryGetInode(_number, out _);

    private static Inode Find(Ext4Image image, ReadOnlySpan<byte> name) =>
        image.TryLookup(image.GetRoot(), name, out uint number) && image.TryGetInode(number, out Inode inode)
            ? inode
            : throw new InvalidOperationException("no such name in the image");
}
