using System.Text;
using Ext4Reader;
using Ext4Reader.Partitions;
using Handles;
using Microsoft.Win32.SafeHandles;

namespace Fuse4fs.Inspection;

/// <summary>Where a filesystem lies, and how to read it.</summary>
/// <param name="Path">The image file or device.</param>
/// <param name="Selector">Which partition, in words of <see cref="PartitionTable.Choose"/>; null for the only one.</param>
internal sealed record ImagePlace(string Path, string? Selector)
{
    /// <summary>The byte at which the filesystem starts, where that is known; no partition table is read then.</summary>
    public long? Start { get; init; }

    /// <summary>Do not replay the journal.</summary>
    public bool NoRecovery { get; init; }

    /// <summary>The external journal's path; null for none.</summary>
    public string? Journal { get; init; }
}

/// <summary>A file that a path leads to.</summary>
/// <param name="Handle">Its persistent handle.</param>
/// <param name="RawGeneration">Its i_generation as it lies, which the kernel's ext4 has in its handles.</param>
internal readonly record struct FoundFile(FileHandle Handle, uint RawGeneration);

/// <summary>
/// An image read for a command, without any mount: which handle a path has, and which path a handle. It reads with the rights of the caller, changes and
/// locks nothing. Apart from the server, for it knows no FUSE; and whoever uses it need not know ext4.
/// </summary>
internal sealed class ImageFiles : IDisposable
{
    private readonly Ext4Image _image;

    private ImageFiles(Ext4Image image) => _image = image;

    /// <summary>The filesystem's UUID, as <c>status</c> shows it.</summary>
    public Guid Volume => new(_image.Volume.Uuid, bigEndian: true);

    /// <summary>The tag of the filesystem, for <see cref="FileHandleEncoding"/>.</summary>
    public uint Tag => FileHandleEncoding.VolumeTag(_image.Volume.Uuid);

    /// <summary>Opens the filesystem.</summary>
    /// <exception cref="InspectionException">It cannot be read; why, for the user.</exception>
    public static ImageFiles Open(ImagePlace place)
    {
        try
        {
            SafeFileHandle file = OpenFile(place.Path);
            Partition? partition;
            try
            {
                partition = place.Start is null ? PartitionTable.Read(file).Choose(place.Selector) : null;
            }
            catch
            {
                file.Dispose();
                throw;
            }
            return new ImageFiles(Ext4Image.Open(file, new Ext4OpenOptions
            {
                Offset = place.Start ?? partition?.Start ?? 0,
                Length = partition?.Length ?? 0,
                NoRecovery = place.NoRecovery,
                Journal = place.Journal is null ? null : OpenFile(place.Journal),
            }));
        }
        catch (Exception e) when (e is Ext4Exception or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InspectionException($"{place.Path}: {e.Message}");
        }
    }

    /// <summary>The persistent handle of an inode, as a mount of the image has it.</summary>
    internal static FileHandle HandleOf(in Inode inode) =>
        inode.Number == FileHandle.Root.Inode ? FileHandle.Root : FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime);

    /// <summary>The handle of what a path leads to, from the root. Symbolic links on the way are not followed: they may lead out of the image.</summary>
    /// <param name="path">Names separated by '/'; whether one stands at the beginning makes no difference.</param>
    /// <exception cref="InspectionException">There is no such file, or the image is broken on the way.</exception>
    public FoundFile Find(string path)
    {
        try
        {
            Inode inode = _image.GetRoot();
            foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
            {
                if (inode.Type == FileType.SymbolicLink)
                    throw new InspectionException($"{path}: leads over a symbolic link, which is not followed in an image");
                if (inode.Type != FileType.Directory)
                    throw new InspectionException($"{path}: leads over a file that is no directory");
                if (!_image.TryLookup(inode, Encoding.UTF8.GetBytes(name), out uint number))
                    throw new InspectionException($"{path}: there is no such file in the image");
                inode = _image.GetNamedInode(number, inode);
            }
            return new FoundFile(HandleOf(inode), inode.Generation);
        }
        catch (Exception e) when (e is Ext4Exception or IOException)
        {
            throw new InspectionException($"{path}: {e.Message}");
        }
    }

    /// <summary>What the portable bytes of a handle mean here.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public Resolution Resolve(ReadOnlySpan<byte> bytes) => HandleResolver.Resolve(_image, bytes, Tag);

    /// <summary>What a handle means here of which nobody says what filesystem it is of.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public Resolution Resolve(FileHandle handle) => HandleResolver.Resolve(_image, handle);

    /// <summary>What a handle of the kernel's means here, whatever filesystem it is of.</summary>
    /// <exception cref="InspectionException">The inode is broken.</exception>
    public Resolution Resolve(KernelFileHandle handle) => HandleResolver.Resolve(_image, handle);

    /// <inheritdoc/>
    public void Dispose() => _image.Dispose();

    private static SafeFileHandle OpenFile(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
}

/// <summary>Why an image cannot tell what was asked: words for the user.</summary>
internal sealed class InspectionException(string message) : Exception(message);
