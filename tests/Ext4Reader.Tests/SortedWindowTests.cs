using Ext4Reader.Directories;
using Ext4Reader.Files;
using Ext4Reader.Storage;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class SortedWindowTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(699)]
    [InlineData(5000)]
    public void Windows_of_any_size_add_up_to_the_whole_directory(int names)
    {
        using var damaged = new DamagedImage(Recipes.Unindexed);
        using Ext4Image image = damaged.Open();
        Inode directory = image.Find("/many");
        using var source = new ImageSource(File.OpenHandle(BuiltImage.PathOf(Recipes.Unindexed)), 0);
        var reader = new BlockReader(source, damaged.Superblock, 1 << 20);
        var listing = new SortedListing(new DirectoryBlocks(reader, new BlockMap(reader)), names);
        var entries = new List<Listed>();
        var collector = new Collector(entries);
        listing.List(directory, NameHash.Default(directory, damaged.Superblock), 0, ref collector);
        Assert.Equal(image.List(directory), entries);
    }

    [Fact]
    public void The_cache_keeps_what_was_added_last()
    {
        var cache = new SortedWindowCache();
        for (uint directory = 1; directory <= 20; directory++)
            cache.Add(Window(directory, 10));
        Assert.False(cache.TryGet(4, 0, 0, out _));
        Assert.True(cache.TryGet(5, 0, 0, out _));
        Assert.False(cache.TryGet(5, 1, 0, out _));
        Assert.True(cache.TryGet(20, 0, 50, out SortedWindow? window));
        Assert.Equal(20u, window.Directory);
    }

    [Fact]
    public void The_cache_is_bounded_in_names()
    {
        var cache = new SortedWindowCache();
        for (uint directory = 1; directory <= 5; directory++)
            cache.Add(Window(directory, SortedWindow.MaximumNames));
        Assert.Equal([4u, 5u], Enumerable.Range(1, 5).Select(directory => (uint)directory).Where(directory => cache.TryGet(directory, 0, 0, out _)));
    }

    [Fact]
    public void Windows_made_at_once_are_bounded_together()
    {
        var cache = new SortedWindowCache();
        int[] granted = [.. Enumerable.Range(0, 8).Select(_ => cache.Reserve(SortedWindow.MaximumNames))];
        Assert.Equal(SortedWindow.MaximumNames / 2, granted[0]);
        Assert.All(granted, names => Assert.InRange(names, 1000, SortedWindow.MaximumNames));
        Assert.InRange(granted.Sum(), 1, SortedWindow.MaximumNames + 65536);
        foreach (int names in granted)
            cache.Release(names);
        Assert.Equal(granted[0], cache.Reserve(SortedWindow.MaximumNames));
        Assert.Equal(3, cache.Reserve(3));
    }

    private static SortedWindow Window(uint directory, int names) => new()
    {
        Directory = directory,
        Generation = 0,
        After = 0,
        End = ulong.MaxValue,
        Keys = new ulong[names],
        Places = [],
    };
}
