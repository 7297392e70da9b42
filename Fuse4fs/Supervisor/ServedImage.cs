using Fuse4fs.Device;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The image behind a mount, and its external journal where there is one: held while a worker reads it, given up while something else may write to it, opened
/// anew for each worker.
/// </summary>
/// <param name="image">The image, open.</param>
/// <param name="journal">The external journal, open, or null.</param>
/// <param name="state">What was recorded of them before a worker read them.</param>
internal sealed class ServedImage(ImageFile image, ImageFile? journal, SessionState state) : IDisposable
{
    private readonly string? _journalPath = journal?.Path;
    private ImageFile? _image = image;
    private ImageFile? _journal = journal;
    private bool _claimLost;

    /// <summary>The image's absolute path.</summary>
    public string Path { get; } = image.Path;

    /// <summary>The same, with the partition that the user named.</summary>
    public string Name { get; } = image.Selector is null ? image.Path : $"{image.Path}@{image.Selector}";

    /// <summary>The external journal's absolute path; null where there is none.</summary>
    public string? JournalPath => _journalPath;

    /// <summary>Where the filesystem starts in the image, in bytes, as the first worker found it. A later one does not get to point e2fsck elsewhere.</summary>
    public long FilesystemStart { get; } = state.FilesystemStart;

    /// <summary>The image, while it is held.</summary>
    public Descriptor Image => _image!.Descriptor;

    /// <summary>The external journal, where there is one, while it is held.</summary>
    public Descriptor? Journal => _journal?.Descriptor;

    /// <summary>Opens both by their paths, where other files may lie by now, and notes whether anybody may have written to them.</summary>
    /// <exception cref="MountException">One is not there, or is somebody else's. Nothing is held then.</exception>
    public void Reopen()
    {
        try
        {
            _image = _image is null ? ImageFile.Open(Path) : _image.Reopen();
            if (_journalPath is not null)
                _journal = _journal is null ? ImageFile.Open(_journalPath) : _journal.Reopen();
        }
        catch (MountException)
        {
            Release();
            throw;
        }
        bool touched = IsTouched(ref state.Image, _image.Record(FilesystemStart));
        if (_journal is not null)
            touched |= IsTouched(ref state.Journal, _journal.Record(0));
        if (touched)
            state.Resume.IsTouched = true;
        _claimLost = false;
    }

    /// <summary>Gives both up, locks and claims and all.</summary>
    public void Release()
    {
        _image?.Dispose();
        _image = null;
        _journal?.Dispose();
        _journal = null;
        _claimLost = true;
    }

    /// <inheritdoc/>
    public void Dispose() => Release();

    /// <summary>Whether <see cref="Reopen"/>, now, would find that somebody may have written to them. A look only.</summary>
    public bool IsTouched()
    {
        try
        {
            return Differs(state.Image, _image, Path, FilesystemStart) || (_journalPath is not null && Differs(state.Journal, _journal, _journalPath, 0));
        }
        catch (MountException)
        {
            return true; // what cannot be looked at is not proved to be untouched
        }
    }

    private bool IsTouched(ref ImageRecord before, ImageRecord now)
    {
        bool touched = Differs(before, now);
        before = now;
        return touched;
    }

    private bool Differs(ImageRecord before, ImageFile? held, string path, long start)
    {
        if (before.IsDevice)
            return held is null || Differs(before, held.Record(start)); // not to be claimed twice
        using ImageFile now = ImageFile.Open(path);
        return Differs(before, now.Record(start));
    }

    // Untouched is proved, not guessed.
    private bool Differs(ImageRecord before, ImageRecord now) =>
        !before.IsSettled || now with { IsSettled = true } != before || (now.IsDevice && _claimLost);
}
