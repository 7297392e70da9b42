using Ext4Reader;
using Fuse4fs.Device;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.Server;
using Fuse4fs.State;
using Handles;

namespace Fuse4fs.Session;

/// <summary>
/// What a worker does about the kernel's caches when the image may have been written since they were filled. Two steps: before the first request is
/// answered, what never blocks (attributes, names); then, while READs are answered, what waits for pages. An image that was not written needs neither.
/// </summary>
internal sealed class CachePass : IDisposable
{
    // Inodes written this close to the time of their fingerprint may have changed again without a trace in it.
    private const long DoubtSeconds = 2;

    private readonly Ext4Image _image;
    private readonly SessionState _state;
    private readonly FuseDevice _device;
    private readonly ResidentBuffer _message = new(4096);
    private readonly ILookup<ulong, int> _held; // nodeid to places in the state
    private bool _asks; // the kernel does, before it uses anything again

    /// <param name="image">The image as it is now.</param>
    /// <param name="state">What is known of the kernel's caches.</param>
    /// <param name="device">The connection.</param>
    public CachePass(Ext4Image image, SessionState state, FuseDevice device)
    {
        _image = image;
        _state = state;
        _device = device;
        HeldNode[] held = state.Held.ToArray();
        _held = Enumerable.Range(0, held.Length).Where(place => held[place].Node != 0).ToLookup(place => held[place].Node);
    }

    /// <summary>Before the readers start: finds what must go, and has the kernel believe neither its attributes nor any name.</summary>
    /// <remarks>
    /// A kernel that asks for each node before it uses it again need be told so once. It finds out by itself what is gone, and drops the pages of files
    /// whose size or times have changed. What it cannot find out it is told as ever (<see cref="Finish"/>): contents that changed without them, as under e2fsck, and
    /// pages of what is gone that are mapped.
    /// </remarks>
    public void Begin()
    {
        _asks = ((Dialect)_state.Negotiated.Dialect).HasRestarted() && Send(Notification.Restarted(_message.Span));
        _state.Resume.PassOf = _state.Resume.Start;
        _state.Resume.Known = _state.Resume.Unchanged = _state.Resume.Changed = _state.Resume.Stale = 0;
        _state.Known.ForEach(Judge);
        JudgeUnknown();
        if (_asks)
            return;
        Send(Notification.InvalAttributes(_message.Span, NodeId.Root.Value));
        Send(Notification.IncEpoch(_message.Span));
    }

    /// <summary>While READs are answered: drops the pages of what is known. Then the fingerprints are those of the image as it is now.</summary>
    public void Finish()
    {
        Send(Notification.InvalAll(_message.Span, NodeId.Root.Value));
        _state.Known.ForEach(Renew);
    }

    /// <summary>
    /// While everything is answered: where the table is not all there was, drops all that is in use on the image, for that can be named; descriptors of deleted files keep their
    /// own former pages until they are closed. There can be billions: so nobody waits for this but who wants to know that nothing former is left.
    /// </summary>
    public void FinishUnknown()
    {
        if (!_state.Known.HasOverflowed)
            return;
        foreach (Inode inode in _image.InodesInUse())
            Send(Notification.InvalAll(_message.Span, NodeId.From(FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime)).Value));
    }

    /// <inheritdoc/>
    public void Dispose() => _message.Dispose();

    private void Judge(FileHandle handle, KnownInodes.Slot slot)
    {
        ref ResumeOrder counts = ref _state.Resume;
        counts.Known++;
        if (!TryFind(handle, out Inode inode, out ulong now))
        {
            counts.Stale++;
            Note(handle, HeldVerdict.Stale);
            Doubt(handle, slot, fingerprint: 0);
            return;
        }
        bool changed = slot.Fingerprint != now;
        if (changed)
            counts.Changed++;
        else
            counts.Unchanged++;
        Note(handle, changed ? HeldVerdict.Changed : HeldVerdict.Unchanged);
        // Until the pass is over a changed inode has no fingerprint: should this worker die before, the next one finds it changed again.
        ulong fingerprint = changed ? 0 : now;
        // Listings are not believed any more by a kernel that asks.
        bool mayShowFormer = !_asks || inode.Type != FileType.Directory;
        if (mayShowFormer && (changed || _state.Resume.DropsAll || IsInDoubt(inode)))
            Doubt(handle, slot, fingerprint);
        else
            slot.Fingerprint = fingerprint;
    }

    private void Doubt(FileHandle handle, KnownInodes.Slot slot, ulong fingerprint)
    {
        slot.MarkFormer(fingerprint);
        if (!_asks)
            Send(Notification.InvalAttributes(_message.Span, NodeId.From(handle).Value));
    }

    // What readers add meanwhile has no mark, and the fingerprint that they note is the same.
    private void Renew(FileHandle handle, KnownInodes.Slot slot)
    {
        if (slot.IsFormer)
            Send(Notification.InvalAll(_message.Span, NodeId.From(handle).Value));
        if (slot.Fingerprint == 0)
            slot.Fingerprint = TryFind(handle, out _, out ulong now) ? now : 0;
        else if (slot.IsFormer)
            slot.Fingerprint = slot.Fingerprint;
    }

    private void Note(FileHandle handle, HeldVerdict verdict)
    {
        if (_held.Count != 0)
            foreach (int place in _held[NodeId.From(handle).Value])
                _state.Held[place].Verdict = verdict;
    }

    // The table is not all there was: what is in no place of it can still be there or gone.
    private void JudgeUnknown()
    {
        foreach (ref HeldNode held in _state.Held)
            if (held is { Node: > 1, Verdict: HeldVerdict.Unknown } && !TryFind(new NodeId(held.Node).Handle, out _, out _))
                held.Verdict = HeldVerdict.Stale;
    }

    private bool TryFind(FileHandle handle, out Inode inode, out ulong fingerprint)
    {
        fingerprint = 0;
        try
        {
            Span<byte> record = InodeFingerprint.Room(_image.Volume, stackalloc byte[InodeFingerprint.UsualRecord]);
            if (!_image.TryGetInode(handle.Inode, record, out inode) || FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime) != handle)
                return false;
            fingerprint = InodeFingerprint.Of(record);
            return true;
        }
        catch (Exception e) when (e is Ext4Exception or IOException)
        {
            inode = default;
            return false; // broken now, whatever it was: nothing former of it may be shown
        }
    }

    // Unchanged bytes do not prove unchanged contents: names change without the directory's inode, a map outside of the inode without it, and a second
    // change within the clock's grain without a trace.
    private bool IsInDoubt(in Inode inode) =>
        inode.Type == FileType.Directory
        || inode.HasMapOutside
        || inode.ChangeTime.Nanoseconds == 0
        || inode.ChangeTime.Seconds >= _state.Resume.FingerprintsSince - DoubtSeconds;

    // ENOENT, for a node that the kernel has forgotten, is the usual answer. Kernels before 6.16 know no INC_EPOCH: their names live for a second.
    private bool Send(int length) => _device.Write(_message.Span[..length]);
}
