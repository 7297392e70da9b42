using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Server;
using Fuse4fs.Session;
using Fuse4fs.State;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>The session over a socket pair that keeps message borders and hangs up as /dev/fuse does.</summary>
public class SessionTests
{
    [Fact]
    public void Requests_are_answered_until_the_device_hangs_up()
    {
        (Descriptor kernel, Descriptor server) = Descriptor.SocketPair(Libc.SOCK_SEQPACKET);
        using var device = new FuseDevice(server);
        var session = new FuseSession(device, new Dispatcher(new FakeFileSystem(), new FaultLog(NullLogger.Instance)), new Negotiated { MaxPages = 32, MaxWrite = 4096 }, NullLogger.Instance);
        var thread = new Thread(() => session.Run(2));
        thread.Start();
        byte[] reply = new byte[8192];
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(Errno.Ok, kernel.Write(Message.Request(Opcode.Lookup, 1, Message.Name("hello"))));
            int length = kernel.Read(reply, out _);
            Assert.Equal(144, length);
            Assert.Equal(FakeFileSystem.File, Message.Body<EntryOut>(reply).NodeId);
        }
        kernel.Dispose();
        Assert.True(thread.Join(5000));
    }
}
