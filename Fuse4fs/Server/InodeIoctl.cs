using System.Buffers.Binary;
using Ext4Reader;
using Fuse4fs.Protocol;

namespace Fuse4fs.Server;

/// <summary>The ioctl(2)s of ext4 that read and that a stock kernel passes to a FUSE server (ioctl_iflags(2), linux/fs.h).</summary>
internal static class InodeIoctl
{
    private const uint GetFlags = 0x80086601;
    private const uint GetFlags32 = 0x80046601;
    private const uint GetVersion = 0x80087601;
    private const uint GetVersion32 = 0x80047601;
    private const uint GetExtendedFlags = 0x801c581f;
    private const uint GetLabel = 0x81009431;
    private const int LabelSize = 256;
    private const int ExtendedFlagsSize = 28;

    // EXT4_FL_USER_VISIBLE, with what the kernel adds for its own flags: the rest is ext4's private matter.
    private const uint VisibleFlags = 0x725bdfff;

    // i_flags, and FS_XFLAG_ of the same meaning (linux/fs.h, struct fsxattr).
    private static readonly (uint Flag, uint Extended)[] ExtendedFlags =
    [
        (0x00000008, 0x00000020), // synchronous
        (0x00000010, 0x00000008), // immutable
        (0x00000020, 0x00000010), // append only
        (0x00000040, 0x00000080), // no dump
        (0x00000080, 0x00000040), // no atime
        (0x02000000, 0x00008000), // DAX
        (0x20000000, 0x00000200), // project inherited
    ];

    /// <summary>Answers a command; ENOTTY where it is not known.</summary>
    public static Errno Answer(Ext4Volume volume, in Inode inode, uint command, Span<byte> output, out int length)
    {
        switch (command)
        {
            case GetFlags or GetFlags32:
                return Number(inode.Flags & VisibleFlags, output, out length);
            case GetVersion or GetVersion32:
                // The raw generation, not what stands in for 0: what converts to the kernel's own handle.
                return Number(inode.Generation, output, out length);
            case GetExtendedFlags:
                return Extended(inode, output, out length);
            case GetLabel:
                length = Math.Min(LabelSize, output.Length);
                output[..length].Clear();
                volume.Label.AsSpan(0, Math.Min(volume.Label.Length, length)).CopyTo(output);
                return Errno.Ok;
            default:
                length = 0;
                return Errno.ENOTTY;
        }
    }

    // An int behind a command that says long: as ext4 has it, the first four bytes are written, and the room's rest stays as it was (0).
    private static Errno Number(uint value, Span<byte> output, out int length)
    {
        length = 0;
        if (output.Length < sizeof(uint))
            return Errno.EINVAL;
        output.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(output, value);
        length = output.Length;
        return Errno.Ok;
    }

    private static Errno Extended(in Inode inode, Span<byte> output, out int length)
    {
        length = 0;
        if (output.Length < ExtendedFlagsSize)
            return Errno.EINVAL;
        uint extended = 0;
        foreach ((uint flag, uint meaning) in ExtendedFlags)
            if ((inode.Flags & flag) != 0)
                extended |= meaning;
        output.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(output, extended);
        BinaryPrimitives.WriteUInt32LittleEndian(output[12..], inode.ProjectId);
        length = output.Length;
        return Errno.Ok;
    }
}
