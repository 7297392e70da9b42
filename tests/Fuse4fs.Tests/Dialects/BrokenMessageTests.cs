using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

/// <summary>Messages with handles, broken at random: one well-formed reply, never a check that was forgotten.</summary>
public class BrokenMessageTests
{
    private const int Rounds = 50_000;

    [Theory]
    [InlineData((uint)Dialect.RfcV2)]
    [InlineData((uint)Dialect.RfcV2Finished)]
    [InlineData((uint)Dialect.RfcV3)]
    public void Each_gets_one_well_formed_reply(uint dialect)
    {
        Dispatcher server = Vectors.Server((Dialect)dialect);
        byte[][] sound =
        [
            Vectors.LookupV2, Vectors.LookupV3,
            .. RfcV2Tests.Makers().Select(row => Message.Request((Opcode)(uint)row[0], Vectors.Directory, (byte[])row[1], [16, 0, 0, 0, 0, 0, 0, 0], Vectors.DirectoryHandle)),
        ];
        var random = new Random(43);
        byte[] reply = new byte[8192];
        var errors = new HashSet<Errno>();
        for (int round = 0; round < Rounds; round++)
        {
            byte[] request = Break(sound[random.Next(sound.Length)], random);
            int length = server.Dispatch(request, reply);
            OutHeader header = Message.Header(reply);
            Assert.Equal((uint)length, header.Length);
            Assert.Equal(BitConverter.ToUInt64(request, 8), header.Unique);
            Errno error = Vectors.Error(reply);
            Assert.True(error == Errno.Ok || length == 16, $"{error}, {length} bytes");
            // What exceptions of ours become.
            Assert.True(error != Errno.EUCLEAN, Convert.ToHexStringLower(request));
            errors.Add(error);
        }
        Assert.Superset(new HashSet<Errno> { Errno.Ok, Errno.EIO }, errors);
    }

    // Of the length that it says, and with the request's opcode: otherwise it would be nobody's.
    private static byte[] Break(byte[] sound, Random random)
    {
        List<byte> message = [.. sound];
        for (int changes = random.Next(1, 5); changes > 0; changes--)
        {
            int at = random.Next(36, message.Count);
            switch (random.Next(6))
            {
                case 0:
                    message.RemoveRange(Math.Max(at, 40), message.Count - Math.Max(at, 40));
                    break;
                case 1:
                    message.InsertRange(Math.Max(at, 40), new byte[random.Next(20)]);
                    break;
                case 2:
                    message[at] = byte.MaxValue;
                    break;
                case 3:
                    message[at] = 0;
                    break;
                default:
                    message[at] = (byte)random.Next(256);
                    break;
            }
            if (message.Count == 40)
                message.Add(0);
        }
        message[37] = 0; // few extensions
        message[36] %= (byte)Math.Min(8, ((message.Count - 40) / 8) + 1);
        byte[] request = [.. message];
        BitConverter.TryWriteBytes(request, request.Length);
        return request;
    }
}
