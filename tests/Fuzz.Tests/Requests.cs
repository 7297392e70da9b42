using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuzz.Tests;

/// <summary>Makes requests: what a kernel may send, what it would never send, and noise.</summary>
internal sealed class Requests(Random random, IReadOnlyList<ulong> nodes, IReadOnlyList<byte[]> names)
{
    private const int HighestOpcode = 60;

    public byte[] Next()
    {
        Opcode opcode = random.Next(4) == 0 ? (Opcode)random.Next(HighestOpcode) : Common[random.Next(Common.Length)];
        byte[] message = Message(opcode, random.Next(8) == 0 ? Noise() : Arguments(opcode));
        if (random.Next(10) == 0)
            Damage(message);
        return random.Next(20) == 0 ? message[..random.Next(message.Length + 1)] : message;
    }

    private static ReadOnlySpan<Opcode> Common =>
    [
        Opcode.Lookup, Opcode.GetAttr, Opcode.StatX, Opcode.Read, Opcode.ReadDir, Opcode.ReadDirPlus, Opcode.ReadLink, Opcode.GetXattr, Opcode.ListXattr,
        Opcode.LSeek, Opcode.IoCtl, Opcode.Access, Opcode.StatFs, Opcode.Forget, Opcode.BatchForget,
    ];

    private static readonly uint[] Ioctls = [0x80086601, 0x80087601, 0x801C581F, 0x81009431, 0, uint.MaxValue];

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    private byte[] Message(Opcode opcode, byte[] arguments)
    {
        byte[] extensions = random.Next(10) == 0 ? new byte[8 * random.Next(4)] : [];
        var header = new InHeader
        {
            Length = (uint)(Unsafe.SizeOf<InHeader>() + arguments.Length + extensions.Length),
            Opcode = opcode,
            Unique = (ulong)random.NextInt64() | ((ulong)random.Next(2) << 63),
            NodeId = Node(),
            UserId = (uint)random.Next(2),
            TotalExtLength = (ushort)(extensions.Length / 8),
        };
        return [.. Bytes(header), .. arguments, .. extensions];
    }

    private ulong Node() => random.Next(12) switch
    {
        0 => Number(),
        1 => nodes[random.Next(nodes.Count)] ^ (1UL << random.Next(64)),
        2 => 1,
        _ => nodes[random.Next(nodes.Count)],
    };

    private byte[] Arguments(Opcode opcode) => opcode switch
    {
        Opcode.Lookup => Name(),
        Opcode.GetAttr => Bytes(new GetAttrIn { GetAttrFlags = Word() }),
        Opcode.StatX => Bytes(new StatxIn { StatxMask = Word() }),
        Opcode.Read or Opcode.ReadDir or Opcode.ReadDirPlus => Bytes(new ReadIn { OpenId = Number(), Offset = Offset(), Size = Size() }),
        Opcode.GetXattr => [.. Bytes(new GetXattrIn { Size = Size() }), .. Attribute()],
        Opcode.ListXattr => Bytes(new GetXattrIn { Size = Size() }),
        Opcode.LSeek => Bytes(new LSeekIn { Offset = Offset(), Whence = random.Next(3) == 0 ? Word() : (uint)random.Next(3, 5) }),
        Opcode.IoCtl => Bytes(new IoctlIn { Command = Ioctls[random.Next(Ioctls.Length)], OutSize = Size(), InSize = Size() }),
        Opcode.Access => Bytes(new AccessIn { Mask = Word() }),
        Opcode.Forget => Bytes(new ForgetIn { LookupCount = Number() }),
        Opcode.ReadLink or Opcode.StatFs => [],
        _ => Noise(),
    };

    private byte[] Name()
    {
        byte[] name = random.Next(3) switch
        {
            0 => names[random.Next(names.Count)],
            1 => "."u8.ToArray(),
            _ => Noise(),
        };
        return random.Next(20) == 0 ? name : [.. name, 0];
    }

    private byte[] Attribute() => random.Next(4) switch
    {
        0 => "user.comment\0"u8.ToArray(),
        1 => "system.posix_acl_access\0"u8.ToArray(),
        2 => "system.data\0"u8.ToArray(),
        _ => Name(),
    };

    private byte[] Noise()
    {
        byte[] noise = new byte[random.Next(random.Next(4) == 0 ? 5000 : 80)];
        random.NextBytes(noise);
        return noise;
    }

    private ulong Number() => random.Next(5) switch
    {
        0 => 0,
        1 => ulong.MaxValue - (ulong)random.Next(3),
        2 => (ulong)long.MaxValue - (ulong)random.Next(3) + 1,
        3 => 1UL << random.Next(64),
        _ => (ulong)random.NextInt64(),
    };

    private ulong Offset() => random.Next(3) == 0 ? Number() : (ulong)random.Next(400_000);

    private uint Size() => random.Next(3) == 0 ? Word() : (uint)random.Next(70_000);

    private uint Word() => (uint)(Number() & uint.MaxValue);

    private void Damage(byte[] message)
    {
        for (int changes = random.Next(1, 4); changes > 0; changes--)
            message[random.Next(message.Length)] = (byte)random.Next(256);
    }
}
