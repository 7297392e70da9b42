using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol.Dialects;

namespace Fuse4fs.Protocol;

/// <summary>
/// Packs a listing into the payload of READDIR or READDIRPLUS until it is full.
/// </summary>
/// <remarks>
/// <code>
/// READDIR      | Dirent 24 | name, zeros to 8 | Dirent 24 | …
/// READDIRPLUS  | EntryOut 128 | Dirent 24 | name, zeros to 8 | EntryOut 128 | …
/// </code>
/// With handles, room for one is left behind each name of READDIRPLUS; whoever knows them fills it afterwards (<see cref="RfcV2.NextListed"/>).
/// </remarks>
internal ref struct DirectoryWriter
{
    private readonly Span<byte> _payload;
    private readonly int _entrySize;
    private readonly int _handleSpace; // behind a name
    private readonly int _noHandleSpace; // behind a name without an entry

    /// <param name="payload">As many bytes as the caller has room for.</param>
    /// <param name="plus">READDIRPLUS: each name comes with its entry.</param>
    /// <param name="handleSize">The bytes of a handle, for which READDIRPLUS leaves room; 0 where the kernel has none.</param>
    public DirectoryWriter(Span<byte> payload, bool plus, int handleSize = 0)
    {
        _payload = payload;
        if (!plus)
            return;
        _entrySize = Unsafe.SizeOf<EntryOut>();
        if (handleSize == 0)
            return;
        _handleSpace = RfcV2.ListedSize(handleSize);
        _noHandleSpace = RfcV2.ListedSize(0);
    }

    /// <summary>Bytes written so far: the length of the reply.</summary>
    public int Count { get; private set; }

    /// <summary>Whether a name of this length still fits. Asked before the entry's inode is read.</summary>
    public readonly bool HasRoomFor(int nameLength) => RecordSize(nameLength) + _handleSpace <= _payload.Length - Count;

    /// <summary>Writes one name. It must fit (<see cref="HasRoomFor"/>).</summary>
    /// <param name="entry">What LOOKUP would answer; nodeid 0 for "no entry here, look it up". Ignored by READDIR.</param>
    /// <param name="ino">The inode number that getdents(2) shows.</param>
    /// <param name="cookie">Where a listing that goes on after this name starts.</param>
    /// <param name="type">The file type bits of a mode, shifted right by 12; 0 for unknown.</param>
    /// <param name="name">The name, 1 to 255 bytes.</param>
    public void Add(in EntryOut entry, ulong ino, ulong cookie, uint type, ReadOnlySpan<byte> name)
    {
        Span<byte> record = _payload.Slice(Count, RecordSize(name.Length) + (entry.NodeId == 0 ? _noHandleSpace : _handleSpace));
        record.Clear();
        if (_entrySize != 0)
            MemoryMarshal.Write(record, in entry);
        var dirent = new Dirent { Ino = ino, Offset = cookie, NameLength = (uint)name.Length, Type = type };
        MemoryMarshal.Write(record[_entrySize..], in dirent);
        name.CopyTo(record[(_entrySize + Unsafe.SizeOf<Dirent>())..]);
        Count += record.Length;
    }

    /// <summary>Where a listing that goes on after the last name of a reply to READDIRPLUS starts.</summary>
    /// <param name="payload">The reply, at least one name of it, without handles.</param>
    public static ulong LastCookie(ReadOnlySpan<byte> payload)
    {
        while (true)
        {
            Dirent dirent = MemoryMarshal.Read<Dirent>(payload[Unsafe.SizeOf<EntryOut>()..]);
            int length = (Unsafe.SizeOf<EntryOut>() + Unsafe.SizeOf<Dirent>() + (int)dirent.NameLength + 7) & ~7;
            if (length >= payload.Length)
                return dirent.Offset;
            payload = payload[length..];
        }
    }

    private readonly int RecordSize(int nameLength) => (_entrySize + Unsafe.SizeOf<Dirent>() + nameLength + 7) & ~7;
}
