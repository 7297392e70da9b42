using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

public class RfcV2Tests
{
    private const int EntryEnd = 16 + 128;

    private readonly Vectors.Files _files = new();
    private readonly Dispatcher _server;

    public RfcV2Tests() => _server = Vectors.Server(Dialect.RfcV2, _files);

    [Theory]
    [InlineData((uint)Dialect.RfcV2)]
    [InlineData((uint)Dialect.RfcV2Finished)]
    public void A_lookup_is_answered_as_the_vector_says(uint dialect) =>
        Assert.Equal(Vectors.EntryV2, Vectors.Server((Dialect)dialect).Ask(Vectors.LookupV2));

    [Fact]
    public void The_answer_to_init_is_laid_out_as_the_vector()
    {
        var answer = new InitOut
        {
            Major = 7,
            Minor = 45,
            MaxReadahead = 131072,
            Flags = 0x40440008,
            MaxBackground = 12,
            CongestionThreshold = 9,
            MaxWrite = 131072,
            TimeGranularity = 1,
            MaxPages = 32,
            Flags2 = (uint)((ulong)InitFlags.LookupHandle >> 32),
            MaxHandleSize = 32,
        };
        Assert.Equal(Vectors.InitV2, Message.Bytes(answer));
    }

    [Fact]
    public void Without_the_handle_it_is_the_stock_answer_to_a_lookup()
    {
        byte[] stock = Vectors.Server(Dialect.Stock, stock: true).Ask(Lookup(Opcode.Lookup, Vectors.Directory, "a"));
        byte[] expected = Vectors.EntryV2[..EntryEnd];
        (expected[0], stock[8], stock[15]) = (0x90, 0x10, 0);
        Assert.Equal(expected, stock);
    }

    [Fact]
    public void Without_the_option_the_request_is_unknown() =>
        Assert.Equal(Errno.ENOSYS, Vectors.Error(Vectors.Server(Dialect.Stock, stock: true).Ask(Vectors.LookupV2)));

