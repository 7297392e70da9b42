using Fuse4fs.Server;
using Handles;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

public class HandleCodecTests
{
    private readonly HandleCodec _codec = new(Vectors.Tag);

    [Fact]
    public void A_handle_has_the_bytes_of_the_vector()
    {
        byte[] bytes = new byte[HandleCodec.Size];
        _codec.Encode(new NodeId(Vectors.File), bytes);
        Assert.Equal(Vectors.FileHandle, bytes);
    }

    [Theory]
    [InlineData(Vectors.File)]
    [InlineData(Vectors.Directory)]
    [InlineData(1UL)]
    [InlineData(12UL)]
    [InlineData(ulong.MaxValue)]
    public void What_is_encoded_resolves_to_the_same_node(ulong node)
    {
        byte[] bytes = new byte[HandleCodec.Size];
        _codec.Encode(new NodeId(node), bytes);
        Assert.True(_codec.TryResolve(bytes, out NodeId back));
        Assert.Equal(node, back.Value);
    }

    [Fact]
    public void The_roots_handle_is_its_inode_number_whatever_its_generation()
    {
        byte[] bytes = new byte[HandleCodec.Size];
        FileHandleEncoding.Encode(new FileHandle(2, 77), Vectors.Tag, bytes);
        Assert.True(_codec.TryResolve(bytes, out NodeId node));
        Assert.True(node.IsRoot);
    }

    [Fact]
    public void A_handle_of_another_filesystem_version_kind_or_size_is_stale()
    {
        Assert.True(_codec.TryResolve(Vectors.FileHandle, out _));
        Assert.False(new HandleCodec(Vectors.Tag + 1).TryResolve(Vectors.FileHandle, out _));
        foreach (int changed in new[] { 0, 1, 2, 3, 4, 7 })
        {
            byte[] other = [.. Vectors.FileHandle];
            other[changed]++;
            Assert.False(_codec.TryResolve(other, out _));
        }
        Assert.False(_codec.TryResolve(Vectors.FileHandle.AsSpan(0, 15), out _));
        Assert.False(_codec.TryResolve([.. Vectors.FileHandle, 0], out _));
        Assert.False(_codec.TryResolve([], out _));
    }
}
