using System.Buffers.Binary;
using System.Text;

namespace TestSupport.FakeKernel;

// Names: the dentry cache, and listings.
public sealed partial class KernelModel
{
    /// <summary>Walks a path from the root, with slashes between its names; what is found is there to be held.</summary>
    public int Walk(string path, out KernelInode? found)
    {
        int error = Walk(path, isDoubted: false, out found);
        // The VFS tries again when something on the way turns out to be stale, and then believes no name.
        return error == Stale ? Walk(path, isDoubted: true, out found) : error;
    }

    /// <summary>One step: a name in a directory that is held.</summary>
    public int Lookup(KernelInode directory, string name, out KernelInode? found, bool isDoubted = false)
    {
        found = null;
        if (!directory.IsDirectory)
            return NotDirectory;
        int error = Check(directory);
        if (error != Ok)
            return error;
        if (directory.Names.TryGetValue(name, out KernelName? known))
        {
            if (IsValid(known) && !(isDoubted && known.Inode is not null))
            {
                found = known.Inode;
                return found is null ? NotFound : Ok;
            }
            if (known.Inode is { IsBad: false } && Revalidate(directory, name, known))
            {
                found = known.Inode;
                return Ok;
            }
            directory.Names.Remove(name);
        }
        return LookUp(directory, name, out found);
    }

    /// <summary>The names in a directory that is held, dots left out; what comes along with them is known afterwards.</summary>
    public int List(KernelInode directory, out IReadOnlyList<string> names)
    {
        var found = new List<string>();
        names = found;
        int error = Check(directory);
        ulong cookie = 0;
        while (error == Ok)
        {
            int epoch = _epoch, restarts = _restarts;
            byte[] reply = Ask(HasPlus ? Wire.ReadDirPlus : Wire.ReadDir, directory.Node, Wire.ReadIn(cookie, 700));
            error = Wire.Error(reply);
            if (error != Ok || reply.Length == Wire.OutHeader)
                break;
            ReadOnlySpan<byte> records = reply.AsSpan(Wire.OutHeader);
            while (!records.IsEmpty)
            {
                int entry = HasPlus ? Wire.Entry : 0;
                ReadOnlySpan<byte> dirent = records[entry..];
                cookie = BinaryPrimitives.ReadUInt64LittleEndian(dirent[8..]);
                int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(dirent[16..]);
                string name = Encoding.UTF8.GetString(dirent.Slice(Wire.Dirent, length));
                int end = (entry + Wire.Dirent + length + 7) & ~7;
                byte[]? handle = null;
                if (HasPlus && Asks)
                {
                    handle = Wire.ParseHandle(records[end..], _maxHandle, out int used);
                    end += (used + 7) & ~7;
                }
                if (name is not "." and not "..")
                {
                    found.Add(name);
                    if (HasPlus)
                        Link(directory, name, Wire.ParseEntryHead(records, handle), epoch, restarts);
                }
                records = records[end..];
            }
        }
        return error;
    }

    private int Walk(string path, bool isDoubted, out KernelInode? found)
    {
        found = Root;
        foreach (string name in path.Split('/'))
        {
            int error = Lookup(found!, name, out found, isDoubted);
            if (error != Ok)
                return error;
        }
        return Ok;
    }

    private bool IsValid(KernelName name) => name.Epoch == _epoch && (!Asks || name.Restarts == _restarts) && name.Until >= Now && name.Inode is not { IsBad: true };

    // fuse_dentry_revalidate() of a name that has an inode.
    private bool Revalidate(KernelInode directory, string name, KernelName known)
    {
        int restarts = _restarts, epoch = _epoch;
        KernelInode inode = known.Inode!;
        // v3 does not send the parent's handle here.
        int error = AskEntry(directory.Node, Form == KernelForm.RfcV3 ? null : directory.Handle, name, out Wire.EntryReply? reply);
        if (error != Ok || reply is null)
            return false;
        if (Form == KernelForm.RfcV2 && HasHandles)
            return false; // takes the length of the reply for an error, and forgets to give the count back
        if (reply.Node != inode.Node)
        {
            Forget(reply.Node, 1);
            return false;
        }
        inode.Lookups++;
        if (IsOther(inode, reply) || !Matches(inode, reply.Handle))
        {
            if (Asks)
                MakeStale(inode);
            return false;
        }
        Change(inode, reply, restarts);
        known.Epoch = epoch;
        known.Restarts = restarts;
        known.Until = Until(reply.EntryValid);
        return true;
    }

