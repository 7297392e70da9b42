using System.Buffers.Binary;
using System.Text;

namespace TestSupport.FakeKernel;

/// <summary>
/// The kernel's side of the wire, written from include/uapi/linux/fuse.h and the patches alone: it shares nothing with the server, so that a mistake in one
/// is not one in both.
/// </summary>
internal static class Wire
{
    public const uint Lookup = 1, Forget = 2, GetAttr = 3, ReadLink = 5, MkDir = 9, Read = 15, Init = 26, ReadDir = 28, ReadDirPlus = 44, Statx = 52;
    public const uint LookupHandleV2 = 54, Compound = 54, LookupHandleV3 = 55;
    public const int InHeader = 40, OutHeader = 16, Entry = 128, Dirent = 24, HandleHeader = 8, MaxHandleV3 = 128;

    /// <summary>What came back for a name.</summary>
    internal sealed record EntryReply(ulong Node, ulong Generation, ulong EntryValid, ulong AttributesValid, Attributes Attributes, byte[]? Handle);

    public static byte[] Request(uint opcode, ulong unique, ulong node, params ReadOnlySpan<byte[]> arguments)
    {
        int length = InHeader;
        foreach (byte[] argument in arguments)
            length += argument.Length;
        byte[] request = new byte[length];
        BinaryPrimitives.WriteUInt32LittleEndian(request, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(4), opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(8), unique);
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(16), node);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(24), 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(28), 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(request.AsSpan(32), 4242);
        int at = InHeader;
        foreach (byte[] argument in arguments)
        {
            argument.CopyTo(request, at);
            at += argument.Length;
        }
        return request;
    }

    public static byte[] Name(string name) => [.. Encoding.UTF8.GetBytes(name), 0];

    public static byte[] ReadIn(ulong offset, uint size)
    {
        byte[] raw = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(raw.AsSpan(8), offset);
        BinaryPrimitives.WriteUInt32LittleEndian(raw.AsSpan(16), size);
        return raw;
    }

    public static byte[] HandleV2(byte[]? handle)
    {
        if (handle is null)
            return [];
        byte[] raw = new byte[HandleHeader + handle.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(raw, (uint)handle.Length);
        handle.CopyTo(raw, HandleHeader);
        return raw;
    }

    /// <summary>A LOOKUP_HANDLE and a STATX, as one.</summary>
    public static byte[] CompoundLookup(ulong unique, ulong parent, string name, byte[]? handle)
    {
        byte[] extension = [];
        if (handle is not null)
        {
            extension = new byte[(8 + 2 + handle.Length + 7) & ~7];
            BinaryPrimitives.WriteUInt32LittleEndian(extension, (uint)extension.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(extension.AsSpan(4), 33);
            BinaryPrimitives.WriteUInt16LittleEndian(extension.AsSpan(8), (ushort)handle.Length);
            handle.CopyTo(extension, 10);
        }
        byte[] statx = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(statx.AsSpan(20), 0xfff);
        byte[] compound = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(compound, 2);
        BinaryPrimitives.WriteUInt32LittleEndian(compound.AsSpan(8), 40 + 2 + MaxHandleV3 + 288);
        return Request(Compound, unique, 0, compound, Request(LookupHandleV3, 0, parent, Name(name), extension), Request(Statx, 0, 1, statx));
    }

    public static int Error(ReadOnlySpan<byte> reply) => -BinaryPrimitives.ReadInt32LittleEndian(reply[4..]);

    public static ulong Unique(ReadOnlySpan<byte> reply) => BinaryPrimitives.ReadUInt64LittleEndian(reply[8..]);

    /// <summary>fuse_entry_out, and the handle behind it where there has to be one.</summary>
    public static EntryReply ParseEntry(ReadOnlySpan<byte> body, bool hasHandle, int most)
    {
        ulong node = BinaryPrimitives.ReadUInt64LittleEndian(body);
        byte[]? handle = null;
        if (!hasHandle)
        {
            Refuse(body.Length != Entry, "an entry of another size");
        }
        else if (node != 0)
        {
            handle = ParseHandle(body[Entry..], most, out int used);
            Refuse(handle is null || used != body.Length - Entry, "an entry whose handle does not end it");
        }
        return ParseEntryHead(body, handle);
    }

    public static EntryReply ParseEntryHead(ReadOnlySpan<byte> body, byte[]? handle) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(body),
        BinaryPrimitives.ReadUInt64LittleEndian(body[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(body[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(body[24..]),
        ParseAttributes(body[40..]),
        handle);

    /// <summary>The handle of v2 at the start of some bytes; null for one of size 0.</summary>
    public static byte[]? ParseHandle(ReadOnlySpan<byte> bytes, int most, out int used)
    {
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        Refuse(size > most, $"a handle of {size} bytes");
        used = HandleHeader + (int)size;
        return size == 0 ? null : bytes.Slice(HandleHeader, (int)size).ToArray();
    }

    public static Attributes ParseAttributes(ReadOnlySpan<byte> attr)
    {
        long modified = Nanoseconds(attr, 32, 52), changed = Nanoseconds(attr, 40, 56);
        return new Attributes(
            BinaryPrimitives.ReadUInt64LittleEndian(attr), BinaryPrimitives.ReadUInt64LittleEndian(attr[8..]), BinaryPrimitives.ReadUInt32LittleEndian(attr[60..]),
            BinaryPrimitives.ReadUInt32LittleEndian(attr[68..]), modified, changed);
    }

    /// <summary>The reply to <see cref="CompoundLookup"/>: parts of the sizes that the kernel has reserved, or an error of the first that has one.</summary>
    public static int ParseCompound(ReadOnlySpan<byte> body, out EntryReply? entry)
    {
        entry = null;
        Refuse(BinaryPrimitives.ReadUInt32LittleEndian(body) != 2, "a compound of another number of parts");
        ReadOnlySpan<byte> lookup = body[16..];
        int length = BinaryPrimitives.ReadInt32LittleEndian(lookup);
        ReadOnlySpan<byte> statx = lookup[length..];
        if (Error(lookup) != 0)
            return Error(lookup);
        if (Error(statx) != 0)
            return Error(statx);
        Refuse(length != OutHeader + 40 + 2 + MaxHandleV3 || BinaryPrimitives.ReadInt32LittleEndian(statx) != OutHeader + 288 || statx.Length != OutHeader + 288, "parts of other sizes");
        ReadOnlySpan<byte> head = lookup[OutHeader..];
        int size = BinaryPrimitives.ReadUInt16LittleEndian(head[40..]);
        Refuse(size is 0 or > MaxHandleV3, $"a handle of {size} bytes");
        ReadOnlySpan<byte> stat = statx[(OutHeader + 32)..];
        var attributes = new Attributes(
            BinaryPrimitives.ReadUInt64LittleEndian(stat[32..]), BinaryPrimitives.ReadUInt64LittleEndian(stat[40..]), BinaryPrimitives.ReadUInt16LittleEndian(stat[28..]),
            BinaryPrimitives.ReadUInt32LittleEndian(stat[20..]), Nanoseconds(stat, 112, 120), Nanoseconds(stat, 96, 104));
        ulong valid = BinaryPrimitives.ReadUInt64LittleEndian(head[16..]);
        entry = new EntryReply(
            BinaryPrimitives.ReadUInt64LittleEndian(head), BinaryPrimitives.ReadUInt64LittleEndian(head[8..]), valid, valid, attributes, head.Slice(42, size).ToArray());
        return 0;
    }

    /// <summary>A reply that the kernel would not take: a bug of the server's, whatever else is tested.</summary>
    public static void Refuse(bool wrong, string why)
    {
        if (wrong)
            throw new InvalidDataException($"the kernel refuses {why}");
    }

    private static long Nanoseconds(ReadOnlySpan<byte> raw, int seconds, int nanoseconds) =>
        (BinaryPrimitives.ReadInt64LittleEndian(raw[seconds..]) * 1_000_000_000) + BinaryPrimitives.ReadUInt32LittleEndian(raw[nanoseconds..]);
}
