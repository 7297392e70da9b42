using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Xunit;

namespace Fuzz.Tests;

/// <summary>What the kernel demands of a reply; it refuses others, and the caller gets EIO.</summary>
internal static class ReplyCheck
{
    private const int LargestErrno = 4095;
    private static readonly int HeaderSize = Unsafe.SizeOf<OutHeader>();

    public static void IsWellFormed(ReadOnlySpan<byte> request, ReadOnlySpan<byte> reply)
    {
        bool isRequest = RequestReader.TryOpen(request, out RequestReader reader);
        bool expectsNone = !isRequest || reader.Header.Opcode is Opcode.Forget or Opcode.BatchForget or Opcode.Interrupt or Opcode.NotifyReply;
        if (expectsNone)
        {
            Assert.Equal(0, reply.Length);
            return;
        }

        Assert.True(reply.Length >= HeaderSize, "no reply");
        OutHeader header = MemoryMarshal.Read<OutHeader>(reply);
        Assert.Equal((uint)reply.Length, header.Length);
        Assert.Equal(reader.Header.Unique, header.Unique);
        Assert.InRange(header.Error, -LargestErrno, 0);
        ReadOnlySpan<byte> body = reply[HeaderSize..];
        if (header.Error != 0)
            Assert.Equal(0, body.Length);
        else
            CheckBody(ref reader, body);
    }

    private static void CheckBody(ref RequestReader request, ReadOnlySpan<byte> body)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Lookup:
                Assert.Equal(Unsafe.SizeOf<EntryOut>(), body.Length);
                break;
            case Opcode.GetAttr:
                Assert.Equal(Unsafe.SizeOf<AttrOut>(), body.Length);
                break;
            case Opcode.StatX:
                Assert.Equal(Unsafe.SizeOf<StatxOut>(), body.Length);
                break;
            case Opcode.StatFs:
                Assert.Equal(Unsafe.SizeOf<StatFsOut>(), body.Length);
                break;
            case Opcode.LSeek:
                Assert.Equal(Unsafe.SizeOf<LSeekOut>(), body.Length);
                Assert.True(MemoryMarshal.Read<LSeekOut>(body).Offset <= long.MaxValue);
                break;
            case Opcode.Read:
                CheckRoom(ref request, body);
                break;
            case Opcode.ReadDir:
                CheckNames(body, 0);
                CheckRoom(ref request, body);
                break;
            case Opcode.ReadDirPlus:
                CheckNames(body, Unsafe.SizeOf<EntryOut>());
                CheckRoom(ref request, body);
                break;
            case Opcode.GetXattr:
            case Opcode.ListXattr:
                Assert.True(request.TryRead(out GetXattrIn xattr));
                if (xattr.Size == 0)
                    Assert.Equal(Unsafe.SizeOf<GetXattrOut>(), body.Length);
                else
                    Assert.True((uint)body.Length <= xattr.Size, "more than there is room for");
                break;
            case Opcode.ReadLink:
                Assert.InRange(body.Length, 1, 4095);
                Assert.False(body.Contains((byte)0), "a NUL in a link");
                break;
            case Opcode.IoCtl:
                Assert.True(request.TryRead(out IoctlIn ioctl));
                Assert.InRange(body.Length, Unsafe.SizeOf<IoctlOut>(), Unsafe.SizeOf<IoctlOut>() + (int)Math.Min(ioctl.OutSize, 1 << 20));
                break;
            default:
                Assert.Equal(0, body.Length);
                break;
        }
    }

    private static void CheckRoom(ref RequestReader request, ReadOnlySpan<byte> body)
    {
        Assert.True(request.TryRead(out ReadIn read));
        Assert.True((uint)body.Length <= read.Size, "more than there is room for");
    }

    private static void CheckNames(ReadOnlySpan<byte> body, int entrySize)
    {
        while (!body.IsEmpty)
        {
            Assert.True(body.Length >= entrySize + Unsafe.SizeOf<Dirent>(), "half a name");
            Dirent name = MemoryMarshal.Read<Dirent>(body[entrySize..]);
            int length = entrySize + Unsafe.SizeOf<Dirent>() + (int)name.NameLength;
            Assert.InRange(name.NameLength, 1u, 255u);
            Assert.InRange(name.Offset, 1ul, (ulong)long.MaxValue);
            Assert.True(body.Length >= ((length + 7) & ~7), "a name is cut off");
            Assert.False(body[(entrySize + Unsafe.SizeOf<Dirent>())..length].IndexOfAny((byte)'/', (byte)0) >= 0, "a name that nobody may get");
            body = body[((length + 7) & ~7)..];
        }
    }
}
