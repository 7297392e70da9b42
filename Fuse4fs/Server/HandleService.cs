using Ext4Reader;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.State;
using Handles;

namespace Fuse4fs.Server;

/// <summary>Handles for one connection: how they look, how large they may be, and what is wrong with one that the kernel sends.</summary>
internal sealed class HandleService
{
    private readonly HandleCodec _codec;

    /// <param name="dialect">What INIT settled; not that of released kernels.</param>
    /// <param name="codec">The filesystem's.</param>
    /// <param name="maxSize">The size that INIT settled.</param>
    public HandleService(Dialect dialect, HandleCodec codec, int maxSize = DialectRules.MaxHandleSize)
    {
        Dialect = dialect;
        MaxSize = maxSize;
        _codec = codec;
    }

    /// <summary>The service for a connection; null where the kernel is told no handles.</summary>
    public static HandleService? For(Ext4Image image, Negotiated negotiated) => (Dialect)negotiated.Dialect == Dialect.Stock
        ? null
        : new HandleService((Dialect)negotiated.Dialect, HandleCodec.For(image.Volume.Uuid), (int)negotiated.MaxHandleSize);

    /// <summary>The form of requests and replies.</summary>
    public Dialect Dialect { get; }

    /// <summary>The size that was negotiated.</summary>
    public int MaxSize { get; }

    /// <summary>Whether a handle of ours is smaller than was negotiated. It always is, unless another version of this program negotiated.</summary>
    public bool Fits => HandleCodec.Size < MaxSize;

    /// <summary>Writes the handle of a node.</summary>
    public void Encode(ulong nodeId, Span<byte> destination) => _codec.Encode(new NodeId(nodeId), destination);

    /// <summary>
    /// Whether a handle that came along with a node is that node's. None is no contradiction: the kernel does not always have it, and the nodeid says as much.
    /// </summary>
    public bool IsOf(NodeId node, ReadOnlySpan<byte> handle) => handle.IsEmpty || (_codec.TryResolve(handle, out NodeId meant) && meant == node);
}
