using System.Diagnostics.CodeAnalysis;
using Ext4Reader;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Microsoft.Extensions.Logging.Abstractions;
using TestSupport;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>In steady state a request costs no managed memory: a collection would stop all readers at once.</summary>
public sealed class AllocationTests : IDisposable
{
    private const int BufferSize = 256 * 1024;

    private readonly Ext4Image _image = Ext4Image.Open(Images.Get("ext4"));
    private readonly SessionState _state = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 });
    private readonly byte[] _reply = GC.AllocateArray<byte>(BufferSize, pinned: true);
    private readonly Dispatcher _dispatcher;

    public AllocationTests() => _dispatcher = new Dispatcher(new Ext4FileSystem(_image, _state), new FaultLog(NullLogger.Instance));

    [Fact]
    public void Lookup_allocates_nothing() => AssertAllocatesNothing(Message.Request(Opcode.Lookup, 1, Message.Name(SomeFile(out _))));

    [Fact]
    public void A_lookup_of_a_name_that_is_not_there_allocates_nothing() =>
        AssertAllocatesNothing(Message.Request(Opcode.Lookup, 1, Message.Name("no such name")));

    [Fact]
    public void Getattr_allocates_nothing()
    {
        _ = SomeFile(out ulong node);
        AssertAllocatesNothing(Message.Request(Opcode.GetAttr, node, Message.Bytes(default(GetAttrIn))));
    }

    [Fact]
    public void Read_allocates_nothing()
    {
        _ = SomeFile(out ulong node);
        AssertAllocatesNothing(Message.Request(Opcode.Read, node, Message.Bytes(new ReadIn { Size = 128 * 1024 })));
    }

    [Fact]
    public void Readdirplus_allocates_nothing() =>
        AssertAllocatesNothing(Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = 32 * 1024 })));

    [Fact]
    public void A_part_of_a_listing_that_is_made_ahead_allocates_nothing()
    {
        var ahead = new ListingAhead(_dispatcher);
        byte[] first = Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = 512 }));
        byte[] answer = _reply[.._dispatcher.Dispatch(first, _reply)];
        byte[] next = Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = 512, Offset = DirectoryWriter.LastCookie(answer.AsSpan(ReplyWriter.HeaderSize)) }));
        int taken = 0, made = 0;
        AssertAllocatesNothing(() =>
        {
            ahead.Prepare(first, answer);
            made++;
            taken += ahead.TryTake(next, _reply, out _) ? 1 : 0;
        });
        Assert.Equal(made, taken);
    }

    [Theory]
    [InlineData((uint)Dialect.RfcV2Finished, (uint)Opcode.LookupHandle)]
    [InlineData((uint)Dialect.RfcV2Finished, (uint)Opcode.ReadDirPlus)]
    [InlineData((uint)Dialect.RfcV3, (uint)Opcode.LookupHandle)]
    public void Handles_allocate_nothing(uint dialect, uint opcode)
    {
        var withHandles = new Dispatcher(new Ext4FileSystem(_image, _state), new FaultLog(NullLogger.Instance), new HandleService((Dialect)dialect, HandleCodec.For(_image.Volume.Uuid)));
        byte[] lookup = Message.Request(RfcV3.LookupHandle, 1, Message.Name(SomeFile(out _)));
        byte[] statx = Message.Request(Opcode.StatX, 1, Message.Bytes(default(StatxIn)));
        AssertAllocatesNothing(
            opcode == (uint)Opcode.ReadDirPlus ? Message.Request(Opcode.ReadDirPlus, 1, Message.Bytes(new ReadIn { Size = 32 * 1024 }))
            : dialect == (uint)Dialect.RfcV3 ? Message.Request(RfcV3.Compound, 0, Message.Bytes(new CompoundIn { Count = 2, ResultSize = 458 }), lookup, statx)
            : Message.Request(Opcode.LookupHandle, 1, Message.Name(SomeFile(out _))),
            dispatcher: withHandles);
    }

    [Fact]
    public void Getxattr_allocates_nothing()
    {
        _ = SomeFile(out ulong node);
        AssertAllocatesNothing(Message.Request(Opcode.GetXattr, node, Message.Bytes(new GetXattrIn { Size = 100 }), Message.Name("user.none")), mayFail: true);
    }

    public void Dispose()
    {
        _image.Dispose();
        _state.Dispose();
    }

    // The first regular file of the root directory.
    private string SomeFile(out ulong node)
    {
        var finder = default(FileFinder);
        Inode root = _image.GetRoot();
        _image.List(root, 0, ref finder);
        Assert.NotNull(finder.Name);
        int length = _dispatcher.Dispatch(Message.Request(Opcode.Lookup, 1, Message.Name(finder.Name)), _reply);
        node = Message.Body<EntryOut>(_reply.AsSpan(0, length)).NodeId;
        return finder.Name;
    }

    private void AssertAllocatesNothing(byte[] request, bool mayFail = false, Dispatcher? dispatcher = null)
    {
        dispatcher ??= _dispatcher;
        Assert.True(dispatcher.Dispatch(request, _reply) > 16 || mayFail);
        Assert.True(mayFail || Message.Header(_reply).Error == 0);
        AssertAllocatesNothing(() => dispatcher.Dispatch(request, _reply));
    }

    private static void AssertAllocatesNothing(Action answer)
    {
        const int Rounds = 20, Requests = 1000;
        long allocated = 0;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Requests; i++)
                answer();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated == 0)
                return;
            Thread.Sleep(100); // the runtime is still at work on the code, and allocates on our account
        }
        Assert.Fail($"{allocated} bytes for {Requests} requests, after {Rounds} rounds of them");
    }

    [SuppressMessage("Performance", "CA1812", Justification = "A visitor is made by default.")]
    private struct FileFinder : IDirectoryVisitor
    {
        public string? Name { get; private set; }

        public bool Visit(in ListedName entry)
        {
            if (entry.Type == FileType.Regular)
                Name = System.Text.Encoding.UTF8.GetString(entry.Name);
            return Name is null;
        }
    }
}
