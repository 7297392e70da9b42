using System.Runtime.CompilerServices;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Fuse4fs.Tests;

public class DispatcherTests
{
    private readonly FakeFileSystem _files = new();
    private readonly Dispatcher _dispatcher;

    public DispatcherTests() => _dispatcher = new Dispatcher(_files, new FaultLog(NullLogger.Instance));

    [Fact]
    public void A_reply_echoes_the_unique_with_its_resend_bit()
    {
        byte[] reply = Answer(Message.Request(Opcode.GetAttr, FakeFileSystem.File, Message.Bytes(default(GetAttrIn))));
        Assert.Equal(Message.Unique, Message.Header(reply).Unique);
        Assert.Equal(16u + 104u, Message.Header(reply).Length);
        Assert.Equal(12u, Message.Body<AttrOut>(reply).Attr.Ino);
    }

    [Fact]
    public void Lookup_finds_a_name() =>
        Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(Answer(Message.Request(Opcode.Lookup, 1, Message.Name("hello")))).NodeId);

    [Fact]
    public void A_missing_name_is_a_success_that_can_be_cached()
    {
        EntryOut entry = Message.Body<EntryOut>(Answer(Message.Request(Opcode.Lookup, 1, Message.Name("nope"))));
        Assert.Equal(0u, entry.NodeId);
        Assert.NotEqual(0u, entry.EntryValid);
    }

    [Fact]
    public void A_name_longer_than_255_bytes_is_refused() =>
        Assert.Equal(Errno.ENAMETOOLONG, ErrorOf(Message.Request(Opcode.Lookup, 1, Message.Name(new string('x', 256)))));

    [Theory]
    [InlineData(0UL, 5u, "hello")]
    [InlineData(7UL, 100u, "world")]
    [InlineData(12UL, 5u, "")]
    [InlineData(1000UL, 5u, "")]
    public void Read_answers_as_many_bytes_as_there_are(ulong offset, uint size, string expected)
    {
        byte[] reply = Answer(Message.Request(Opcode.Read, FakeFileSystem.File, Message.Bytes(new ReadIn { Offset = offset, Size = size })));
        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(reply[16..]));
    }

    [Fact]
    public void A_read_beyond_what_offsets_can_be_is_refused() =>
        Assert.Equal(Errno.EINVAL, ErrorOf(Message.Request(Opcode.Read, FakeFileSystem.File, Message.Bytes(new ReadIn { Offset = ulong.MaxValue, Size = 1 }))));

    [Fact]
    public void A_read_larger_than_the_buffer_is_answered_as_far_as_it_goes()
    {
        _files.Contents = new byte[100_000];
        byte[] reply = Answer(Message.Request(Opcode.Read, FakeFileSystem.File, Message.Bytes(new ReadIn { Size = uint.MaxValue })));
        Assert.Equal(BufferSize, reply.Length);
    }

    [Theory]
    [InlineData(Opcode.ReadDir, 24 + 8)]
    [InlineData(Opcode.ReadDirPlus, 128 + 24 + 8)]
    internal void A_listing_fills_what_the_caller_has_and_goes_on_from_the_last_cookie(Opcode opcode, int record)
    {
        var seen = new List<ulong>();
        ulong cookie = 0;
        while (true)
        {
            byte[] reply = Answer(Message.Request(opcode, 1, Message.Bytes(new ReadIn { Offset = cookie, Size = 1000 })));
            if (reply.Length == 16)
                break;
            Assert.True(reply.Length <= 1016);
            Assert.Equal(0, (reply.Length - 16) % record);
            for (int at = 16; at < reply.Length; at += record)
            {
                int dirent = at + record - 32;
                Assert.Equal(8u, BitConverter.ToUInt32(reply, dirent + 16));
                cookie = BitConverter.ToUInt64(reply, dirent + 8);
                seen.Add(BitConverter.ToUInt64(reply, dirent));
                if (opcode == Opcode.ReadDirPlus)
                    Assert.Equal(seen[^1], BitConverter.ToUInt64(reply, at)); // the entry's nodeid
            }
        }
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (ulong)i), seen);
    }

    [Fact]
    public void A_listing_that_breaks_off_answers_what_came_before()
    {
        _files.Verdict = () => throw new IOException("gone");
        byte[] reply = Answer(Message.Request(Opcode.ReadDir, 1, Message.Bytes(new ReadIn { Size = 100 })));
        Assert.Equal(0, Message.Header(reply).Error);
        Assert.Equal(16 + (3 * 32), reply.Length);
    }

    [Theory]
    [InlineData(Opcode.GetXattr)]
    [InlineData(Opcode.ListXattr)]
    internal void Size_zero_asks_how_long_a_value_is(Opcode opcode)
    {
        byte[] reply = Answer(Xattr(opcode, 0));
        Assert.Equal(24, reply.Length);
        Assert.Equal(5u, Message.Body<GetXattrOut>(reply).Size);
    }

    [Theory]
    [InlineData(Opcode.GetXattr)]
    [InlineData(Opcode.ListXattr)]
    internal void A_value_that_does_not_fit_is_ERANGE(Opcode opcode) => Assert.Equal(Errno.ERANGE, ErrorOf(Xattr(opcode, 4)));

    [Fact]
    public void A_value_that_fits_is_answered() => Assert.Equal("value"u8.ToArray(), Answer(Xattr(Opcode.GetXattr, 5))[16..]);

    [Fact]
    public void Only_root_sees_trusted_names()
    {
        _ = Answer(Xattr(Opcode.ListXattr, 100));
        Assert.True(_files.SawTrusted);
        byte[] other = Xattr(Opcode.ListXattr, 100);
        BitConverter.TryWriteBytes(other.AsSpan(24), 1000u);
        _ = Answer(other);
        Assert.False(_files.SawTrusted);
    }

    [Fact]
    public void Seek_ioctl_statfs_readlink_and_statx_are_answered_in_their_form()
    {
        Assert.Equal(103u, Message.Body<LSeekOut>(Answer(Message.Request(Opcode.LSeek, 1, Message.Bytes(new LSeekIn { Offset = 100, Whence = 3 })))).Offset);
        byte[] ioctl = Answer(Message.Request(Opcode.IoCtl, 1, Message.Bytes(new IoctlIn { Command = 1, OutSize = 8 })));
        Assert.Equal([.. new byte[16], 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a], ioctl[16..]);
        Assert.Equal(96, Answer(Message.Request(Opcode.StatFs, 1)).Length);
        Assert.Equal("target"u8.ToArray(), Answer(Message.Request(Opcode.ReadLink, 1))[16..]);
        Assert.Equal(16 + 288, Answer(Message.Request(Opcode.StatX, 1, Message.Bytes(default(StatxIn)))).Length);
    }

    [Theory]
    [MemberData(nameof(Writers))]
    public void Whatever_writes_is_refused(uint opcode) => Assert.Equal(Errno.EROFS, ErrorOf(Message.Request((Opcode)opcode, 1)));

    [Theory]
    [InlineData((uint)Opcode.Open)]
    [InlineData((uint)Opcode.OpenDir)]
    [InlineData((uint)Opcode.Flush)]
    [InlineData((uint)Opcode.FSync)]
    [InlineData((uint)Opcode.BMap)]
    [InlineData(4096u)]
    [InlineData(54u)]
    public void What_need_not_be_asked_again_or_is_unknown_is_ENOSYS(uint opcode) => Assert.Equal(Errno.ENOSYS, ErrorOf(Message.Request((Opcode)opcode, 1)));

    [Theory]
    [InlineData((uint)Opcode.Forget)]
    [InlineData((uint)Opcode.BatchForget)]
    [InlineData((uint)Opcode.Interrupt)]
    [InlineData((uint)Opcode.NotifyReply)]
    public void What_expects_no_reply_gets_none(uint opcode) => Assert.Empty(Answer(Message.Request((Opcode)opcode, 1, new byte[8])));

    [Theory]
    [MemberData(nameof(WithArguments))]
    public void A_truncated_request_is_EIO(uint opcode) => Assert.Equal(Errno.EIO, ErrorOf(Message.Request((Opcode)opcode, 1, [1, 2, 3])));

    [Fact]
    public void Bytes_that_are_no_request_get_no_reply()
    {
        Assert.Empty(Answer([]));
        Assert.Empty(Answer(new byte[39]));
        byte[] lying = Message.Request(Opcode.GetAttr, 1, new byte[16]);
        lying[0]++;
        Assert.Empty(Answer(lying));
        byte[] extended = Message.Request(Opcode.GetAttr, 1, new byte[16]);
        extended[36] = 3; // extensions longer than the message
        Assert.Empty(Answer(extended));
    }

    [Fact]
    public void Extensions_are_no_part_of_the_arguments()
    {
        byte[] request = Message.Request(Opcode.Lookup, 1, Message.Name("hello"), new byte[16]);
        request[36] = 2;
        Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(Answer(request)).NodeId);
    }

    [Theory]
    [InlineData(typeof(IOException), Errno.EIO)]
    [InlineData(typeof(OverflowException), Errno.EUCLEAN)]
    [InlineData(typeof(IndexOutOfRangeException), Errno.EUCLEAN)]
    [InlineData(typeof(InvalidOperationException), Errno.EIO)]
    internal void An_exception_becomes_an_error_of_that_request_alone(Type exception, Errno expected)
    {
        _files.Verdict = () => throw (Exception)Activator.CreateInstance(exception)!;
        byte[] request = Message.Request(Opcode.GetAttr, 1, new byte[16]);
        Assert.Equal(expected, ErrorOf(request));
        _files.Verdict = () => Errno.Ok;
        Assert.Equal(0, Message.Header(Answer(request)).Error);
    }

    [Fact]
    public void No_request_leaves_bytes_of_the_one_before_in_its_reply()
    {
        byte[] buffer = new byte[BufferSize];
        buffer.AsSpan().Fill(0xee);
        int length = _dispatcher.Dispatch(Message.Request(Opcode.StatFs, 1), buffer);
        Assert.DoesNotContain((byte)0xee, buffer[..length]);
        buffer.AsSpan().Fill(0xee);
        length = _dispatcher.Dispatch(Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = 1000 })), buffer);
        Assert.DoesNotContain((byte)0xee, buffer[..length]);
    }

    [Fact]
    public void Every_opcode_gets_one_well_formed_reply_or_none()
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] arguments = new byte[random.Next(200)];
            random.NextBytes(arguments);
            byte[] reply = Answer(Message.Request((Opcode)random.Next(0, 60), (ulong)random.NextInt64(), arguments));
            if (reply.Length == 0)
                continue;
            OutHeader header = Message.Header(reply);
            Assert.Equal((uint)reply.Length, header.Length);
            Assert.Equal(Message.Unique, header.Unique);
            Assert.InRange(header.Error, -133, 0);
            Assert.True(header.Error == 0 || reply.Length == 16);
        }
    }

    public static TheoryData<uint> Writers() =>
    [
        (uint)Opcode.SetAttr, (uint)Opcode.SymLink, (uint)Opcode.MkNod, (uint)Opcode.MkDir, (uint)Opcode.Unlink, (uint)Opcode.RmDir, (uint)Opcode.Rename,
        (uint)Opcode.Rename2, (uint)Opcode.Link, (uint)Opcode.Write, (uint)Opcode.Create, (uint)Opcode.TmpFile, (uint)Opcode.SetXattr,
        (uint)Opcode.RemoveXattr, (uint)Opcode.FAllocate, (uint)Opcode.CopyFileRange, (uint)Opcode.CopyFileRange64,
    ];

    public static TheoryData<uint> WithArguments() =>
    [
        (uint)Opcode.Lookup, (uint)Opcode.Read, (uint)Opcode.ReadDir, (uint)Opcode.ReadDirPlus, (uint)Opcode.GetXattr, (uint)Opcode.ListXattr,
        (uint)Opcode.LSeek, (uint)Opcode.IoCtl, (uint)Opcode.Access,
    ];

    private const int BufferSize = 8192;

    private static byte[] Xattr(Opcode opcode, uint size) =>
        Message.Request(opcode, 1, Message.Bytes(new GetXattrIn { Size = size }), Message.Name("user.x"));

    private byte[] Answer(byte[] request)
    {
        byte[] buffer = new byte[BufferSize];
        return buffer[.._dispatcher.Dispatch(request, buffer)];
    }

    private Errno ErrorOf(byte[] request)
    {
        byte[] reply = Answer(request);
        Assert.Equal(Unsafe.SizeOf<OutHeader>(), reply.Length);
        return (Errno)(-Message.Header(reply).Error);
    }
}
