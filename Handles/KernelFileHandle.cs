using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;

namespace Handles;

/// <summary>The forms of a kernel handle that are known here (<c>enum fid_type</c>, linux/exportfs.h).</summary>
public enum KernelHandleType
{
    /// <summary>None of the others. (Type 0 is FILEID_ROOT, which no filesystem gives out.)</summary>
    Unknown = 0,

    /// <summary>FILEID_INO32_GEN, as ext4 gives it: inode number, <c>i_generation</c>.</summary>
    Ext4 = 1,

    /// <summary>FILEID_INO32_GEN_PARENT: the same, and again for the parent directory.</summary>
    Ext4WithParent = 2,

    /// <summary>FILEID_INO64_GEN, as FUSE gives it: nodeid (high half first), generation.</summary>
    Fuse = 0x81,

    /// <summary>FILEID_INO64_GEN_PARENT: the same, and again for the parent directory.</summary>
    FuseWithParent = 0x82,
}

/// <summary>What is wrong with bytes that should be a kernel handle.</summary>
public enum KernelHandleDefect
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>They end within the header, or before the length that it gives.</summary>
    Truncated,

    /// <summary>There are more of them than the length in the header.</summary>
    Surplus,

    /// <summary>The length is not that of the type.</summary>
    Length,

    /// <summary>The type is that of another filesystem, or has flags that are not known here.</summary>
    Type,

    /// <summary>An inode number or nodeid is 0, which no file has.</summary>
    Node,
}

/// <summary>A file, as a kernel handle names it.</summary>
/// <param name="Node">ext4: the inode number, below 2^32. FUSE: the nodeid.</param>
/// <param name="Generation">ext4: the raw <c>i_generation</c>, which may be 0. FUSE: the generation that came with the nodeid.</param>
public readonly record struct KernelNode(ulong Node, uint Generation);

