using System.Diagnostics;
using Fuse4fs.Device;
using Fuse4fs.State;
using Xunit;

namespace Fuse4fs.Tests;

public class DeviceTests
{
    [Fact]
    public void A_message_carries_an_open_file()
    {
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        using var sender = new MessageSocket(ours);
        using var receiver = new MessageSocket(theirs);
        (Descriptor read, Descriptor write) = Descriptor.Pipe();
        Assert.True(sender.Send([3], read));
        Assert.Equal([3], receiver.Receive(new byte[10], out Descriptor? arrived).ToArray());
        Assert.Equal(Protocol.Errno.Ok, write.Write("through"u8));
        byte[] buffer = new byte[10];
        Assert.Equal(7, arrived!.Read(buffer, out _));
        Assert.Equal("through"u8, buffer.AsSpan(0, 7));
        read.Dispose();
        write.Dispose();
        arrived.Dispose();
    }

    [Fact]
    public void A_closed_socket_is_an_empty_message()
    {
        (Descriptor ours, Descriptor theirs) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        using var receiver = new MessageSocket(ours);
        theirs.Dispose();
        Assert.True(receiver.Receive(new byte[10], out _).IsEmpty);
        Assert.False(receiver.Send([1]));
    }

    [Fact]
    public void A_child_has_the_descriptors_it_was_given_and_no_others()
    {
        (Descriptor read, Descriptor write) = Descriptor.Pipe();
        using Descriptor? secret = Descriptor.TryOpen("/dev/null", Libc.O_RDONLY, out _);
        ChildProcess child = ChildProcess.Start(["/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' ' >&7; exit 5"], ["PATH=/bin:/usr/bin"], [(write, 7)], newSession: false);
        write.Dispose();
        byte[] buffer = new byte[100];
        int count = read.Read(buffer, out _);
        // ls itself has 0 to 2, 7, and one for the directory it lists.
        Assert.Equal("0 1 2 3 7 ", System.Text.Encoding.UTF8.GetString(buffer, 0, count));
        Assert.True(child.HasEnded(5000));
        Assert.Equal(5, child.ExitCode);
        Assert.Equal("exit 5", child.DescribeEnd());
        read.Dispose();
    }

    [Fact]
    public void A_killed_child_says_so()
    {
        ChildProcess child = ChildProcess.Start(["sleep", "60"], environment: null, [], newSession: true);
        Assert.False(child.HasEnded());
        child.Kill();
        Assert.True(child.HasEnded());
        Assert.Equal("signal 9", child.DescribeEnd());
        Assert.Equal(137, child.ExitCode);
    }

    [Fact]
    public void A_program_that_is_not_there_is_an_error_at_once() =>
        Assert.Equal(Protocol.Errno.ENOENT, Assert.Throws<SystemCallException>(() => ChildProcess.Start(["/nowhere/at-all"], [], [], newSession: false)).Errno);

    [Fact]
    public void A_resident_buffer_has_all_its_pages()
    {
        using var buffer = new ResidentBuffer(1 << 20);
        buffer.Span[^1] = 1; // would fault if it were not mapped
        // Pages of this thread (others run tests of their own), before and after: touching the rest adds none.
        long before = Faults();
        for (int i = 0; i < buffer.Length; i += 4096)
            buffer.Span[i] = 1;
        Assert.InRange(Faults() - before, 0, 50); // 256 if the pages were absent
    }

    [Fact]
    public void State_is_the_same_for_all_who_hold_it()
    {
        using SessionState state = SessionState.Create(new ServeOptions { ImageOffset = 5, UserId = -1 });
        using SessionState? attached = SessionState.TryAttach(state.Descriptor.Duplicate(), out string? problem);
        Assert.Null(problem);
        Assert.Equal(5, attached!.Options.ImageOffset);
        attached.Negotiated.MaxPages = 17;
        state.PrimingToken = 9;
        Assert.Equal(17u, state.Negotiated.MaxPages);
        Assert.Equal(9u, attached.PrimingToken);
        Assert.Equal(Environment.ProcessId, attached.SupervisorId);
    }

    [Fact]
    public void State_of_another_version_is_refused()
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096);
        Assert.Null(SessionState.TryAttach(memory.Descriptor.Duplicate(), out string? problem));
        Assert.Contains("not one of fuse4fs", problem);
        "F4FSSTAT"u8.CopyTo(memory.Span);
        memory.Span[8] = 99;
        Assert.Null(SessionState.TryAttach(memory.Descriptor.Duplicate(), out problem));
        Assert.Contains("the mount has 99", problem);
    }

    [Fact]
    public void Shared_memory_cannot_be_shrunk_under_its_users()
    {
        using SharedMemory memory = SharedMemory.Create("test", 8192);
        Assert.Equal(-1, Libc.FTruncate(memory.Descriptor.Number, 4096));
        Assert.Equal(-1, Libc.FTruncate(memory.Descriptor.Number, 16384));
    }

    private static long Faults() => long.Parse(File.ReadAllText("/proc/thread-self/stat").Split(')')[1].Split(' ')[8]);
}
