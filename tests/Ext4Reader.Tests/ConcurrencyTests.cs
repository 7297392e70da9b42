using System.Text;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests;

public class ConcurrencyTests
{
    [Fact]
    public void Many_threads_may_use_one_image_with_a_tiny_cache()
    {
        using var image = Ext4Image.Open(BuiltImage.PathOf(Recipes.Indexed), new Ext4OpenOptions { CacheBytes = 0 });
        Inode directory = image.Find("/many");
        List<Listed> expected = image.List(directory);
        Parallel.For(0, 8, worker =>
        {
            for (int round = 0; round < 30; round++)
            {
                Assert.Equal(expected, image.List(directory));
                string name = SourceTree.ManyName((worker * 71 + round * 13) % 700);
                Assert.True(image.TryLookup(directory, Encoding.ASCII.GetBytes(name), out uint number));
                Assert.True(image.TryGetInode(number, out _));
            }
        });
    }
}