    [Fact]
    public void A_parents_handle_may_be_missing() =>
        Assert.Equal(Vectors.EntryV2[16..], _server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "a"))[16..]);

    [Fact]
    public void A_name_that_is_not_there_has_nodeid_0_and_a_handle_of_size_0()
    {
        byte[] reply = _server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "b", Handle(Vectors.DirectoryHandle)));
        Assert.Equal(EntryEnd + 8, reply.Length);
        Assert.Equal(0UL, Message.Body<EntryOut>(reply).NodeId);
        Assert.Equal(1UL, Message.Body<EntryOut>(reply).EntryValid);
        Assert.Equal(new byte[8], reply[EntryEnd..]);
    }

    [Fact]
    public void A_parents_handle_that_is_not_the_nodes_is_ESTALE_and_nobody_is_asked()
    {
        Assert.Equal(Errno.ESTALE, Vectors.Error(_server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "a", Handle(Vectors.FileHandle)))));
        Assert.Equal(Errno.ESTALE, Vectors.Error(_server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "a", Handle([1, 2, 3])))));
        byte[] otherFilesystem = [.. Vectors.DirectoryHandle];
        otherFilesystem[4]++;
        Assert.Equal(Errno.ESTALE, Vectors.Error(_server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "a", Handle(otherFilesystem)))));
        Assert.Empty(_files.Asked);
    }

    [Theory]
    [InlineData(HandleProblem.None, "")]
    [InlineData(HandleProblem.None, "01000000 00000000 ff")]
    [InlineData(HandleProblem.None, "03000000 00000000 010203")] // no alignment
    [InlineData(HandleProblem.Truncated, "01")]
    [InlineData(HandleProblem.Truncated, "10000000 000000")]
    [InlineData(HandleProblem.Truncated, "10000000 00000000 01010000 aabbccdd 0d000000 990000")]
    [InlineData(HandleProblem.Trailing, "01000000 00000000 ff00")]
    [InlineData(HandleProblem.Empty, "00000000 00000000")]
    [InlineData(HandleProblem.TooLarge, "20000000 00000000 01010000 aabbccdd 0d000000 99000000 01010000 aabbccdd 0d000000 99000000")]
    [InlineData(HandleProblem.TooLarge, "ffffffff 00000000 01")]
    internal void What_stands_for_a_parents_handle_is_checked(HandleProblem expected, string bytes)
    {
        Assert.Equal(expected, RfcV2.TryReadParent(Vectors.Bytes(bytes), 32, out ReadOnlySpan<byte> handle));
        Assert.Equal(expected == HandleProblem.None && bytes.Length != 0, !handle.IsEmpty);
        if (expected != HandleProblem.None)
            Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(Lookup(Opcode.LookupHandle, Vectors.Directory, "a", Vectors.Bytes(bytes)))));
    }

    [Fact]
    public void A_request_that_is_cut_short_anywhere_is_refused_or_answered_without_its_handle()
    {
        for (int length = 40; length < Vectors.LookupV2.Length; length++)
        {
            byte[] cut = Vectors.LookupV2[..length];
            cut[0] = (byte)length;
            Errno expected = length == 42 ? Errno.Ok : Errno.EIO; // right behind the name
            Assert.Equal(expected, Vectors.Error(_server.Ask(cut)));
        }
    }

    [Fact]
    public void A_handle_larger_than_negotiated_is_an_error_never_cut()
    {
        Assert.Equal(Errno.EOVERFLOW, Vectors.Error(Vectors.Server(Dialect.RfcV2, maxHandle: 16).Ask(Vectors.LookupV2)));
        Assert.Equal(0, Message.Header(Vectors.Server(Dialect.RfcV2, maxHandle: 17).Ask(Vectors.LookupV2)).Error);
        Assert.Equal(Errno.EOVERFLOW, Vectors.Error(Vectors.Server(Dialect.RfcV2Finished, maxHandle: 16).Ask(Listing())));
        Assert.False(RfcV2.TryPlaceHandle(new byte[400], 32, 32, out _));
        Assert.True(RfcV2.TryPlaceHandle(new byte[400], 31, 32, out _));
    }

    [Fact]
    public void The_root_is_named_only_to_a_kernel_that_bears_it()
    {
        _files.Found = 1;
        Assert.Equal(Errno.EIO, Vectors.Error(_server.Ask(Vectors.LookupV2)));
        byte[] reply = Vectors.Server(Dialect.RfcV2Finished, _files).Ask(Vectors.LookupV2);
        Assert.Equal(Vectors.Bytes("10000000 00000000 01010000 aabbccdd 02000000 00000000"), reply[EntryEnd..]);
    }

    // Arguments of the requests that make something, their parent being the directory of the vectors.
    public static TheoryData<uint, byte[]> Makers() => new()
    {
        { (uint)Opcode.Create, [.. new byte[16], .. "name\0"u8] },
        { (uint)Opcode.TmpFile, [.. new byte[16], .. "/\0"u8] },
        { (uint)Opcode.MkNod, [.. new byte[16], .. "name\0"u8] },
        { (uint)Opcode.MkDir, [.. new byte[8], .. "name\0"u8] },
        { (uint)Opcode.SymLink, "name\0target\0"u8.ToArray() },
        { (uint)Opcode.Link, [.. new byte[8], .. "name\0"u8] },
    };

    [Theory]
    [MemberData(nameof(Makers))]
    public void Whatever_makes_something_is_refused_for_its_parent_first(uint opcode, byte[] arguments)
    {
        Errno Ask(params byte[][] parts) => Vectors.Error(_server.Ask(Message.Request((Opcode)opcode, Vectors.Directory, parts)));
        Assert.Equal(Errno.EROFS, Ask(arguments));
        Assert.Equal(Errno.EROFS, Ask(arguments, Handle(Vectors.DirectoryHandle)));
        Assert.Equal(Errno.ESTALE, Ask(arguments, Handle(Vectors.FileHandle)));
        Assert.Equal(Errno.EIO, Ask(arguments, [16, 0, 0]));
        Assert.Equal(Errno.EIO, Ask(arguments[..^1]));

        byte[] extended = Message.Request((Opcode)opcode, Vectors.Directory, arguments, Handle(Vectors.DirectoryHandle), new byte[16]);
        extended[36] = 2; // the handle stands before the extensions
        Assert.Equal(Errno.EROFS, Vectors.Error(_server.Ask(extended)));
    }

    [Fact]
    public void An_opened_file_follows_the_last_byte_of_the_handle()
    {
        byte[] reply = Vectors.EntryV2[16..];
        Array.Resize(ref reply, reply.Length + 16);
        Assert.True(RfcV2.TryPlaceHandle(reply, 16, 32, out Span<byte> place));
        Vectors.FileHandle.CopyTo(place);
        int length = RfcV2.AddOpen(reply, 16, new OpenOut { FileHandle = 0x0102030405060708, OpenFlags = 2 });
        Assert.Equal(184 - 16, length);
        Assert.Equal([.. Vectors.EntryV2[16..], .. Vectors.Bytes("08070605 04030201 02000000 00000000")], reply);

        Assert.True(RfcV2.TryPlaceHandle(reply, 3, 32, out place)); // no padding after an odd handle
        Assert.Equal(136 + 3 + 16, RfcV2.AddOpen(reply, 3, default));
    }

    [Fact]
    public void A_listing_carries_a_handle_behind_each_name_that_has_an_entry()
    {
        byte[] reply = Vectors.Server(Dialect.RfcV2Finished).Ask(Listing(1200));
        Assert.InRange(reply.Length, 1000, 1216);
        ulong expected = 1;
        for (int at = 16; at < reply.Length; expected++)
        {
            ulong node = MemoryMarshal.Read<ulong>(reply.AsSpan(at));
            Dirent name = MemoryMarshal.Read<Dirent>(reply.AsSpan(at + 128));
            Assert.Equal((uint)expected, name.NameLength);
            at += (152 + (int)name.NameLength + 7) & ~7;
            uint size = MemoryMarshal.Read<uint>(reply.AsSpan(at));
            Assert.Equal(0u, MemoryMarshal.Read<uint>(reply.AsSpan(at + 4)));
            Assert.Equal(node == 0 ? 0u : 16u, size);
            if (size != 0)
                Assert.Equal([.. Vectors.Bytes("01010000 aabbccdd"), .. Message.Bytes((uint)(100 + expected)), .. Message.Bytes((uint)expected)], reply[(at + 8)..(at + 24)]);
            at += (8 + (int)size + 7) & ~7;
            Assert.True(at <= reply.Length);
        }
        Assert.True(expected > 5);
    }

    [Fact]
    public void Listings_are_as_ever_where_kernels_do_not_look_for_handles()
    {
        byte[] stock = Vectors.Server(Dialect.Stock, stock: true).Ask(Listing());
        Assert.Equal(stock, Vectors.Server(Dialect.RfcV2).Ask(Listing()));
        Assert.Equal(stock, Vectors.Server(Dialect.RfcV3).Ask(Listing()));
        byte[] plain = Message.Request(Opcode.ReadDir, 1, Message.Bytes(new ReadIn { Size = 4000 }));
        Assert.Equal(Vectors.Server(Dialect.Stock, stock: true).Ask(plain), Vectors.Server(Dialect.RfcV2Finished).Ask(plain));
    }

    private static byte[] Listing(uint size = 4000) => Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = size }));

    private static byte[] Lookup(Opcode opcode, ulong parent, string name, byte[]? rest = null) => Message.Request(opcode, parent, Message.Name(name), rest ?? []);

    private static byte[] Handle(byte[] bytes) => [.. Message.Bytes((uint)bytes.Length), 0, 0, 0, 0, .. bytes];
}
