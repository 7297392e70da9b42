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
    private readonly List<ulong> _dropped = [];
    private readonly ILookup<ulong, int> _held; // nodeid to places in the state
    private readonly List<(KnownInodes.Slot Slot, uint Inode)> _surviving = [];
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
        _dropped.Add(NodeId.Root.Value);
        _state.Resume.PassOf = _state.Resume.Start;
        _state.Resume.Known = _state.Resume.Unchanged = _state.Resume.Changed = _state.Resume.Stale = 0;
        _state.Known.ForEach(Judge);
        if (_state.Known.HasOverflowed)
            DropEverythingInUse();
        JudgeUnknown();
        if (_asks)
            return;
        foreach (ulong node in _dropped)
            Send(Notification.InvalAttributes(_message.Span, node));
        Send(Notification.IncEpoch(_message.Span));
    }

    /// <summary>While READs are answered: drops the pages. Then the fingerprints are those of the image as it is now.</summary>
    public void Finish()
    {
        foreach (ulong node in _dropped)
            Send(Notification.InvalAll(_message.Span, node));
        foreach ((KnownInodes.Slot slot, uint inode) in _surviving)
        {
            KnownInodes.Slot place = slot;
            place.Fingerprint = InodeFingerprint.Of(_image, inode);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _message.Dispose();

    private void Judge(FileHandle handle, KnownInodes.Slot slot)
    {
        ref ResumeOrder counts = ref _state.Resume;
        counts.Known++;
        if (!TryFind(handle, out Inode inode))
        {
            counts.Stale++;
            Note(handle, HeldVerdict.Stale);
            _dropped.Add(NodeId.From(handle).Value);
            return;
        }
        ulong now = InodeFingerprint.Of(_image, handle.Inode);
        bool changed = slot.Fingerprint != now;
        if (changed)
            counts.Changed++;
        else
            counts.Unchanged++;
        // Listings are not believed any more by a kernel that asks.
        bool mayShowFormer = !_asks || inode.Type != FileType.Directory;
        if (mayShowFormer && (changed || _state.Resume.DropsAll || IsInDoubt(inode)))
            _dropped.Add(NodeId.From(handle).Value);
        Note(handle, changed ? HeldVerdict.Changed : HeldVerdict.Unchanged);
        if (changed)
            _surviving.Add((slot, handle.Inode));
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
            if (held is { Node: > 1, Verdict: HeldVerdict.Unknown } && !TryFind(new NodeId(held.Node).Handle, out _))
                held.Verdict = HeldVerdict.Stale;
    }

    private bool TryFind(FileHandle handle, out Inode inode)
    {
        try
        {
            return _image.TryGetInode(handle.Inode, out inode) && FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime) == handle;
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

    // The table is not all there was. What is in use can be named; descriptors of deleted files keep their own former pages until they are closed.
    private void DropEverythingInUse()
    {
        for (uint number = 3; number <= _image.Volume.InodeCount && number != 0; number = unchecked(number + 1))
        {
            try
            {
                if (_image.TryGetInode(number, out Inode inode))
                    _dropped.Add(NodeId.From(FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime)).Value);
            }
            catch (Exception e) when (e is Ext4Exception or IOException)
            {
                // It cannot be served, and whatever handle it had is not to be known.
            }
        }
    }

    // ENOENT, for a node that the kernel has forgotten, is the usual answer. Kernels before 6.16 know no INC_EPOCH: their names live for a second.
    private bool Send(int length) => _device.Write(_message.Span[..length]);
}
