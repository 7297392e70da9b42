using System.Buffers.Binary;
using System.Text;

namespace TestSupport.FakeKernel;

/// <summary>
/// The other end of the protocol: what Linux keeps of a FUSE mount and when it asks. Inodes by nodeid, with their handles; names with timeouts and epochs; attributes
/// and pages; bad inodes; lookup counts; requests that are sent again when the server dies. Follows fs/fuse/dir.c, inode.c, readdir.c and file.c, one caller at a time.
/// </summary>
public sealed partial class KernelModel
{
    public const int Ok = 0, NotFound = 2, InputOutput = 5, NotDirectory = 20, Invalid = 22, ReadOnly = 30, Stale = 116;

    private const ulong RootNode = 1;
    private const ulong ResendBit = 1UL << 63;

    private readonly IFuseServer _server;
    private readonly Action _died;
    private readonly Dictionary<ulong, KernelInode> _inodes = [];
    private ulong _unique = 2;
    private int _epoch = 1;
    private int _restarts;
    private int _maxHandle; // 0: no handles

    /// <param name="form">Which kernel.</param>
    /// <param name="server">Who answers.</param>
    /// <param name="died">Called when the server died: on return there is another one.</param>
    public KernelModel(KernelForm form, IFuseServer server, Action died)
    {
        Form = form;
        _server = server;
        _died = died;
        Root = new KernelInode(RootNode, 0, 0x4000) { Lookups = 1 };
        _inodes.Add(RootNode, Root);
    }

    public KernelForm Form { get; }

    public KernelInode Root { get; }

    /// <summary>Requests that were made.</summary>
    public long Requests { get; private set; }

    /// <summary>The clock of timeouts, in seconds.</summary>
    public long Now { get; set; }

    /// <summary>Whether handles were negotiated.</summary>
    public bool HasHandles => _maxHandle != 0;

    private bool Asks => Form == KernelForm.RfcV2Finished && HasHandles;

    private bool HasPlus { get; set; }

    private bool HasExport { get; set; }

