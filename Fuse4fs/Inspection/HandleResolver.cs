using System.Globalization;
using Ext4Reader;
using Handles;

namespace Fuse4fs.Inspection;

/// <summary>What a handle means in an image.</summary>
/// <param name="Handle">What it names, as far as it can be read.</param>
internal sealed record Resolution(FileHandle Handle)
{
    /// <summary>Why it is stale: one of a few words for programs; null if it is not.</summary>
    public string? Stale { get; init; }

    /// <summary>The same in words for the user.</summary>
    public string Why { get; init; } = "";

    /// <summary>The inode's raw i_generation.</summary>
    public uint RawGeneration { get; init; }

    /// <summary>How many names the inode says it has; 1 for a directory, whose other links are dots.</summary>
    public uint Links { get; init; }

    /// <summary>The first path that was found, in the form of <see cref="PathWalk"/>; null if there is none.</summary>
    public string? Path { get; init; }

    /// <summary>Directories that could not be read, so that a path may have been missed.</summary>
    public int Unreadable { get; init; }
}

/// <summary>Says which file of an image a handle names, by the same rules as a mount, or why it is stale.</summary>
internal static class HandleResolver
{
    /// <summary>Resolves the portable bytes of a handle.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public static Resolution Resolve(Ext4Image image, ReadOnlySpan<byte> bytes, uint tag) =>
        FileHandleEncoding.Decode(bytes, tag, out FileHandle handle) switch
        {
            FileHandleDefect.None => Resolve(image, handle),
            FileHandleDefect.Filesystem => new Resolution(handle) { Stale = "filesystem", Why = "is of another filesystem" },
            _ => UnknownForm,
        };

    /// <summary>Resolves a handle of the kernel's: of a mount of ours, or of the kernel's own ext4. None says which filesystem it is of.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public static Resolution Resolve(Ext4Image image, KernelFileHandle kernel)
    {
        if (kernel.TryGetFuse(out FileHandle handle))
            return Resolve(image, handle);
        return kernel.Type is KernelHandleType.Ext4 or KernelHandleType.Ext4WithParent
            ? Resolve(image, new FileHandle((uint)kernel.File.Node, kernel.File.Generation), inode => kernel.TryGetExt4(inode.Generation, inode.RawBirthTime, out _))
            : UnknownForm;
    }

    /// <summary>Resolves a handle of which nobody says what filesystem it is of.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public static Resolution Resolve(Ext4Image image, FileHandle handle) =>
        Resolve(image, handle, inode => inode.Number == FileHandle.Root.Inode || ImageFiles.HandleOf(inode) == handle);

    private static Resolution UnknownForm => new(default) { Stale = "form", Why = "is of a form or version that is not known here" };

    private static Resolution Resolve(Ext4Image image, FileHandle handle, Predicate<Inode> isMeant)
    {
        try
        {
            if (handle.Inode > image.Volume.InodeCount)
                return new Resolution(handle) { Stale = "inode", Why = string.Create(CultureInfo.InvariantCulture, $"the filesystem has only {image.Volume.InodeCount} inodes") };
            if (!image.TryGetInode(handle.Inode, out Inode inode))
                return new Resolution(handle) { Stale = "free", Why = string.Create(CultureInfo.InvariantCulture, $"inode {handle.Inode} is not in use") };
            FileHandle now = ImageFiles.HandleOf(inode);
            if (!isMeant(inode))
                return new Resolution(handle) { Stale = "generation", RawGeneration = inode.Generation, Why = $"the inode is another file now: {now}" };
            string? path = PathWalk.Find(image, inode, out int unreadable);
            return new Resolution(now) { RawGeneration = inode.Generation, Links = inode.Type == FileType.Directory ? 1 : inode.LinkCount, Path = path, Unreadable = unreadable };
        }
        catch (Exception e) when (e is Ext4Exception or IOException)
        {
            throw new InspectionException($"{handle}: {e.Message}");
        }
    }
}
