using System.Buffers.Binary;
using Ext4Reader.OnDisk;

namespace Fuzz.Tests;

/// <summary>Writes a journal that must be replayed: transactions and fast commits that hang together, though what they say need not make sense.</summary>
internal sealed class LogWriter(Layout layout, Patch patch, Random random)
{
    private const int FastBlocks = 512;
    private const uint FirstSequence = 7;
    private const uint Magic = 0xc03b3998;

    private readonly int _size = layout.Superblock.BlockSize;
    private readonly uint _seed = Crc32c.Append(Crc32c.Start, patch.Bytes.Slice(layout.Journal[0] + 0x30, 16));
    private uint _sequence = FirstSequence;
    private int _next = 1;

    public string Run()
    {
        int transactions = random.Next(0, 4);
        for (int count = 0; count < transactions; count++)
            Transaction();
        int fast = random.Next(3) == 0 ? 0 : random.Next(1, 60);
        if (fast > 0)
            FastCommits(fast);
        if (random.Next(2) == 0)
            Noise();
        Superblocks(isStarted: transactions > 0 || random.Next(2) == 0);
        if (random.Next(2) == 0)
            OrphanList();
        return $"journal of {transactions} transactions and {fast} tags";
    }

    private int End => layout.Journal.Count - FastBlocks;

