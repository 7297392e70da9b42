using Ext4Reader;
using TestSupport;
using Xunit;

namespace Fuzz.Tests;

/// <summary>
/// Images broken on purpose, by somebody who knows the format: whatever is done with them ends soon, with answers or promised exceptions, and
/// what was not broken is what it was.
/// </summary>
public sealed class ImageFuzzTests
{
    private const long MostAllocated = 256L << 20;

    private static readonly string[] Recipes =
    [
        "ext4", "ext3", "ext2", "blocks-1k", "blocks-64k", "xattrs", "acls", "hash-tea-signed", "hash-legacy-unsigned", "htree-two-levels",
        "unindexed-directory", "indirect", "sparse", "no-metadata-csum", "no-64bit", "inode-128", "csum-seed", "symlinks", "symlinks-ext2", "devices",
        "bigalloc", "meta-bg", "inline-data", "ea-inode", "casefold-strict", "fast-commit",
    ];

    [Fact]
    public void A_broken_image_breaks_neither_the_reader_nor_what_is_sound_in_it()
    {
        var images = new Dictionary<string, ImageUnderFuzz>();
        try
        {
            int cases = Rounds.Run("images", (number, random) =>
            {
                string recipe = Recipes[number % Recipes.Length];
                if (!images.TryGetValue(recipe, out ImageUnderFuzz? image))
                    images[recipe] = image = new ImageUnderFuzz(recipe);
                image.With(random, mutation => Check(image, mutation));
            });
            Assert.True(cases > 0);
        }
        finally
        {
            foreach (ImageUnderFuzz image in images.Values)
                image.Dispose();
        }
    }

    private static void Check(ImageUnderFuzz image, Mutation mutation)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Survey seen;
        try
        {
            using Ext4Image broken = image.Open();
            seen = Survey.Of(broken);
        }
        catch (Exception problem) when (problem is Ext4Exception or IOException)
        {
            // A cut or a broken superblock may cost the whole image, and so may what the root needs.
            Assert.True(mutation.Touched is null || mutation.Touched.Contains(2), $"{image.Name}: {mutation.Description}: not opened: {problem.Message}");
            return;
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MostAllocated, $"{image.Name}: {mutation.Description}: {allocated} bytes allocated");
        foreach (uint number in mutation.MustComplain.Where(image.Sound.Inodes.ContainsKey))
        {
            Assert.True(seen.Inodes.TryGetValue(number, out Shown shown) && shown.Problems > 0,
                $"{image.Name}: {mutation.Description}: the checksum is wrong, and nobody says so");
        }

        if (mutation.Touched is null)
            return;
        foreach ((uint number, Shown sound) in image.Sound.Inodes)
        {
            if (!mutation.Touched.Contains(number))
                Assert.True(seen.Inodes.TryGetValue(number, out Shown now) && now == sound, $"{image.Name}: {mutation.Description}: inode {number} is not what it was");
        }
    }
}