    private int LookUp(KernelInode directory, string name, out KernelInode? found)
    {
        int epoch = _epoch, restarts = _restarts;
        int error = AskEntry(directory.Node, directory.Handle, name, out Wire.EntryReply? reply, out ulong absentFor);
        found = null;
        if (error == Ok && reply is not null)
            error = Get(reply, restarts, out found);
        else if (error == Ok)
            error = NotFound;
        if (error == Ok || (error == NotFound && absentFor != 0))
            directory.Names[name] = new KernelName { Inode = found, Epoch = epoch, Restarts = restarts, Until = Until(reply?.EntryValid ?? absentFor) };
        return error;
    }

    // fuse_direntplus_link()
    private void Link(KernelInode directory, string name, Wire.EntryReply reply, int epoch, int restarts)
    {
        if (reply.Node == 0)
            return;
        Wire.Refuse(Asks && reply.Handle is null, "a name with an entry and without a handle");
        if (directory.Names.TryGetValue(name, out KernelName? known) && known.Inode is KernelInode inode && inode.Node == reply.Node)
        {
            if (!IsOther(inode, reply) && Matches(inode, reply.Handle) && !inode.IsBad)
            {
                inode.Lookups++;
                Change(inode, reply, restarts);
                known.Epoch = epoch;
                known.Restarts = restarts;
                known.Until = Until(reply.EntryValid);
                return;
            }
            if (Asks)
                MakeStale(inode);
            else
                inode.IsBad = true;
        }
        if (Get(reply, restarts, out KernelInode? found) == Ok)
            directory.Names[name] = new KernelName { Inode = found, Epoch = epoch, Restarts = restarts, Until = Until(reply.EntryValid) };
    }

    // fuse_iget()
    private int Get(Wire.EntryReply reply, int restarts, out KernelInode? inode)
    {
        if (_inodes.TryGetValue(reply.Node, out inode) && (IsOther(inode, reply) || !Matches(inode, reply.Handle)))
        {
            inode.IsBad = true;
            inode.IsStale = Asks;
            if (inode != Root)
            {
                _inodes.Remove(reply.Node);
                inode = null;
            }
        }
        if (inode is null)
        {
            inode = new KernelInode(reply.Node, (uint)(reply.Generation & uint.MaxValue), reply.Attributes.Mode & 0xf000) { Handle = reply.Handle };
            _inodes.Add(reply.Node, inode);
        }
        inode.Lookups++;
        Change(inode, reply, restarts);
        return Ok;
    }

    private int AskEntry(ulong parent, byte[]? handle, string name, out Wire.EntryReply? entry) => AskEntry(parent, handle, name, out entry, out _);

    // Ok without an entry: the name is not there, and may be remembered not to be.
    private int AskEntry(ulong parent, byte[]? handle, string name, out Wire.EntryReply? entry, out ulong absentFor)
    {
        entry = null;
        absentFor = 0;
        bool isCompound = HasHandles && Form == KernelForm.RfcV3;
        byte[] reply = isCompound ? Ask(Wire.CompoundLookup(_unique += 2, parent, name, handle))
            : HasHandles ? Ask(Wire.LookupHandleV2, parent, Wire.Name(name), Wire.HandleV2(handle))
            : Ask(Wire.Lookup, parent, Wire.Name(name));
        int error = Wire.Error(reply);
        if (error == Ok && isCompound)
            error = Wire.ParseCompound(reply.AsSpan(Wire.OutHeader), out entry);
        else if (error == Ok)
            entry = Wire.ParseEntry(reply.AsSpan(Wire.OutHeader), HasHandles, _maxHandle);
        if (error != Ok)
            return error;
        Wire.Refuse(entry!.Node == RootNode && Form == KernelForm.RfcV2 && HasHandles, "the root, whose handle it would follow into nothing");
        if (entry.Node != 0)
            return Ok;
        Wire.Refuse(isCompound, "a success without a node");
        absentFor = entry.EntryValid;
        entry = null;
        return Ok;
    }

    private long Until(ulong valid) => Now + (long)Math.Min(valid, 1UL << 40);
}