/// <summary>
/// The kernel's <c>struct file_handle</c> (name_to_handle_at(2)) of ext4 and of FUSE. ext4 knows nothing of birth times that stand in for a generation of 0
/// (<see cref="FileHandle.Of"/>), so with ext4 both ways take what only the image has: the raw generation here, the birth time there.
/// </summary>
/// <remarks>
/// <code>
/// @0 +4 length of what follows the header    @4 +4 type, flags in its upper half
/// ext4: @8 +4 inode number    @12 +4 generation    [@16 +4 the parent's number    @20 +4 its generation]
/// FUSE: @8 +4 nodeid &gt;&gt; 32   @12 +4 nodeid's low half   @16 +4 generation   [@20 +12 the same of the parent]
/// </code>
/// All in the byte order of the machine that the kernel runs on; here, of little-endian ones.
/// </remarks>
public readonly record struct KernelFileHandle
{
    /// <summary>Bytes before the handle proper.</summary>
    public const int HeaderSize = 8;

    /// <summary>The most bytes that a handle has, its header included (MAX_HANDLE_SZ).</summary>
    public const int MaximumSize = HeaderSize + 128;

    // FILEID_IS_CONNECTABLE and FILEID_IS_DIR, which AT_HANDLE_CONNECTABLE asks for: they say how the kernel is to decode, not what the handle means.
    private const uint KnownFlags = 0x3_0000;
    private const uint TypeMask = 0xffff;

    private KernelFileHandle(KernelHandleType type, KernelNode file, KernelNode? parent)
    {
        Type = type;
        File = file;
        Parent = parent;
    }

    /// <summary>The form.</summary>
    public KernelHandleType Type { get; }

    /// <summary>The file.</summary>
    public KernelNode File { get; }

    /// <summary>The directory by which it was found; null where the form has none.</summary>
    public KernelNode? Parent { get; }

    /// <summary>Whether it is of a FUSE mount; otherwise it is of ext4.</summary>
    public bool IsFuse => Type is KernelHandleType.Fuse or KernelHandleType.FuseWithParent;

    /// <summary>Bytes, the header included.</summary>
    public int Size => HeaderSize + (Parent is null ? 1 : 2) * NodeSize(IsFuse);

    /// <summary>The handle that the kernel's ext4 has for a file.</summary>
    /// <param name="inode">Inode number, not 0.</param>
    /// <param name="rawGeneration"><c>i_generation</c> as it lies, not what stands in for it.</param>
    public static KernelFileHandle OfExt4(uint inode, uint rawGeneration)
    {
        ArgumentOutOfRangeException.ThrowIfZero(inode);
        return new(KernelHandleType.Ext4, new KernelNode(inode, rawGeneration), null);
    }

    /// <summary>The same with the parent directory, as for NFS exports with subtree_check.</summary>
    /// <param name="inode">Inode number, not 0.</param>
    /// <param name="rawGeneration"><c>i_generation</c> as it lies.</param>
    /// <param name="parentInode">The directory's inode number, not 0.</param>
    /// <param name="parentRawGeneration">The directory's <c>i_generation</c> as it lies.</param>
    public static KernelFileHandle OfExt4(uint inode, uint rawGeneration, uint parentInode, uint parentRawGeneration)
    {
        ArgumentOutOfRangeException.ThrowIfZero(inode);
        ArgumentOutOfRangeException.ThrowIfZero(parentInode);
        return new(KernelHandleType.Ext4WithParent, new KernelNode(inode, rawGeneration), new KernelNode(parentInode, parentRawGeneration));
    }

    /// <summary>The handle that the kernel has for a file on a FUSE mount of ours.</summary>
    /// <param name="handle">The file's; <see cref="FileHandle.Root"/> for the root.</param>
    /// <param name="parent">That of the directory by which it was found; null for the form without.</param>
    public static KernelFileHandle OfFuse(FileHandle handle, FileHandle? parent = null) =>
        new(parent is null ? KernelHandleType.Fuse : KernelHandleType.FuseWithParent, FuseNode(handle), parent is null ? null : FuseNode(parent.Value));

    /// <summary>Reads the kernel's bytes, header included. They may come from anywhere: no length in them is trusted.</summary>
    /// <param name="bytes">The header and as many bytes as it says, no more.</param>
    /// <param name="handle">The handle; meaningless unless the result is <see cref="KernelHandleDefect.None"/>.</param>
    /// <returns>What is wrong with the bytes.</returns>
    public static KernelHandleDefect Decode(ReadOnlySpan<byte> bytes, out KernelFileHandle handle)
    {
        handle = default;
        if (bytes.Length < HeaderSize)
            return KernelHandleDefect.Truncated;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        ReadOnlySpan<byte> body = bytes[HeaderSize..];
        if (length != (uint)body.Length)
            return length > (uint)body.Length ? KernelHandleDefect.Truncated : KernelHandleDefect.Surplus;
        return Decode(BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), body, out handle);
    }

    /// <summary>Reads a handle whose header is not there, or of another form, as in the handles of NFS servers.</summary>
    /// <param name="word">The type, and flags in its upper half.</param>
    /// <param name="body">The bytes behind the header (<c>f_handle</c>), no more.</param>
    /// <param name="handle">The handle; of type <see cref="KernelHandleType.Unknown"/> unless the result is <see cref="KernelHandleDefect.None"/>.</param>
    /// <returns>What is wrong with it.</returns>
    public static KernelHandleDefect Decode(uint word, ReadOnlySpan<byte> body, out KernelFileHandle handle)
    {
        handle = default;
        var type = (KernelHandleType)(word & TypeMask);
        if ((word & ~(TypeMask | KnownFlags)) != 0 || type == KernelHandleType.Unknown || !Enum.IsDefined(type))
            return KernelHandleDefect.Type;
        bool isFuse = type is KernelHandleType.Fuse or KernelHandleType.FuseWithParent;
        bool hasParent = type is KernelHandleType.Ext4WithParent or KernelHandleType.FuseWithParent;
        int size = NodeSize(isFuse);
        if (body.Length != (hasParent ? 2 * size : size))
            return KernelHandleDefect.Length;
        KernelNode file = ReadNode(body, isFuse);
        KernelNode? parent = hasParent ? ReadNode(body[size..], isFuse) : null;
        if (file.Node == 0 || parent is { Node: 0 })
            return KernelHandleDefect.Node;
        handle = new KernelFileHandle(type, file, parent);
        return KernelHandleDefect.None;
    }

    /// <summary>Writes the kernel's bytes, header included, into the first <see cref="Size"/> bytes of <paramref name="destination"/>.</summary>
    public void Encode(Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, Size);
        BinaryPrimitives.WriteInt32LittleEndian(destination, Size - HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], (int)Type);
        WriteNode(destination[HeaderSize..], File, IsFuse);
        if (Parent is KernelNode parent)
            WriteNode(destination[(HeaderSize + NodeSize(IsFuse))..], parent, IsFuse);
    }

    /// <summary>
    /// Parses the text form: 0x and the type in hexadecimal, a colon, and the bytes behind the header in hexadecimal, for example <c>0x1:0c000000d2029649</c>. False if
    /// the text is not of that form.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="handle">The handle; where its bytes are of no form that is known here, one of type <see cref="KernelHandleType.Unknown"/>.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out KernelFileHandle handle)
    {
        handle = default;
        int colon = text.IndexOf(':');
        if (!text.StartsWith("0x", StringComparison.Ordinal) || colon < 0
            || !uint.TryParse(text[2..colon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint word))
            return false;
        Span<byte> body = stackalloc byte[MaximumSize - HeaderSize];
        if (Convert.FromHexString(text[(colon + 1)..], body, out _, out int length) != OperationStatus.Done)
            return false;
        _ = Decode(word, body[..length], out handle);
        return true;
    }

    /// <summary>The text form, as <see cref="TryParse"/> takes it.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[MaximumSize];
        Encode(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"0x{(int)Type:x}:{Convert.ToHexStringLower(bytes[HeaderSize..Size])}");
    }

    /// <summary>
    /// The persistent handle that a FUSE handle carries. False if it is of ext4, or of a FUSE mount of another program: ours have the generation
    /// in the nodeid as well.
    /// </summary>
    public bool TryGetFuse(out FileHandle handle)
    {
        var node = new NodeId(File.Node);
        handle = node.IsRoot ? FileHandle.Root : node.Handle;
        return IsFuse && handle.Inode != 0 && handle.Generation == File.Generation;
    }

    /// <summary>
    /// The persistent handle of the inode that an ext4 handle names. False if it is of FUSE, or of another generation than the inode has: then it is stale.
    /// </summary>
    /// <param name="rawGeneration">The inode's <c>i_generation</c> in the image.</param>
    /// <param name="rawBirthTime">Its birth time there, as <see cref="FileHandle.Of"/> takes it.</param>
    /// <param name="handle">The handle.</param>
    public bool TryGetExt4(uint rawGeneration, ulong rawBirthTime, out FileHandle handle)
    {
        uint inode = (uint)(File.Node & uint.MaxValue);
        handle = inode == FileHandle.Root.Inode ? FileHandle.Root : FileHandle.Of(inode, rawGeneration, rawBirthTime);
        return !IsFuse && inode != 0 && File.Generation == rawGeneration;
    }

    private static KernelNode FuseNode(FileHandle handle)
    {
        ArgumentOutOfRangeException.ThrowIfZero(handle.Inode);
        return handle == FileHandle.Root ? new KernelNode(NodeId.Root.Value, 0) : new KernelNode(NodeId.From(handle).Value, handle.Generation);
    }

    private static int NodeSize(bool isFuse) => isFuse ? 12 : 8;

    private static KernelNode ReadNode(ReadOnlySpan<byte> bytes, bool isFuse)
    {
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(bytes), second = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        return isFuse ? new KernelNode((ulong)first << 32 | second, BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])) : new KernelNode(first, second);
    }

    private static void WriteNode(Span<byte> bytes, KernelNode node, bool isFuse)
    {
        uint low = (uint)(node.Node & uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, isFuse ? (uint)(node.Node >> 32) : low);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], isFuse ? low : node.Generation);
        if (isFuse)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], node.Generation);
    }
}
