using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;

namespace Fuse4fs.Tests;

/// <summary>Makes requests as a kernel would and takes replies apart.</summary>
internal static class Message
{
    public const ulong Unique = 0x8000000000000012; // a resent one: bit 63 must come back

    public static byte[] Request(Opcode opcode, ulong nodeId, params byte[][] arguments)
    {
        byte[] body = [.. arguments.SelectMany(argument => argument)];
        var header = new InHeader { Length = (uint)(Unsafe.SizeOf<InHeader>() + body.Length), Opcode = opcode, Unique = Unique, NodeId = nodeId };
        return [.. Bytes(header), .. body];
    }

    public static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    public static byte[] Name(string name) => [.. System.Text.Encoding.UTF8.GetBytes(name), 0];

    public static OutHeader Header(ReadOnlySpan<byte> reply) => MemoryMarshal.Read<OutHeader>(reply);

    public static T Body<T>(ReadOnlySpan<byte> reply)
        where T : unmanaged => MemoryMarshal.Read<T>(reply[Unsafe.SizeOf<OutHeader>()..]);
}
