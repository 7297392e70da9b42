using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>Guesses what an image without a superblock is, to help whoever chose the wrong file, device or offset.</summary>
internal static class Foreign
{
    internal static NotAnExt4ImageException Describe(ImageSource source, int superblockBytes)
    {
        Span<byte> head = stackalloc byte[Superblock.Offset + Superblock.Size];
        head.Clear();
        int length = source.ReadUpTo(0, head);
        if (superblockBytes < Superblock.Size)
            return new NotAnExt4ImageException($"no ext2/3/4 superblock: only {length} bytes are there, and it takes {head.Length}");
        string guess = Guess(head);
        return new NotAnExt4ImageException($"no ext2/3/4 superblock: magic {LittleEndian.U16(head, Superblock.Offset + 0x38):x4} "
            + $"instead of {Superblock.Magic:x4}{guess}");
    }

    private static string Guess(ReadOnlySpan<byte> head)
    {
        if (!head.ContainsAnyExcept((byte)0))
            return "; the first 2048 bytes are all zero";
        if (head[512..].StartsWith("EFI PART"u8))
            return "; this is a disk with a GPT partition table: choose a partition";
        if (head.StartsWith("QFI\xfb"u8[..3]))
            return "; this looks like a qcow2 image: convert it to a raw one first";
        if (head.StartsWith("conectix"u8))
            return "; this looks like a VHD image";
        if (head.StartsWith("vhdxfile"u8))
            return "; this looks like a VHDX image";
        if (head.StartsWith("KDMV"u8))
            return "; this looks like a VMDK image";
        if (head.StartsWith("XFSB"u8))
            return "; this looks like XFS";
        if (head.StartsWith("LUKS"u8))
            return "; this looks like an encrypted LUKS volume";
        if (head[0] == 0x1f && head[1] == 0x8b)
            return "; this looks like a gzip file";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]))
            return "; this looks like a zstd file";
        if (head[510] == 0x55 && head[511] == 0xaa)
            return "; this looks like a disk with a partition table or a boot sector: choose a partition";
        return "";
    }
}
