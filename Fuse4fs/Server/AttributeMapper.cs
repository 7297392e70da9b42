using Ext4Reader;
using Fuse4fs.Protocol;
using Fuse4fs.State;

namespace Fuse4fs.Server;

/// <summary>An ext4 inode in the words of FUSE.</summary>
internal sealed class AttributeMapper(ServeOptions options, Negotiated negotiated, uint blockSize)
{
    // Nothing that the kernel caches ever runs out: an image that is served is not written, and a restart that finds it written says so to the
    // kernel. 10^9 seconds; more than about 2^63 ns is not kept as it stands by every kernel.
    private const ulong Forever = 1_000_000_000;

    private const uint StatxBasic = 0x7ff;
    private const uint StatxBirthTime = 0x800;

    private readonly ulong _namesValid = negotiated.HasEpoch ? Forever : 1; // seconds

    /// <summary>What LOOKUP answers for an inode.</summary>
    public void Fill(ref EntryOut entry, in Inode inode, ulong nodeId, uint generation)
    {
        entry.NodeId = nodeId;
        entry.Generation = generation;
        entry.EntryValid = _namesValid;
        entry.AttrValid = Forever;
        Fill(ref entry.Attr, inode);
    }

    /// <summary>What LOOKUP answers for a name that is not there: the kernel caches the absence.</summary>
    public void FillAbsent(ref EntryOut entry) => entry.EntryValid = _namesValid;

    /// <summary>What GETATTR answers.</summary>
    public void Fill(ref AttrOut reply, in Inode inode)
    {
        reply.AttrValid = Forever;
        Fill(ref reply.Attr, inode);
    }

    /// <summary>What STATX answers. The kernel passes the birth time on, but no attributes.</summary>
    public void Fill(ref StatxOut reply, in Inode inode)
    {
        reply.AttrValid = Forever;
        ref Statx stat = ref reply.Stat;
        stat.Mask = StatxBasic | (inode.HasBirthTime ? StatxBirthTime : 0);
        stat.BlockSize = blockSize;
        stat.LinkCount = inode.LinkCount;
        stat.UserId = UserId(inode);
        stat.GroupId = GroupId(inode);
        stat.Mode = inode.Mode;
        stat.Ino = inode.Number;
        stat.Size = (ulong)inode.Size;
        stat.Blocks = inode.Sectors;
        stat.AccessTime = Time(inode.AccessTime);
        stat.ModificationTime = Time(inode.ModificationTime);
        stat.ChangeTime = Time(inode.ChangeTime);
        if (inode.HasBirthTime)
            stat.BirthTime = Time(inode.BirthTime);
        stat.DeviceMajor = inode.DeviceMajor;
        stat.DeviceMinor = inode.DeviceMinor;
    }

    private void Fill(ref Attr attr, in Inode inode)
    {
        attr.Ino = inode.Number;
        attr.Size = (ulong)inode.Size;
        attr.Blocks = inode.Sectors;
        // Seconds before 1970 travel as the two's complement, which the kernel reads back as such.
        attr.AccessSeconds = unchecked((ulong)inode.AccessTime.Seconds);
        attr.ModificationSeconds = unchecked((ulong)inode.ModificationTime.Seconds);
        attr.ChangeSeconds = unchecked((ulong)inode.ChangeTime.Seconds);
        attr.AccessNanoseconds = inode.AccessTime.Nanoseconds;
        attr.ModificationNanoseconds = inode.ModificationTime.Nanoseconds;
        attr.ChangeNanoseconds = inode.ChangeTime.Nanoseconds;
        attr.Mode = inode.Mode;
        attr.LinkCount = inode.LinkCount;
        attr.UserId = UserId(inode);
        attr.GroupId = GroupId(inode);
        // new_encode_dev() of the kernel: major in bits 8 to 19, minor in bits 0 to 7 and 20 to 31.
        attr.Device = (inode.DeviceMinor & 0xff) | ((inode.DeviceMajor & 0xfff) << 8) | ((inode.DeviceMinor & 0xfff00) << 12);
        attr.BlockSize = blockSize;
    }

    private uint UserId(in Inode inode) => options.UserId < 0 ? inode.UserId : (uint)options.UserId;

    private uint GroupId(in Inode inode) => options.GroupId < 0 ? inode.GroupId : (uint)options.GroupId;

    private static StatxTime Time(Timestamp time) => new() { Seconds = time.Seconds, Nanoseconds = time.Nanoseconds };
}
