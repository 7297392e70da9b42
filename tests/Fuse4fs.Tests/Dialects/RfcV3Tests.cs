using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

public class RfcV3Tests
{
    private const int LookupReply = 40 + 130, StatxReply = 288, OpenReply = 16;
    private const ulong Placeholder = 1;

    private readonly Vectors.Files _files = new();
    private readonly Dispatcher _server;

    public RfcV3Tests() => _server = Vectors.Server(Dialect.RfcV3, _files);

    [Fact]
    public void A_lookup_is_answered_as_the_vector_says()
    {
        byte[] reply = _server.Ask(Vectors.LookupV3);
        Assert.Equal(522, reply.Length);
        Assert.Equal(Vectors.EntryV3, reply[..96]);
        Assert.Equal(Vectors.FileHandle, reply[90..106]);
        Assert.Equal(new byte[218 - 106], reply[106..218]);
        Assert.Equal(Vectors.StatxV3, reply[218..242]);
        Assert.Equal(0x7ffu, MemoryMarshal.Read<uint>(reply.AsSpan(234 + 32)));
    }

    [Fact]
    public void What_goes_on_with_a_lookup_is_asked_of_what_it_found()
    {
        _ = _server.Ask(Vectors.LookupV3);
        Assert.Equal([Vectors.Directory, Vectors.File], _files.Asked);
    }

    [Fact]
    public void A_revalidation_has_no_parents_handle() =>
        Assert.Equal(Vectors.EntryV3[16..], _server.Ask(Compound(0, 458, Lookup("a"), Statx()))[16..96]);

    [Fact]
    public void A_name_that_is_not_there_is_ENOENT_and_the_rest_is_not_run()
    {
        byte[] reply = _server.Ask(Compound(0, 458, Lookup("b"), Statx()));
        Assert.Equal(0, Message.Header(reply).Error);
        Assert.Equal([Errno.ENOENT, Errno.ECANCELED], Errors(reply));
        Assert.Equal([Vectors.Directory], _files.Asked);
    }

    [Fact]
    public void A_parents_handle_that_is_not_the_nodes_is_ESTALE_and_nobody_is_asked()
    {
        byte[] reply = _server.Ask(Compound(0, 458, Lookup("a", Extension(33, Sized(Vectors.FileHandle))), Statx()));
        Assert.Equal([Errno.ESTALE, Errno.ECANCELED], Errors(reply));
        Assert.Empty(_files.Asked);
    }

    [Fact]
    public void A_creation_is_refused_for_its_parent_first_and_as_one()
    {
        byte[] good = Extension(33, Sized(Vectors.DirectoryHandle));
        byte[] security = Extension(1, new byte[24]), groups = Extension(32, new byte[8]);
        byte[] Ask(params byte[][] extensions) =>
            _server.Ask(Compound(2, LookupReply + StatxReply + OpenReply, Part(RfcV3.MakeObjectHandle, Vectors.Directory, [new byte[16], .. extensions.Prepend(Message.Name("new"))]), Statx(), Open()));
        Assert.Equal([Errno.EROFS, Errno.ECANCELED, Errno.ECANCELED], Errors(Ask()));
        Assert.Equal([Errno.EROFS, Errno.ECANCELED, Errno.ECANCELED], Errors(Ask(security, groups, good)));
        Assert.Equal([Errno.ESTALE, Errno.ECANCELED, Errno.ECANCELED], Errors(Ask(Extension(33, Sized(Vectors.FileHandle)))));
        Assert.Empty(_files.Asked);
    }

    [Fact]
    public void A_made_object_would_be_answered_like_a_found_one()
    {
        byte[] reply = new byte[RfcV3.EntrySize];
        reply.AsSpan().Fill(0xee);
        var entry = new EntryOut { NodeId = Vectors.File, Generation = 0x1a2b3c4d, EntryValid = 1 };
        Assert.True(RfcV3.TryWriteEntry(reply, entry, 16, out Span<byte> place));
        Vectors.FileHandle.CopyTo(place);
        Assert.Equal(Vectors.EntryV3[48..], reply[..48]);
        Assert.Equal(new byte[112], reply[58..]);
        Assert.False(RfcV3.TryWriteEntry(reply, entry, 129, out _));
        Assert.False(RfcV3.TryWriteEntry(reply, entry, 0, out _));
    }

    [Fact]
    public void A_file_that_is_found_can_be_opened_in_the_same_compound()
    {
        byte[] reply = _server.Ask(Compound(0, 1000, Lookup("a"), Statx(), Open()));
        Assert.Equal([Errno.Ok, Errno.Ok, Errno.Ok], Errors(reply));
        Assert.Equal(16 + 16 + 186 + 304 + 32, reply.Length);
        Assert.Equal([Vectors.Directory, Vectors.File, Vectors.File], _files.Asked);
    }

