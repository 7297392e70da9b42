using Ext4Reader.Partitions;
using TestSupport;
using Xunit;

namespace Ext4Reader.Tests.Partitions;

/// <summary>Tables with random damage, always the same: whatever they say, reading ends, and what it finds lies on the disk.</summary>
public class DamageTests
{
    private const int Mebibyte = DiskImage.Mebibyte;
    private const int Rounds = 1500;

    [Fact]
    public void Damage_to_a_gpt_does_no_harm()
    {
        using DiskImage disk = new DiskImage(16 * Mebibyte).Gpt(new GptEntry(2048, 4095, "root"), new GptEntry(4096, 8191, "home")).Superblock(Mebibyte);
        // Half of the damage where it is not caught by a checksum: the protective MBR.
        Damage(disk, random => random.Next(2) == 0 ? random.Next(440, 512) : random.Next(512, 1300));
    }

    [Fact]
    public void Damage_to_boot_records_does_no_harm()
    {
        long[] records = [0, 4096, 8192, 12288];
        using DiskImage disk = new DiskImage(16 * Mebibyte).BootRecord(0, new MbrEntry(0x83, 2048, 2048), new MbrEntry(0x0f, 4096, 20480));
        foreach (uint record in (uint[])[4096, 8192, 12288])
            disk.BootRecord(record, new MbrEntry(0x83, 64, 1000), new MbrEntry(0x05, record, 4096));
        Damage(disk, random => (records[random.Next(records.Length)] * 512) + random.Next(446, 478));
    }

    private static void Damage(DiskImage disk, Func<Random, long> where)
    {
        var random = new Random(1);
        for (int round = 0; round < Rounds; round++)
        {
            long[] places = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => where(random)).Distinct()];
            var before = new byte[places.Length];
            using (FileStream file = File.Open(disk.ImagePath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                for (int i = 0; i < places.Length; i++)
                {
                    file.Position = places[i];
                    before[i] = (byte)file.ReadByte();
                }
            }
            foreach (long place in places)
                disk.Write(place, (byte)random.Next(256));
            Check(PartitionTable.Read(disk.ImagePath));
            for (int i = 0; i < places.Length; i++)
                disk.Write(places[i], before[i]);
        }
    }

    private static void Check(PartitionTable table)
    {
        Assert.InRange(table.Notes.Count, 0, 20);
        Assert.All(table.Partitions, partition =>
        {
            Assert.InRange(partition.Start, 0, table.DiskLength - 1);
            Assert.InRange(partition.Length, 1, table.DiskLength - partition.Start);
        });
        Assert.Distinct(table.Partitions.Select(partition => partition.Number));
        try
        {
            table.Choose(null);
        }
        catch (PartitionChoiceException)
        {
            // an answer, too
        }
    }
}
