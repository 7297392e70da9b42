using System.Buffers.Binary;
using System.Text;
using BenchmarkDotNet.Attributes;
using Ext4Reader.Directories;
using Ext4Reader.OnDisk;
using Fuse4fs.Protocol;
using TestSupport;

namespace Benchmarks.Pieces;

/// <summary>A full directory block of 4 KiB: finding a name in it, and packing its names into a reply.</summary>
[MemoryDiagnoser]
public class DirectoryBlockBenchmarks
{
    private const int NameLength = 16;
    private const int RecordLength = 24;
    private const int Names = BlockSize / RecordLength;
    private const int BlockSize = 4096;
    private const uint DirectoryInode = 12;

    private readonly byte[] _block = new byte[BlockSize];
    private readonly byte[] _payload = new byte[64 * 1024];
    private readonly byte[] _last = NameOf(Names - 1);
    private readonly byte[] _absent = Encoding.ASCII.GetBytes("entry-00000absnt");
    private Superblock _superblock = null!;

    [GlobalSetup]
    public void Setup()
    {
        byte[] raw = new byte[Superblock.Size];
        using (FileStream image = File.OpenRead(Images.Get("ext4")))
        {
            image.Position = Superblock.Offset;
            image.ReadExactly(raw);
        }
        _superblock = Superblock.Parse(raw);
        for (int i = 0; i < Names; i++)
            WriteEntry(_block.AsSpan(i * RecordLength), i, i == Names - 1 ? BlockSize - (i * RecordLength) : RecordLength);
        if (!FindLast() || FindAbsent() || FillReadDirPlus() < Names * 128)
            throw new InvalidOperationException("the block is not what it was made as");
    }

    /// <summary>The worst place of a name that is there: the last of 170.</summary>
    [Benchmark]
    public bool FindLast() => NameSearch.TryFind(_block, WantedName.Exact(_last), DirectoryInode, _superblock, out _);

    [Benchmark]
    public bool FindAbsent() => NameSearch.TryFind(_block, WantedName.Exact(_absent), DirectoryInode, _superblock, out _);

    /// <summary>All names of the block as READDIRPLUS wants them, inodes not counted.</summary>
    [Benchmark]
    public int FillReadDirPlus()
    {
        var block = new DirectoryBlock(_block, DirectoryInode, _superblock.InodeCount);
        var writer = new DirectoryWriter(_payload, plus: true);
        var attributes = new EntryOut { NodeId = 1 };
        int at = 0;
        for (int offset = 0; block.TryNext(ref offset, out DirectoryEntry entry); at = offset)
        {
            ReadOnlySpan<byte> name = block.Name(at, entry);
            if (!writer.HasRoomFor(name.Length))
                break;
            writer.Add(attributes, entry.InodeNumber, (ulong)offset, type: 8, name);
        }
        return writer.Count;
    }

    private static byte[] NameOf(int number) => Encoding.ASCII.GetBytes($"entry-{number:d10}");

    private static void WriteEntry(Span<byte> raw, int number, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(raw, 12); // an inode that every image has
        BinaryPrimitives.WriteUInt16LittleEndian(raw[4..], (ushort)length);
        (raw[6], raw[7]) = (NameLength, 1);
        NameOf(number).CopyTo(raw[8..]);
    }
}
