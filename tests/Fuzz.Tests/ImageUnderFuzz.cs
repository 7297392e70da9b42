using Ext4Reader;
using Microsoft.Win32.SafeHandles;
using TestSupport;

namespace Fuzz.Tests;

/// <summary>An image with a copy of its own on disk, which is broken and mended again and again.</summary>
internal sealed class ImageUnderFuzz : IDisposable
{
    private readonly ImageCopy _copy;
    private readonly SafeFileHandle _file;
    private readonly byte[] _bytes;

    public ImageUnderFuzz(string recipe)
    {
        Name = recipe;
        _copy = Images.Copy(recipe);
        _bytes = File.ReadAllBytes(_copy.ImagePath);
        Layout = new Layout(_bytes);
        _file = File.OpenHandle(_copy.ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using Ext4Image sound = Open();
        Sound = Survey.Of(sound);
    }

    public string Name { get; }

    public Layout Layout { get; }

    /// <summary>What there is to see before anything is broken.</summary>
    public Survey Sound { get; }

    public Ext4Image Open(bool recover = false) => Ext4Image.Open(_copy.ImagePath, new Ext4OpenOptions { NoRecovery = !recover });

    /// <summary>Breaks the image, uses it and mends it.</summary>
    public void With(Random random, Action<Mutation> use) => With(patch => new Mutator(Layout, patch, random).Run(), use);

    /// <summary>The same with a mutation of one's own.</summary>
    public void With(Func<Patch, Mutation> mutate, Action<Mutation> use)
    {
        var patch = new Patch(_bytes);
        Mutation mutation = mutate(patch);
        try
        {
            foreach ((int offset, int length) in patch.Changes)
                RandomAccess.Write(_file, _bytes.AsSpan(offset, length), offset);
            if (mutation.Cut is long cut)
                RandomAccess.SetLength(_file, cut);
            use(mutation);
        }
        catch
        {
            File.Copy(_copy.ImagePath, Path.Combine(FuzzSettings.Folder, $"{Name}.img"), overwrite: true);
            throw;
        }
        finally
        {
            (int Offset, int Length)[] changes = [.. patch.Changes];
            patch.Undo();
            foreach ((int offset, int length) in changes)
                RandomAccess.Write(_file, _bytes.AsSpan(offset, length), offset);
            if (mutation.Cut is long cut)
                RandomAccess.Write(_file, _bytes.AsSpan((int)cut), cut);
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _copy.Dispose();
    }
}