    private byte[] Block(uint type)
    {
        byte[] block = new byte[_size];
        BinaryPrimitives.WriteUInt32BigEndian(block, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(4), type);
        BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(8), _sequence);
        return block;
    }

    private void Put(byte[] block, int checksumAt)
    {
        if (checksumAt >= 0)
            BinaryPrimitives.WriteUInt32BigEndian(block.AsSpan(checksumAt), random.Next(40) == 0 ? 1 : Crc32c.Append(_seed, block));
        if (_next < End)
            patch.Write(layout.Journal[_next++], block);
    }

    private void Transaction()
    {
        int count = random.Next(1, 12);
        byte[] descriptor = Block(1);
        var copies = new List<byte[]>();
        for (int index = 0; index < count; index++)
        {
            Structure structure = layout.Structures[random.Next(layout.Structures.Count)];
            ulong block = (ulong)structure.Offset >> layout.Superblock.BlockSizeBits;
            byte[] copy = patch.Bytes.Slice((int)block << layout.Superblock.BlockSizeBits, _size).ToArray();
            for (int flips = random.Next(3); flips > 0; flips--)
                copy[random.Next(_size)] ^= (byte)(1 << random.Next(8));
            if (random.Next(30) == 0)
                block = (ulong)random.NextInt64();
            Span<byte> tag = descriptor.AsSpan(12 + (16 * index));
            uint crc = Crc32c.Append(Crc32c.Append(_seed, BinaryPrimitives.ReverseEndianness(_sequence)), copy);
            BinaryPrimitives.WriteUInt32BigEndian(tag, (uint)(block & uint.MaxValue));
            BinaryPrimitives.WriteUInt32BigEndian(tag[4..], 2u | (index == count - 1 ? 8u : 0) | (random.Next(30) == 0 ? 1u : 0));
            BinaryPrimitives.WriteUInt32BigEndian(tag[8..], (uint)(block >> 32));
            BinaryPrimitives.WriteUInt32BigEndian(tag[12..], crc);
            copies.Add(copy);
        }

        Put(descriptor, _size - 4);
        copies.ForEach(copy => Put(copy, -1));
        if (random.Next(3) == 0)
        {
            byte[] revocation = Block(5);
            int used = 16 + (8 * random.Next(0, 5));
            BinaryPrimitives.WriteUInt32BigEndian(revocation.AsSpan(12), random.Next(20) == 0 ? (uint)random.Next() : (uint)used);
            for (int at = 16; at < used; at += 8)
                BinaryPrimitives.WriteUInt64BigEndian(revocation.AsSpan(at), (ulong)layout.Structures[random.Next(layout.Structures.Count)].Offset >> layout.Superblock.BlockSizeBits);
            Put(revocation, _size - 4);
        }

        Put(Block(2), 0x10);
        _sequence++;
    }

    private void FastCommits(int tags)
    {
        int block = End;
        var bytes = new List<byte>();
        uint crc = 0;
        Add(9, [.. BitConverter.GetBytes(0u), .. BitConverter.GetBytes(_sequence)]);
        for (; tags > 0 && block < layout.Journal.Count - 2; tags--)
        {
            byte[] value = Value(out ushort type);
            if (bytes.Count + 4 + value.Length > _size - 32)
                Flush(8, tail: true);
            Add(type, value);
        }

        Flush(8, tail: true);

        void Add(ushort type, byte[] value)
        {
            byte[] tag = [.. BitConverter.GetBytes(type), .. BitConverter.GetBytes((ushort)value.Length), .. value];
            crc = Crc32c.Append(crc, tag);
            bytes.AddRange(tag);
        }

        void Flush(ushort type, bool tail)
        {
            int left = _size - bytes.Count - 4;
            byte[] value = new byte[left];
            BitConverter.TryWriteBytes(value, _sequence);
            byte[] tag = [.. BitConverter.GetBytes(type), .. BitConverter.GetBytes((ushort)left), .. value];
            crc = Crc32c.Append(crc, tag.AsSpan(0, 8));
            BitConverter.TryWriteBytes(tag.AsSpan(8), tail && random.Next(40) > 0 ? crc : 1);
            bytes.AddRange(tag);
            patch.Write(layout.Journal[block++], bytes.ToArray());
            bytes.Clear();
            crc = 0;
        }
    }

    private byte[] Value(out ushort type)
    {
        Structure[] inodes = [.. layout.Structures.Where(structure => structure.Kind == StructureKind.Inode)];
        Structure inode = inodes[random.Next(inodes.Length)];
        uint number = random.Next(4) switch { 0 => (uint)random.Next(300), 1 => (uint)random.Next(), _ => inode.Owner };
        byte[] words = [.. BitConverter.GetBytes(number), .. BitConverter.GetBytes((uint)random.Next(random.Next(3) == 0 ? int.MaxValue : 64))];
        type = (ushort)random.Next(1, 7);
        switch (type)
        {
            case 1:
                return [.. words, .. BitConverter.GetBytes((ushort)random.Next(random.Next(2) == 0 ? 20 : 65536)), 0, 0, .. BitConverter.GetBytes((uint)random.Next(30000))];
            case 2:
                return [.. words, .. BitConverter.GetBytes((uint)random.Next(random.Next(2) == 0 ? 20 : int.MaxValue))];
            case 6:
                byte[] record = patch.Bytes.Slice(inode.Offset, 160).ToArray();
                for (int flips = random.Next(4); flips > 0; flips--)
                    record[random.Next(record.Length)] ^= (byte)(1 << random.Next(8));
                return [.. words.AsSpan(0, 4), .. record];
            default:
                byte[] name = [.. random.Next(2) == 0 ? "guide.txt"u8 : new byte[random.Next(1, 255)]];
                for (int index = 0; index < name.Length && name[0] == 0; index++)
                    name[index] = (byte)random.Next(1, 256);
                return [.. BitConverter.GetBytes(inodes[random.Next(inodes.Length)].Owner), .. BitConverter.GetBytes(number), .. name];
        }
    }

    private void Noise()
    {
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            int from = random.Next(2) == 0 ? 0 : End;
            int block = layout.Journal[Math.Min(from + random.Next(0, 20), layout.Journal.Count - 1)];
            patch.Write(block + random.Next(random.Next(2) == 0 ? 64 : _size), 1, (ulong)random.Next(256));
        }
    }

    private void Superblocks(bool isStarted)
    {
        int at = layout.Journal[0];
        Big(0x18, FirstSequence);
        Big(0x1c, isStarted ? 1u : 0);
        Big(0x24, 0);
        Big(0x28, 1 | 2 | 0x10 | 0x20);
        Big(0x54, FastBlocks);
        patch.Write(at + 0x50, 1, 4);
        if (random.Next(6) == 0)
            Big(4 * random.Next(3, 24), random.Next(2) == 0 ? (uint)random.Next(5000) : (uint)random.Next());
        Big(0xfc, 0);
        Big(0xfc, random.Next(40) == 0 ? 1 : Crc32c.Append(Crc32c.Start, patch.Bytes.Slice(at, 1024)));
        patch.Write(Superblock.Offset + 0x60, 4, patch.Read(Superblock.Offset + 0x60, 4) | 4);
        new ChecksumRepair(layout, patch).Apply(layout.Structures[0]);

        void Big(int offset, uint value) => patch.Write(at + offset, 4, BinaryPrimitives.ReverseEndianness(value));
    }

    private void OrphanList()
    {
        Structure[] inodes = [.. layout.Structures.Where(structure => structure.Kind == StructureKind.Inode && structure.Owner > 10)];
        patch.Write(Superblock.Offset + 0xe8, 4, inodes[random.Next(inodes.Length)].Owner);
        patch.Write(Superblock.Offset + 0x64, 4, patch.Read(Superblock.Offset + 0x64, 4) | 0x10000);
        new ChecksumRepair(layout, patch).Apply(layout.Structures[0]);
        for (int count = random.Next(1, 8); count > 0; count--)
        {
            Structure inode = inodes[random.Next(inodes.Length)];
            patch.Write(inode.Offset + 0x14, 4, inodes[random.Next(inodes.Length)].Owner);
            if (random.Next(2) == 0)
                patch.Write(inode.Offset + 0x04, 4, (ulong)random.Next(5000));
            new ChecksumRepair(layout, patch).Apply(inode);
        }

        foreach (int block in layout.OrphanFile)
        {
            for (int count = random.Next(5); count > 0; count--)
                patch.Write(block + (4 * random.Next(100)), 4, random.Next(3) == 0 ? (uint)random.Next() : inodes[random.Next(inodes.Length)].Owner);
            uint crc = Crc32c.Append(SeedOf(layout.Superblock.OrphanFileInode), (ulong)block >> layout.Superblock.BlockSizeBits);
            patch.Write(block + _size - 4, 4, Crc32c.Append(crc, patch.Bytes.Slice(block, _size - 8)));
        }
    }

    private uint SeedOf(uint number) => layout.Superblock.InodeSeed(number, LittleEndian.U32(patch.Bytes, layout.InodeAt(number) + 0x64));
}