    /// <summary>The body of INIT as this kernel sends it.</summary>
    public byte[] InitIn()
    {
        const ulong Linux618 = 0x7fd_73fffffb;
        ulong flags = Form switch
        {
            KernelForm.RfcV2 => Linux618 | 54, // the number of the opcode in place of the bit
            KernelForm.RfcV2Finished => Linux618 | (1UL << 43),
            KernelForm.RfcV3 => Linux618 | 55,
            _ => Linux618,
        };
        byte[] body = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(body, 7);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), Form == KernelForm.RfcV3 ? 46u : 45u);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(8), 131072);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(12), (uint)(flags & uint.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(16), (uint)(flags >> 32));
        return body;
    }

    /// <summary>Takes the answer to INIT, without its header.</summary>
    public void Initialize(ReadOnlySpan<byte> body)
    {
        Wire.Refuse(body.Length != 64, "an answer to INIT of another size");
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(body[12..]);
        uint flags2 = (flags & (1u << 30)) != 0 ? BinaryPrimitives.ReadUInt32LittleEndian(body[32..]) : 0;
        HasPlus = (flags & (1u << 13)) != 0;
        HasExport = (flags & (1u << 4)) != 0;
        if ((flags2 & (1u << 11)) == 0 || Form == KernelForm.Stock)
            return;
        _maxHandle = Form == KernelForm.RfcV3 ? Wire.MaxHandleV3 : BinaryPrimitives.ReadUInt16LittleEndian(body[42..]);
        Wire.Refuse(_maxHandle is < 1 or > 128, "this size of handles");
        Wire.Refuse(Form is KernelForm.RfcV2 && (HasPlus || HasExport), "what does not work here");
        Wire.Refuse(Form is KernelForm.RfcV3 && HasPlus, "what does not work here");
        if (Asks)
            _restarts = 1; // the root was not asked for its handle yet
    }

    /// <summary>A message of the server's that answers nothing.</summary>
    public void Notify(ReadOnlySpan<byte> message)
    {
        Wire.Refuse(BinaryPrimitives.ReadUInt32LittleEndian(message) != message.Length || Wire.Unique(message) != 0, "a notification of this form");
        switch (-Wire.Error(message))
        {
            case 2: // INVAL_INODE
                if (!_inodes.TryGetValue(BinaryPrimitives.ReadUInt64LittleEndian(message[16..]), out KernelInode? inode))
                    return;
                inode.HasAttributes = false;
                if (BinaryPrimitives.ReadInt64LittleEndian(message[24..]) >= 0)
                    inode.Page = null;
                return;
            case 8: // INC_EPOCH
                _epoch++;
                return;
            case 10 when Asks: // RESTARTED
                _restarts++;
                return;
            default:
                Wire.Refuse(true, "a notification that it does not know");
                return;
        }
    }

    /// <summary>What stat(2) shows of an inode that is held.</summary>
    public int Stat(KernelInode inode, out Attributes attributes)
    {
        attributes = default;
        int error = Check(inode);
        if (error == Ok && (!inode.HasAttributes || inode.AttributesUntil < Now))
            error = AskAttributes(inode);
        attributes = inode.Attributes;
        return error;
    }

    /// <summary>What read(2) or readlink(2) shows from the start of an inode that is held.</summary>
    public int Read(KernelInode inode, out string contents)
    {
        contents = "";
        int error = Check(inode);
        // With AUTO_INVAL_DATA a read of a file looks at the attributes first.
        if (error == Ok && !inode.IsLink)
            error = Stat(inode, out _);
        if (error == Ok && inode.Page is null)
        {
            byte[]? reply = inode.IsLink ? Ask(Wire.ReadLink, inode.Node) : Ask(Wire.Read, inode.Node, Wire.ReadIn(0, 4096));
            error = Wire.Error(reply);
            if (error == Ok)
                inode.Page = reply[Wire.OutHeader..];
        }
        if (error == Ok)
            contents = Encoding.UTF8.GetString(inode.Page!);
        return error;
    }

    /// <summary>mkdir(2), which a read-only server refuses.</summary>
    public int MakeDirectory(KernelInode directory, string name)
    {
        int error = Check(directory);
        return error != Ok ? error : Wire.Error(Ask(Wire.MkDir, directory.Node, new byte[8], Wire.Name(name), Form is KernelForm.RfcV2 or KernelForm.RfcV2Finished ? Wire.HandleV2(directory.Handle) : []));
    }

    /// <summary>open_by_handle_at(2) with what name_to_handle_at(2) gave: nodeid, generation and the server's handle.</summary>
    public int OpenByHandle(ulong node, uint generation, byte[]? handle, out KernelInode? inode)
    {
        int error = Ok;
        if (_inodes.TryGetValue(node, out inode))
        {
            error = Asks ? Check(inode) : Ok;
        }
        else
        {
            if (!HasExport)
                return Stale;
            int epoch = _epoch, restarts = _restarts;
            error = AskEntry(node, Asks ? handle : null, ".", out Wire.EntryReply? reply);
            if (error == Ok && reply is null)
                error = NotFound;
            if (error == Ok)
                error = Get(reply!, restarts, out inode);
        }
        if (error == Ok && (inode!.Generation != generation || (Asks && handle is not null && inode.Handle is not null && !inode.Handle.AsSpan().SequenceEqual(handle))))
            error = Stale;
        return error is Ok or InputOutput ? error : Stale;
    }

    /// <summary>Forgets all that nobody holds, as under memory pressure, and says so to the server.</summary>
    public void DropCaches(IReadOnlyCollection<KernelInode> held)
    {
        foreach (KernelInode inode in _inodes.Values)
            inode.Names.Clear();
        foreach (KernelInode inode in held)
            inode.Names.Clear();
        foreach (KernelInode inode in _inodes.Values.Where(inode => inode.Node != RootNode && !held.Contains(inode)).ToArray())
        {
            _inodes.Remove(inode.Node);
            Forget(inode.Node, inode.Lookups);
        }
    }

    // May the inode be used? A kernel that knows of a restart asks for it first, once.
    private int Check(KernelInode inode)
    {
        if (inode.IsBad)
            return inode.IsStale ? Stale : InputOutput;
        if (!Asks || inode.Confirmed == _restarts)
            return Ok;
        int restarts = _restarts;
        int error = AskEntry(inode.Node, inode.Handle, ".", out Wire.EntryReply? reply);
        if (error is NotFound or Stale || (error == Ok && reply is null))
            return MakeStale(inode);
        if (error != Ok)
            return error;
        if (reply!.Node != inode.Node)
        {
            Forget(reply.Node, 1);
            return MakeStale(inode);
        }
        inode.Lookups++;
        if (IsOther(inode, reply) || !Matches(inode, reply.Handle))
            return MakeStale(inode);
        Change(inode, reply, restarts);
        return Ok;
    }

    private int AskAttributes(KernelInode inode)
    {
        byte[] reply = Ask(Wire.GetAttr, inode.Node, new byte[16]);
        if (Wire.Error(reply) != 0)
            return Wire.Error(reply);
        ReadOnlySpan<byte> body = reply.AsSpan(Wire.OutHeader);
        Wire.Refuse(body.Length != 104, "attributes of another size");
        Attributes attributes = Wire.ParseAttributes(body[16..]);
        if ((attributes.Mode & 0xf000) != inode.Type)
        {
            inode.IsBad = true;
            return InputOutput;
        }
        Set(inode, attributes, BinaryPrimitives.ReadUInt64LittleEndian(body), changedAtAll: false);
        return Ok;
    }

    private int MakeStale(KernelInode inode)
    {
        inode.IsBad = inode.IsStale = true;
        if (inode != Root)
            _inodes.Remove(inode.Node);
        return Stale;
    }

    // fuse_stale_inode(): the node is used for something else.
    private static bool IsOther(KernelInode inode, Wire.EntryReply reply) =>
        inode.Generation != (uint)(reply.Generation & uint.MaxValue) || inode.Type != (reply.Attributes.Mode & 0xf000);

    private bool Matches(KernelInode inode, byte[]? handle)
    {
        if (!HasHandles)
            return true;
        byte[]? known = inode.Handle;
        switch (Form)
        {
            case KernelForm.RfcV2: // stores before it compares
                inode.Handle = handle ?? known;
                return true;
            case KernelForm.RfcV3: // no handle is another one than any
                inode.Handle ??= handle;
                return known is null || (handle is not null && known.AsSpan().SequenceEqual(handle));
            default:
                if (handle is null)
                    return true;
                inode.Handle ??= handle;
                return inode.Handle.AsSpan().SequenceEqual(handle);
        }
    }

    // fuse_change_attributes_i()
    private void Change(KernelInode inode, Wire.EntryReply reply, int restarts)
    {
        bool restarted = Asks && inode.Confirmed != _restarts;
        Set(inode, reply.Attributes, reply.AttributesValid, restarted);
        if (Asks && restarts > inode.Confirmed)
            inode.Confirmed = restarts;
    }

    private void Set(KernelInode inode, Attributes attributes, ulong valid, bool changedAtAll)
    {
        Attributes before = inode.Attributes;
        if (before.Size != attributes.Size || before.Modified != attributes.Modified || (changedAtAll && before.Changed != attributes.Changed))
        {
            if (!inode.IsLink || changedAtAll)
                inode.Page = null;
        }
        inode.Attributes = attributes;
        inode.HasAttributes = true;
        inode.AttributesUntil = Now + (long)Math.Min(valid, 1UL << 40);
    }

    private void Forget(ulong node, ulong count)
    {
        byte[] body = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(body, count);
        // It waits for no reply: a server that dies over it costs a count.
        if (_server.Ask(Wire.Request(Wire.Forget, _unique += 2, node, body)) is null)
            _died();
    }

    private byte[] Ask(uint opcode, ulong node, params ReadOnlySpan<byte[]> arguments) => Ask(Wire.Request(opcode, _unique += 2, node, arguments));

    // The supervisor has unanswered requests sent again: marked, under the same number.
    private byte[] Ask(byte[] request)
    {
        Requests++;
        while (true)
        {
            ulong unique = BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(8));
            byte[]? reply = _server.Ask(request);
            if (reply is not null)
            {
                Wire.Refuse(reply.Length < Wire.OutHeader || BinaryPrimitives.ReadUInt32LittleEndian(reply) != reply.Length, "a reply of another length than it says");
                Wire.Refuse(Wire.Unique(reply) != unique, "a reply to nothing");
                Wire.Refuse(Wire.Error(reply) is < 0 or > 511 || (Wire.Error(reply) != 0 && reply.Length != Wire.OutHeader), "an error of this form");
                return reply;
            }
            BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(8), unique | ResendBit);
            _died();
        }
    }
}
