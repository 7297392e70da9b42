using System.Collections.Concurrent;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Handles;

namespace Fuse4fs.Tests;

/// <summary>A filesystem of one file, "hello" with nodeid 0x70000000c, whose answers a test can replace.</summary>
internal sealed class FakeFileSystem : IFileSystem
{
    public const ulong File = 0x7_0000000c;

    public Func<Errno> Verdict { get; set; } = () => Errno.Ok;

    public byte[] Contents { get; set; } = "hello, world"u8.ToArray();

    public byte[] Value { get; set; } = "value"u8.ToArray();

    /// <summary>After which cookies names were listed, by whomever.</summary>
    public ConcurrentQueue<ulong> Listed { get; } = [];

    public bool SawTrusted { get; private set; }

    public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, ref EntryOut entry)
    {
        entry.EntryValid = 1;
        if (name.SequenceEqual("hello"u8))
            entry.NodeId = File;
        return Verdict();
    }

    public Errno GetAttributes(NodeId node, ref AttrOut attributes)
    {
        attributes.Attr.Ino = node.Handle.Inode;
        return Verdict();
    }

    public Errno GetExtendedAttributes(NodeId node, ref StatxOut attributes)
    {
        attributes.Stat.Ino = node.Handle.Inode;
        return Verdict();
    }

    public Errno ReadLink(NodeId node, Span<byte> target, out int length)
    {
        "target"u8.CopyTo(target);
        length = 6;
        return Verdict();
    }

    public Errno Read(NodeId node, long offset, Span<byte> destination, out int count)
    {
        count = (int)Math.Clamp(Contents.Length - offset, 0, destination.Length);
        Contents.AsSpan((int)Math.Min(offset, Contents.Length), count).CopyTo(destination);
        return Verdict();
    }

    public Errno ReadDirectory(NodeId node, ulong cookie, bool plus, ref DirectoryWriter names)
    {
        for (ulong i = cookie; i < 100 && names.HasRoomFor(8); i++)
            names.Add(new EntryOut { NodeId = i + 1 }, i + 1, i + 1, 8, System.Text.Encoding.UTF8.GetBytes($"name-{i:000}"));
        Errno verdict = Verdict();
        Listed.Enqueue(cookie);
        return verdict;
    }

    public Errno GetStatistics(ref StatFsOut statistics)
    {
        statistics.Blocks = 1000;
        return Verdict();
    }

    public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, Span<byte> destination, out int length)
    {
        length = Value.Length;
        if (length <= destination.Length)
            Value.CopyTo(destination);
        return Verdict();
    }

    public Errno ListXattrs(NodeId node, bool withTrusted, Span<byte> destination, out int length)
    {
        SawTrusted = withTrusted;
        return GetXattr(node, default, destination, out length);
    }

    public Errno Access(NodeId node, uint mask) => Verdict();

    public Errno Seek(NodeId node, long offset, uint whence, out long result)
    {
        result = offset + whence;
        return Verdict();
    }

    public Errno Ioctl(NodeId node, uint command, Span<byte> output, out int length)
    {
        output.Fill(0x5a);
        length = output.Length;
        return Verdict();
    }
}
