using System.Buffers.Binary;
using System.Text;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Tests.Building;

/// <summary>Writes fast commits into the journal of an image, as Linux would have.</summary>
internal sealed class FastCommitWriter(JournaledImage journaled)
{
    private readonly List<byte> _block = [];
    private uint _next = (uint)journaled.FirstFastBlock;
    private uint _crc;

    /// <summary>The journal block that comes next.</summary>
    public uint Next => _next;

    public FastCommitWriter Head(uint? sequence = null, uint features = 0) =>
        Tag(FastCommitTagType.Head, [.. Number(features), .. Number(sequence ?? journaled.Sequence)]);

    public FastCommitWriter AddRange(uint inode, uint fileBlock, ulong imageBlock, ushort length) => Tag(
        FastCommitTagType.AddRange,
        [.. Number(inode), .. Number(fileBlock), (byte)(length & 0xff), (byte)(length >> 8), 0, 0, .. Number((uint)imageBlock)]);

    public FastCommitWriter DeleteRange(uint inode, uint fileBlock, uint length) =>
        Tag(FastCommitTagType.DeleteRange, [.. Number(inode), .. Number(fileBlock), .. Number(length)]);

    public FastCommitWriter Entry(FastCommitTagType type, uint directory, string name, uint inode) =>
        Tag(type, [.. Number(directory), .. Number(inode), .. Encoding.Latin1.GetBytes(name)]);

    /// <summary>An inode like another one, but for size, links and what lies at an offset.</summary>
    public FastCommitWriter Inode(uint inode, uint like, uint size, ushort links, ushort? mode = null)
    {
        byte[] record = journaled.Image.Raw(journaled.Image.InodeAt(like), 160).ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(0x04), size);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(0x1a), links);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(0x64), 77);
        if (mode is ushort changed)
            BinaryPrimitives.WriteUInt16LittleEndian(record, changed);
        return Tag(FastCommitTagType.Inode, [.. Number(inode), .. record]);
    }

    public FastCommitWriter Tag(FastCommitTagType type, byte[] value)
    {
        if (_block.Count + 4 + value.Length > JournaledImage.BlockSize - 16)
        {
            int left = JournaledImage.BlockSize - _block.Count - 4;
            Append(FastCommitTagType.Padding, new byte[left], left + 4);
            Flush();
        }

        Append(type, value, value.Length + 4);
        return this;
    }

    /// <summary>Ends a commit, which fills its block.</summary>
    public FastCommitWriter Tail(uint? sequence = null, uint damage = 0)
    {
        int left = JournaledImage.BlockSize - _block.Count - 4;
        var value = new byte[left];
        BinaryPrimitives.WriteUInt32LittleEndian(value, sequence ?? journaled.Sequence);
        Append(FastCommitTagType.Tail, value, 8);
        byte[] block = [.. _block];
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(block.Length - left + 4), _crc ^ damage);
        block.CopyTo(journaled.Raw(_next++));
        _block.Clear();
        _crc = 0;
        return this;
    }

    private static byte[] Number(uint number) => BitConverter.GetBytes(number);

    private void Append(FastCommitTagType type, byte[] value, int summed)
    {
        byte[] tag = [(byte)type, 0, (byte)(value.Length & 0xff), (byte)(value.Length >> 8), .. value];
        _crc = Crc32c.Append(_crc, tag.AsSpan(0, summed));
        _block.AddRange(tag);
    }

    private void Flush()
    {
        _block.ToArray().CopyTo(journaled.Raw(_next++));
        _block.Clear();
    }
}
