using Fuse4fs.Server;
using Fuse4fs.State;
using Handles;
using TestSupport;
using Xunit;

namespace Fuse4fs.Tests;

public sealed class KnownInodesTests : IDisposable
{
    private readonly SessionState _state = SessionState.Create(default, tableBytes: 16 << 20);

    [Fact]
    public void An_inode_is_new_once()
    {
        var handle = new FileHandle(12, 0x1a2b3c4d);
        Assert.True(_state.Known.Add(handle, out KnownInodes.Slot slot));
        Assert.Equal(0UL, slot.Fingerprint);
        slot.Fingerprint = 98;
        Assert.False(_state.Known.Add(handle, out KnownInodes.Slot again));
        Assert.Equal(98UL, again.Fingerprint);
    }

    [Fact]
    public void What_is_former_is_marked_until_its_fingerprint_is_noted()
    {
        Assert.True(_state.Known.Add(new FileHandle(12, 1), out KnownInodes.Slot slot));
        slot.Fingerprint = 98;
        Assert.False(slot.IsFormer);
        slot.MarkFormer(98);
        Assert.False(_state.Known.Add(new FileHandle(12, 1), out KnownInodes.Slot same));
        Assert.True(same.IsFormer);
        Assert.Equal(98UL, same.Fingerprint);
        same.MarkFormer(0);
        Assert.True(slot.IsFormer);
        Assert.Equal(0UL, slot.Fingerprint);
        slot.Fingerprint = 100;
        Assert.False(same.IsFormer);
    }

    [Fact]
    public void Fingerprints_leave_room_for_the_mark()
    {
        var random = new Random(1);
        byte[] record = new byte[256];
        for (int i = 0; i < 1000; i++)
        {
            random.NextBytes(record);
            ulong fingerprint = InodeFingerprint.Of(record);
            Assert.True(fingerprint != 0 && fingerprint % 2 == 0);
        }
    }

    [Fact]
    public void A_table_without_room_is_lost_from_the_first_inode_on()
    {
        using SessionState none = SessionState.Create(default, tableBytes: 0);
        Assert.False(none.Known.Add(new FileHandle(12, 1), out KnownInodes.Slot slot) || slot.IsValid);
        Assert.True(none.Known.HasOverflowed);
        none.Known.ForEach((_, _) => Assert.Fail("there is nothing"));
    }

    [Fact]
    public void Another_generation_is_another_inode()
    {
        Assert.True(_state.Known.Add(new FileHandle(12, 1), out _));
        Assert.True(_state.Known.Add(new FileHandle(12, 2), out _));
        Assert.True(_state.Known.Add(new FileHandle(12, 0), out _));
    }

    [Fact]
    public void All_that_went_in_comes_out_over_all_levels()
    {
        const int Count = 100_000;
        for (uint i = 1; i <= Count; i++)
        {
            Assert.True(_state.Known.Add(new FileHandle(i, i * 7), out KnownInodes.Slot slot));
            slot.Fingerprint = i * 2;
        }
        var seen = new HashSet<uint>();
        _state.Known.ForEach((handle, slot) =>
        {
            Assert.Equal(handle.Inode * 7, handle.Generation);
            Assert.Equal(handle.Inode * 2, slot.Fingerprint);
            Assert.True(seen.Add(handle.Inode));
        });
        Assert.Equal(Count, seen.Count);
        Assert.False(_state.Known.HasOverflowed);
    }

    [Fact]
    public void A_table_that_is_full_says_so()
    {
        using SessionState small = SessionState.Create(default, tableBytes: 64 << 10);
        for (uint i = 1; i <= 10_000; i++)
            _ = small.Known.Add(new FileHandle(i, 1), out _);
        Assert.True(small.Known.HasOverflowed);
        Assert.False(small.Known.Add(new FileHandle(20_000_000, 1), out KnownInodes.Slot none) || none.IsValid);
    }

    [Fact]
    public void Threads_that_add_the_same_inodes_add_them_once()
    {
        int added = 0;
        Parallel.For(0, 4, _ =>
        {
            for (uint i = 1; i <= 20_000; i++)
                if (_state.Known.Add(new FileHandle(i, 3), out KnownInodes.Slot slot))
                {
                    slot.Fingerprint = i * 2;
                    Interlocked.Increment(ref added);
                }
        });
        Assert.Equal(20_000, added);
    }

    [Fact]
    public void Another_process_sees_the_same_table()
    {
        Assert.True(_state.Known.Add(new FileHandle(5, 6), out KnownInodes.Slot slot));
        slot.Fingerprint = 8;
        using SessionState? successor = SessionState.TryAttach(_state.Descriptor.Duplicate(), out _);
        Assert.False(successor!.Known.Add(new FileHandle(5, 6), out KnownInodes.Slot seen));
        Assert.Equal(8UL, seen.Fingerprint);
    }

    [Fact]
    public void An_empty_table_costs_no_memory()
    {
        using SessionState large = SessionState.Create(default);
        _ = large.Known.Add(new FileHandle(1, 1), out _);
        large.Known.ForEach((_, _) => { });
        string[] sizes = Command.Run("stat", "-L", "-c", "%s %b", $"/proc/{Environment.ProcessId}/fd/{large.Descriptor.Number}").OrThrow().Output.Split(' ');
        Assert.InRange(long.Parse(sizes[0]), 256 << 20, 257 << 20);
        Assert.InRange(long.Parse(sizes[1]) * 512, 0, 256 << 10);
    }

    public void Dispose() => _state.Dispose();
}