    [Theory]
    [InlineData(HandleProblem.None, "")]
    [InlineData(HandleProblem.None, "10000000 20000000 00000000 00000000")] // groups
    [InlineData(HandleProblem.None, "08000000 ffffffff")] // a type that nobody knows
    [InlineData(HandleProblem.Truncated, "080000")]
    [InlineData(HandleProblem.Truncated, "20000000 21000000 1000")]
    [InlineData(HandleProblem.Truncated, "08000000 21000000")]
    [InlineData(HandleProblem.Truncated, "10000000 21000000 1000 01010000 aabb")] // larger than its extension
    [InlineData(HandleProblem.BadExtension, "00000000 21000000")]
    [InlineData(HandleProblem.BadExtension, "07000000 21000000")]
    [InlineData(HandleProblem.BadExtension, "0c000000 21000000 01000000")]
    [InlineData(HandleProblem.Empty, "10000000 21000000 00000000 00000000")]
    [InlineData(HandleProblem.TooLarge, "10000000 21000000 81000000 00000000")]
    [InlineData(HandleProblem.Repeated, "10000000 21000000 0100ff00 00000000 10000000 21000000 0100ff00 00000000")]
    internal void Extensions_are_checked(HandleProblem expected, string bytes)
    {
        Assert.Equal(expected, RfcV3.TryReadParent(Vectors.Bytes(bytes), out _));
        byte[] reply = _server.Ask(Compound(0, 458, Lookup("a", Vectors.Bytes(bytes)), Statx()));
        Assert.Equal(expected == HandleProblem.None ? Errno.Ok : Errno.EIO, Errors(reply)[0]);
    }

    [Fact]
    public void Frames_are_checked()
    {
        Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(Compound(0, 458)))); // of nothing
        Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(Compound(0, 458, [.. Enumerable.Repeat(Statx(), 17)]))));
        Assert.Equal(Errno.Ok, Vectors.Error(_server.Ask(Compound(0, 16 * 288, [.. Enumerable.Repeat(Statx(), 16)]))));
        Assert.Equal(Errno.EOPNOTSUPP, Vectors.Error(_server.Ask(Compound(4, 458, Lookup("a"), Statx()))));
        Assert.Equal(Errno.EOVERFLOW, Vectors.Error(_server.Ask(Compound(0, 457, Lookup("a"), Statx()))));
        Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(Message.Request(RfcV3.Compound, 0, new byte[23]))));
        foreach (int place in new[] { 64, 64 + 74 })
        {
            for (int change = -1; change <= 1; change += 2)
            {
                byte[] lying = [.. Vectors.LookupV3];
                lying[place] = (byte)(lying[place] + change);
                Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(lying)));
            }
        }
        for (int length = 40; length < Vectors.LookupV3.Length; length++)
        {
            byte[] cut = Vectors.LookupV3[..length];
            cut[0] = (byte)length;
            Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(cut)));
        }
    }

    [Theory]
    [InlineData((uint)Opcode.Read)]
    [InlineData((uint)Opcode.Forget)]
    [InlineData((uint)Opcode.LookupHandle)] // a compound in a compound
    [InlineData(4096u)]
    public void Parts_that_nobody_puts_together_are_not_supported(uint opcode)
    {
        byte[] reply = _server.Ask(Compound(0, 1000, Lookup("a"), Part((Opcode)opcode, Placeholder, [new byte[40]]), Statx()));
        Assert.Equal([Errno.Ok, Errno.EOPNOTSUPP, Errno.ECANCELED], Errors(reply));
    }

    private static byte[] Lookup(string name, byte[]? extensions = null) => Part(RfcV3.LookupHandle, Vectors.Directory, [Message.Name(name), extensions ?? []]);

    private static byte[] Statx() => Part(Opcode.StatX, Placeholder, [Message.Bytes(new StatxIn { StatxMask = 0xfff })]);

    private static byte[] Open() => Part(Opcode.Open, Placeholder, [new byte[8]]);

    private static byte[] Part(Opcode opcode, ulong node, byte[][] arguments)
    {
        byte[] part = Message.Request(opcode, node, arguments);
        part.AsSpan(8, 8).Clear(); // unique
        return part;
    }

    private static byte[] Compound(uint flags, uint room, params byte[][] parts) =>
        Message.Request(RfcV3.Compound, 0, [Message.Bytes(new CompoundIn { Count = (uint)parts.Length, Flags = flags, ResultSize = room }), .. parts]);

    private static byte[] Extension(uint type, byte[] body)
    {
        int size = (8 + body.Length + 7) & ~7;
        byte[] extension = [.. Message.Bytes((uint)size), .. Message.Bytes(type), .. body];
        Array.Resize(ref extension, size);
        return extension;
    }

    private static byte[] Sized(byte[] handle) => [.. Message.Bytes((ushort)handle.Length), .. handle];

    // The errors of the parts, whose replies must add up to the whole.
    private static List<Errno> Errors(byte[] reply)
    {
        Assert.Equal((uint)reply.Length, Message.Header(reply).Length);
        var errors = new List<Errno>();
        int at = 32;
        for (uint part = MemoryMarshal.Read<uint>(reply.AsSpan(16)); part != 0; part--)
        {
            OutHeader header = Message.Header(reply.AsSpan(at));
            Assert.Equal(0UL, header.Unique);
            Assert.True(header.Error == 0 || header.Length == 16);
            errors.Add((Errno)(-header.Error));
            at += (int)header.Length;
        }
        Assert.Equal(reply.Length, at);
        return errors;
    }
}
