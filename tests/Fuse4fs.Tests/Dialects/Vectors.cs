using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Handles;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fuse4fs.Tests.Dialects;

/// <summary>
/// Messages byte by byte, made from the layouts in the patches (nobody has captured them from a kernel): a directory, inode 13 of generation 0x99, with the file
/// "a", inode 12 of generation 0x1a2b3c4d, on a filesystem of tag 0xddccbbaa.
/// </summary>
internal static class Vectors
{
    public const uint Tag = 0xddccbbaa;
    public const ulong Directory = 0x99_0000000dUL;
    public const ulong File = 0x1a2b3c4d_0000000cUL;

    public static readonly byte[] FileHandle = Bytes("01010000 aabbccdd 0c000000 4d3c2b1a");

    public static readonly byte[] DirectoryHandle = Bytes("01010000 aabbccdd 0d000000 99000000");

    /// <summary>LOOKUP_HANDLE of v2, unique 0x10, uid and gid 1000, pid 4242.</summary>
    public static readonly byte[] LookupV2 = Bytes("""
        42000000 36000000 10000000 00000000 0d000000 99000000 e8030000 e8030000
        92100000 00000000 61001000 00000000 00000101 0000aabb ccdd0d00 00009900
        0000
        """);

    public static readonly byte[] EntryV2 = Bytes("""
        a8000000 00000000 10000000 00000000 0c000000 4d3c2b1a 4d3c2b1a 00000000
        01000000 00000000 01000000 00000000 00000000 00000000 0c000000 00000000
        04000000 00000000 08000000 00000000 00000065 00000000 00000065 00000000
        00000065 00000000 00000000 00000000 00000000 a4810000 01000000 e8030000
        e8030000 00000000 00100000 00000000 10000000 00000000 01010000 aabbccdd
        0c000000 4d3c2b1a
        """);

    /// <summary>An answer to INIT that turns v2 on, without its header.</summary>
    public static readonly byte[] InitV2 = Bytes("""
        07000000 2d000000 00000200 08004440 0c000900 00000200 01000000 20000000
        00080000 00000000 00002000 00000000 00000000 00000000 00000000 00000000
        """);

    /// <summary>The compound of LOOKUP_HANDLE and STATX of v3, unique 0x14.</summary>
    public static readonly byte[] LookupV3 = Bytes("""
        ca000000 36000000 14000000 00000000 00000000 00000000 e8030000 e8030000
        92100000 00000000 02000000 00000000 ca010000 00000000 00000000 00000000
        4a000000 37000000 00000000 00000000 0d000000 99000000 e8030000 e8030000
        92100000 00000000 61002000 00002100 00001000 01010000 aabbccdd 0d000000
        99000000 00000000 00004000 00003400 00000000 00000000 00000100 00000000
        0000e803 0000e803 00009210 00000000 00000000 00000000 00000000 00000000
        00000000 0000ff0f 0000
        """);

    /// <summary>The first bytes of its reply, up to those of the handle.</summary>
    public static readonly byte[] EntryV3 = Bytes("""
        0a020000 00000000 14000000 00000000 02000000 00000000 00000000 00000000
        ba000000 00000000 00000000 00000000 0c000000 4d3c2b1a 4d3c2b1a 00000000
        01000000 00000000 00000000 00000000 00000000 00000000 10000101 0000aabb
        """);

    /// <summary>The second part of that reply, from byte 218 on.</summary>
    public static readonly byte[] StatxV3 = Bytes("30010000 00000000 00000000 00000000 01000000 00000000");

    public static Dispatcher Server(Dialect dialect, IFileSystem? files = null, int maxHandle = DialectRules.MaxHandleSize, bool stock = false) =>
        new(files ?? new Files(), new FaultLog(NullLogger.Instance), stock ? null : new HandleService(dialect, new HandleCodec(Tag), maxHandle));

    public static byte[] Bytes(string hex) => Convert.FromHexString(string.Concat(hex.Where(letter => !char.IsWhiteSpace(letter))));

    public static byte[] Ask(this Dispatcher server, byte[] request)
    {
        byte[] reply = new byte[8192];
        reply.AsSpan().Fill(0xee);
        return reply[..server.Dispatch(request, reply)];
    }

    public static Errno Error(byte[] reply) => (Errno)(-Message.Header(reply).Error);

    /// <summary>The filesystem of the vectors.</summary>
    internal sealed class Files : IFileSystem
    {
        private const ulong Time = 0x65000000;

        public ulong Found { get; set; } = File;

        public List<ulong> Asked { get; } = [];

        public Errno Lookup(NodeId parent, ReadOnlySpan<byte> name, ref EntryOut entry)
        {
            Asked.Add(parent.Value);
            entry.EntryValid = 1;
            if (!name.SequenceEqual("a"u8))
                return Errno.Ok;
            entry.NodeId = Found;
            entry.Generation = new NodeId(Found).Handle.Generation;
            entry.AttrValid = 1;
            entry.Attr = new Attr
            {
                Ino = 12,
                Size = 4,
                Blocks = 8,
                AccessSeconds = Time,
                ModificationSeconds = Time,
                ChangeSeconds = Time,
                Mode = 0x81a4,
                LinkCount = 1,
                UserId = 1000,
                GroupId = 1000,
                BlockSize = 4096,
            };
            return Errno.Ok;
        }

        public Errno GetExtendedAttributes(NodeId node, ref StatxOut attributes)
        {
            Asked.Add(node.Value);
            attributes.AttrValid = 1;
            attributes.Stat.Mask = 0x7ff;
            return Errno.Ok;
        }

        public Errno GetAttributes(NodeId node, ref AttrOut attributes) => Errno.Ok;

        public Errno ReadLink(NodeId node, Span<byte> target, out int length) => throw new NotSupportedException();

        public Errno Open(NodeId node)
        {
            Asked.Add(node.Value);
            return Errno.Ok;
        }

        public Errno Read(NodeId node, long offset, Span<byte> destination, out int count) => throw new NotSupportedException();

        // Every other name has an entry.
        public Errno ReadDirectory(NodeId node, ulong cookie, bool plus, ref DirectoryWriter names)
        {
            for (ulong i = cookie + 1; i <= 20; i++)
            {
                byte[] name = System.Text.Encoding.UTF8.GetBytes(new string('n', (int)i));
                if (!names.HasRoomFor(name.Length))
                    break;
                names.Add(new EntryOut { NodeId = i % 2 == 0 ? 0 : (i << 32) + 100 + i }, 100 + i, i, 8, name);
            }
            return Errno.Ok;
        }

        public Errno GetStatistics(ref StatFsOut statistics) => throw new NotSupportedException();

        public Errno GetXattr(NodeId node, ReadOnlySpan<byte> name, Span<byte> destination, out int length) => throw new NotSupportedException();

        public Errno ListXattrs(NodeId node, bool withTrusted, Span<byte> destination, out int length) => throw new NotSupportedException();

        public Errno Access(NodeId node, uint mask) => throw new NotSupportedException();

        public Errno Seek(NodeId node, long offset, uint whence, out long result) => throw new NotSupportedException();

        public Errno Ioctl(NodeId node, uint command, Span<byte> output, out int length) => throw new NotSupportedException();
    }
}
