using Ext4Reader.Files;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Verity;

/// <summary>Reads files with fs-verity, checking each piece against the file's Merkle tree before anybody gets it.</summary>
internal sealed class VerifiedFiles(FileReader files, BlockMap map)
{
    private const int MetadataAlignment = 1 << 16;
    private const int LengthSize = 4;

    // A descriptor with the longest signature that Linux takes.
    private const int MaximumDescriptorSize = 16384;

    [ThreadStatic]
    private static MerkleTree? _current;

    /// <summary>Fills the destination from a byte offset; shorter only at the end of the file.</summary>
    internal int Read(in Inode file, long offset, Span<byte> destination)
    {
        int length = files.Read(file, offset, destination);
        if (length == 0)
            return 0;
        MerkleTree tree = Tree(file);
        destination = destination[..length];
        for (int done = 0; done < length;)
        {
            long index = (offset + done) >> tree.BlockBits;
            long start = index << tree.BlockBits;
            int size = (int)Math.Min(1L << tree.BlockBits, file.Size - start);
            int within = (int)(offset + done - start);
            int wanted = Math.Min(size - within, length - done);
            if (wanted == size)
            {
                tree.Verify(index, destination.Slice(done, size));
            }
            else
            {
                // Part of a piece: the whole of it is read again, and what is checked is what is given out.
                Span<byte> piece = tree.Scratch.AsSpan(0, size);
                files.Read(file, start, piece);
                tree.Verify(index, piece);
                piece.Slice(within, wanted).CopyTo(destination[done..]);
            }

            done += wanted;
        }

        return length;
    }

    /// <summary>The tree of a file. Each thread keeps the last one, with the nodes on the path it took last.</summary>
    private MerkleTree Tree(in Inode file)
    {
        if (_current is null || !_current.IsOf(this, file))
        {
            // Dropped first: a thread that fails here must not be left with a tree that is disposed of.
            MerkleTree? former = _current;
            _current = null;
            former?.Dispose();
            _current = Open(file);
        }

        return _current;
    }

    private MerkleTree Open(in Inode file)
    {
        if (!file.UsesExtents || file.HasInlineContent)
            throw VerityDescriptor.Broken(file, "no room for one without extents");
        int blockBits = map.Superblock.BlockSizeBits;
        ulong end = map.End(file) << blockBits;
        long treeStart = (file.Size + MetadataAlignment - 1) / MetadataAlignment * MetadataAlignment;
        if (end < LengthSize || end - LengthSize < (ulong)treeStart)
            throw VerityDescriptor.Broken(file, $"nothing behind byte {treeStart}");
        Inode whole = file with { Size = (long)end };
        Span<byte> stored = stackalloc byte[LengthSize];
        long lengthAt = (long)end - LengthSize;
        files.Read(whole, lengthAt, stored);
        uint length = LittleEndian.U32(stored, 0);
        if (length is < VerityDescriptor.Size or > MaximumDescriptorSize || length > lengthAt - treeStart)
            throw VerityDescriptor.Broken(file, $"{length} bytes long");
        long start = (lengthAt - length) >> blockBits << blockBits;
        if (start < treeStart)
            throw VerityDescriptor.Broken(file, $"at byte {start}, within the content");
        var raw = new byte[length];
        files.Read(whole, start, raw);
        return new MerkleTree(this, files, whole, file.Size, treeStart, VerityDescriptor.Parse(raw, file, blockBits));
    }
}
