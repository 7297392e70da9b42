using System.Text;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

/// <summary>What is done for every request must not feed the garbage collector.</summary>
public class AllocationTests
{
    [Fact]
    public void Reading_an_inode_allocates_nothing()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        uint number = image.Find("/sizes/4096").Number;
        AssertAllocatesNothing(() => image.TryGetInode(number, out _));
    }

    [Fact]
    public void Looking_up_a_name_allocates_nothing()
    {
        foreach (ImageRecipe recipe in new[] { Recipes.Indexed, Recipes.Unindexed, Recipes.Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode directory = image.Find("/many");
            byte[] name = Encoding.ASCII.GetBytes(SourceTree.ManyName(500));
            AssertAllocatesNothing(() => image.TryLookup(directory, name, out _));
            AssertAllocatesNothing(() => image.TryLookup(directory, "missing"u8, out _));
        }
    }

    [Fact]
    public void Reading_a_file_allocates_nothing()
    {
        foreach (ImageRecipe recipe in new[] { Recipes.Standard, Recipes.Ext2 })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode file = image.Find("/sizes/300000");
            var buffer = new byte[131072];
            AssertAllocatesNothing(() => image.Read(file, 1000, buffer));
            AssertAllocatesNothing(() => image.SeekHole(file, 1000));
        }
    }

    [Fact]
    public void Listing_allocates_nothing()
    {
        foreach (ImageRecipe recipe in new[] { Recipes.Indexed, Recipes.Unindexed, Recipes.Linear })
        {
            using Ext4Image image = BuiltImage.Open(recipe);
            Inode directory = image.Find("/many");
            AssertAllocatesNothing(() =>
            {
                var counter = new Counter();
                image.List(directory, 0, ref counter);
                if (counter.Count != 702)
                    throw new InvalidOperationException($"{counter.Count} names");
            });
        }
    }

    [Fact]
    public void Attributes_and_links_allocate_nothing()
    {
        using Ext4Image image = BuiltImage.Open(Recipes.Standard);
        Inode file = image.Find("/attributes/file");
        Inode link = image.Find("/links/255");
        var buffer = new byte[4096];
        AssertAllocatesNothing(() => image.ListExtendedAttributes(file, buffer));
        AssertAllocatesNothing(() => image.TryGetExtendedAttribute(file, "trusted.large"u8, buffer, out _));
        AssertAllocatesNothing(() => image.ReadSymbolicLink(link, buffer));
        AssertAllocatesNothing(() => image.GetStatistics());
    }

    internal static void AssertAllocatesNothing(Action action)
    {
        // The first rounds fill caches, and compiling a method anew may allocate at any time: steady is what comes to rest.
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 20 && allocated != 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 50; round++)
                action();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    internal struct Counter : IDirectoryVisitor
    {
        public int Count { get; private set; }

        public bool Visit(in ListedName entry)
        {
            Count++;
            return true;
        }
    }
}
