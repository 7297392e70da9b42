using Ext4Reader.OnDisk;
using Ext4Reader.Tests.Building;

namespace Ext4Reader.Tests.Journal;

public class FastCommitTests
{
    private const string Path = "/sizes/4096";
    private const string Inline = "/deep/er/still";
    private const uint Root = 2;
    private const uint New = 900;
    private const ushort Folder = 0x41ed;

    [Fact]
    public void A_new_file_has_its_name_and_content()
    {
        using JournaledImage journaled = Journaled();
        Create(journaled).Tail();
        Ext4Image image = journaled.Open();
        Assert.Equal(Original()[1024..3072], image.Content("/new"));
        Assert.Equal(77u, image.Find("/new").Generation);
        Assert.Equal(4u, image.Find("/new").Sectors);
        Assert.Contains(image.List(image.GetRoot()), entry => entry.Name == "new" && entry.Type == FileType.Regular);
    }

    [Fact]
    public void A_new_file_takes_an_inode_from_the_free_ones()
    {
        using JournaledImage journaled = Journaled();
        Create(journaled).Tail();
        using Ext4Image before = journaled.Image.Open(new Ext4OpenOptions { NoRecovery = true });
        ulong free = before.GetStatistics().FreeFiles;
        Assert.Equal(free - 1, journaled.Open().GetStatistics().FreeFiles);
    }

    [Fact]
    public void A_new_directory_is_empty()
    {
        using JournaledImage journaled = Journaled();
        Writer(journaled).Head().Inode(New, like: journaled.Image.Number(Path), 0, 2, Folder).Entry(FastCommitTagType.Create, Root, "folder", New)
            .Inode(New, like: journaled.Image.Number(Path), 1024, 2, Folder).Tail();
        Ext4Image image = journaled.Open();
        Assert.Equal([".", ".."], image.List(image.Find("/folder")).Select(entry => entry.Name));
        Assert.Equal(2u, image.Find("/folder").LinkCount);
    }

    [Fact]
    public void An_unlinked_file_is_gone_and_its_space_free()
    {
        using JournaledImage journaled = Journaled();
        uint number = journaled.Image.Number(Path);
        Writer(journaled).Head().Entry(FastCommitTagType.Unlink, journaled.Image.Number("/sizes"), "4096", number).Tail();
        using Ext4Image before = journaled.Image.Open(new Ext4OpenOptions { NoRecovery = true });
        Ext4Image image = journaled.Open();
        Assert.False(image.TryLookup(image.Find("/sizes"), "4096"u8, out _));
        Assert.False(image.TryGetInode(number, out _));
        Assert.Equal(before.GetStatistics().FreeBlocks + 4, image.GetStatistics().FreeBlocks);
        Assert.Equal(before.GetStatistics().FreeFiles + 1, image.GetStatistics().FreeFiles);
    }

    [Fact]
    public void A_renamed_file_has_the_new_name_only()
    {
        using JournaledImage journaled = Journaled();
        uint number = journaled.Image.Number(Path);
        Writer(journaled).Head().Entry(FastCommitTagType.Link, Root, "moved", number)
            .Entry(FastCommitTagType.Unlink, journaled.Image.Number("/sizes"), "4096", number).Tail();
        Ext4Image image = journaled.Open();
        Assert.Equal(Original(), image.Content("/moved"));
        Assert.Equal(1u, image.Find("/moved").LinkCount);
        Assert.False(image.TryLookup(image.Find("/sizes"), "4096"u8, out _));
    }

    [Fact]
    public void A_removed_range_is_a_hole()
    {
        using JournaledImage journaled = Journaled();
        Writer(journaled).Head().DeleteRange(journaled.Image.Number(Path), 1, 2).Tail();
        Ext4Image image = journaled.Open();
        Assert.Equal([.. Original()[..1024], .. new byte[2048], .. Original()[3072..]], image.Content(Path));
        Assert.Equal(1024, image.SeekHole(image.Find(Path), 0));
    }

    [Fact]
    public void A_file_in_many_pieces_gets_a_tree()
    {
        using JournaledImage journaled = Journaled();
        ulong block = journaled.BlockOf(Path);
        FastCommitWriter writer = Create(journaled);
        for (uint piece = 0; piece < 200; piece++)
            writer.AddRange(New, 10 + 2 * piece, block, 1);
        writer.Inode(New, like: journaled.Image.Number(Path), 410 * 1024, 1).Tail();
        byte[] content = journaled.Open().Content("/new");
        for (int piece = 0; piece < 200; piece++)
            Assert.Equal(Original()[..1024], content[((10 + 2 * piece) * 1024)..][..1024]);
        Assert.Equal(new byte[1024], content[(409 * 1024)..]);
    }

    [Fact]
    public void Commits_behind_a_wrong_tail_do_not_count()
    {
        using JournaledImage journaled = Journaled();
        Create(journaled).Tail().Entry(FastCommitTagType.Unlink, Root, "new", New).Tail(damage: 1);
        Assert.Equal(2048, journaled.Open().Content("/new").Length);
    }

    [Fact]
    public void A_wrong_first_tail_makes_the_journal_useless()
    {
        using JournaledImage journaled = Journaled();
        Create(journaled).Tail(damage: 1);
        Assert.Equal(Corruption.FastCommitChecksum, Assert.Throws<CorruptImageException>(journaled.Open).Kind);
    }

    [Fact]
    public void Commits_of_an_earlier_transaction_do_not_count()
    {
        using JournaledImage journaled = Journaled();
        Writer(journaled).Head(journaled.Sequence - 1).Entry(FastCommitTagType.Unlink, Root, "new", New).Tail();
        Assert.Equal(4096, journaled.Open().Content(Path).Length);
    }

    [Fact]
    public void A_feature_of_fast_commits_that_nobody_knows_is_refused()
    {
        using JournaledImage journaled = Journaled();
        Writer(journaled).Head(features: 4).Tail();
        Assert.Throws<UnsupportedImageException>(journaled.Open);
    }

    [Fact]
    public void A_range_outside_of_the_image_is_refused()
    {
        using JournaledImage journaled = Journaled();
        Writer(journaled).Head().AddRange(journaled.Image.Number(Path), 0, 0xffffff, 1).Tail();
        Assert.Equal(Corruption.FastCommit, Assert.Throws<CorruptImageException>(journaled.Open).Kind);
    }

    [Fact]
    public void Names_split_the_full_leaves_of_an_index()
    {
        ImageRecipe recipe = JournaledImage.FastRecipe with { Tree = SourceTree.ManyNames(700), Options = JournaledImage.FastRecipe.Options + " -N 2048" };
        using var journaled = new JournaledImage(hasFastCommits: true, recipe: recipe);
        string folder = FolderOf(recipe, out string some, out int count);
        uint directory = journaled.Image.Number(folder);
        uint number = journaled.Image.Number(folder + "/" + some);
        journaled.Commit((journaled.BlockOf(folder), journaled.Image.Raw(journaled.Image.BlockAt(folder, 0), 1024).ToArray()));
        FastCommitWriter writer = new FastCommitWriter(journaled).Head();
        string[] added = [.. Enumerable.Range(0, 60).Select(index => $"{index}".PadLeft(200, 'n'))];
        foreach (string name in added)
            writer.Entry(FastCommitTagType.Link, directory, name, number);
        writer.Tail();
        Ext4Image image = journaled.Open();
        Assert.All(added, name => Assert.Equal(number, image.Find(folder + "/" + name).Number));
        List<Listed> names = image.List(image.Find(folder));
        Assert.Equal(count + added.Length, names.Count);
        Assert.Equal(61u, image.Find(folder + "/" + some).LinkCount);
    }

    [Fact]
    public void A_directory_in_its_inode_gains_and_loses_names()
    {
        ImageRecipe recipe = JournaledImage.FastRecipe with { Options = With("inline_data") };
        using var journaled = new JournaledImage(hasFastCommits: true, recipe: recipe);
        journaled.Commit((journaled.BlockOf("/sizes/300000"), new byte[1024]));
        uint folder = journaled.Image.Number(Inline);
        uint number = journaled.Image.Number(Path);
        new FastCommitWriter(journaled).Head().Entry(FastCommitTagType.Link, folder, "a", number).Entry(FastCommitTagType.Link, folder, "b", number)
            .Entry(FastCommitTagType.Unlink, folder, "a", number).Tail();
        Ext4Image image = journaled.Open();
        Assert.True(image.Find(Inline).HasInlineContent);
        Assert.Equal([".", "..", "b", "bottom"], image.List(image.Find(Inline)).Select(entry => entry.Name));
        Assert.Equal(number, image.Find(Inline + "/b").Number);
    }

    [Fact]
    public void A_directory_in_its_inode_that_is_full_is_refused_by_name()
    {
        ImageRecipe recipe = JournaledImage.FastRecipe with { Options = With("inline_data") };
        using var journaled = new JournaledImage(hasFastCommits: true, recipe: recipe);
        journaled.Commit((journaled.BlockOf("/sizes/300000"), new byte[1024]));
        new FastCommitWriter(journaled).Head().Entry(FastCommitTagType.Link, journaled.Image.Number(Inline), new string('n', 200), journaled.Image.Number(Path)).Tail();
        Assert.Contains("inline_data", Assert.Throws<UnsupportedImageException>(journaled.Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_casefolded_directories_are_found_by_any_casing()
    {
        ImageRecipe recipe = JournaledImage.FastRecipe with
        {
            Options = With("casefold"),
            SettingsFirst = ["sif /sizes flags 0x40080000"],
        };
        using var journaled = new JournaledImage(hasFastCommits: true, recipe: recipe);
        uint folder = journaled.Image.Number("/sizes");
        uint number = journaled.Image.Number(Path);
        journaled.Commit((journaled.BlockOf(Path), Original()[..1024]));
        new FastCommitWriter(journaled).Head().Entry(FastCommitTagType.Link, folder, "Name", number).Entry(FastCommitTagType.Link, folder, "NAME", number)
            .Entry(FastCommitTagType.Link, folder, "other", number).Entry(FastCommitTagType.Unlink, folder, "OTHER", number).Tail();
        Ext4Image image = journaled.Open();
        Assert.Single(image.List(image.Find("/sizes")), entry => entry.Name is "Name" or "NAME");
        Assert.Equal(number, image.Find("/sizes/nAmE").Number);
        Assert.False(image.TryLookup(image.Find("/sizes"), "other"u8, out _));
        Assert.Equal(2u, image.Find("/sizes/name").LinkCount);
    }

    [Fact]
    public void A_log_that_starts_among_the_fast_commits_is_refused()
    {
        using JournaledImage journaled = Journaled();
        JournaledImage.Put(journaled.Raw(0), 0x14, (uint)journaled.FirstFastBlock + 1);
        journaled.SealSuperblock();
        Assert.Equal(Corruption.JournalSuperblock, Assert.Throws<CorruptImageException>(journaled.Open).Kind);
    }

    [Fact]
    public void Random_damage_never_does_more_than_refuse()
    {
        var random = new Random(2);
        for (int round = 0; round < 64; round++)
        {
            using JournaledImage journaled = Journaled();
            uint number = journaled.Image.Number(Path);
            FastCommitWriter writer = Writer(journaled).Head(features: random.Next(8) == 0 ? 1u : 0);
            for (int tag = 0; tag < 30; tag++)
            {
                uint inode = random.Next(3) switch { 0 => number, 1 => (uint)random.Next(1100), _ => New };
                switch (random.Next(5))
                {
                    case 0: writer.AddRange(inode, (uint)random.Next(), (ulong)random.Next(20000), (ushort)random.Next(70)); break;
                    case 1: writer.DeleteRange(inode, (uint)random.Next(8), (uint)random.Next()); break;
                    case 2: writer.Inode(inode, like: (uint)random.Next(1, 40), (uint)random.Next(), (ushort)random.Next(3)); break;
                    case 3: writer.Entry(FastCommitTagType.Unlink, (uint)random.Next(40), "4096", inode); break;
                    default: writer.Entry((FastCommitTagType)random.Next(3, 5), (uint)random.Next(40), $"n{tag}", inode); break;
                }
            }

            writer.Tail();
            try
            {
                Ext4Image image = journaled.Open();
                _ = image.GetStatistics();
                _ = image.List(image.GetRoot());
            }
            catch (Ext4Exception problem)
            {
                Assert.NotEmpty(problem.Message);
            }
        }
    }

    private static JournaledImage Journaled()
    {
        var journaled = new JournaledImage(hasFastCommits: true);
        journaled.Commit((journaled.BlockOf(Path), Original()[..1024]));
        return journaled;
    }

    private static string With(string feature) => JournaledImage.FastRecipe.Options.Replace("fast_commit", $"fast_commit,{feature}", StringComparison.Ordinal);

    private static FastCommitWriter Writer(JournaledImage journaled) => new(journaled);

    private static FastCommitWriter Create(JournaledImage journaled)
    {
        uint like = journaled.Image.Number(Path);
        return Writer(journaled).Head().Inode(New, like, 2048, 1).AddRange(New, 0, journaled.BlockOf(Path, 1), 2)
            .Entry(FastCommitTagType.Create, Root, "new", New).Inode(New, like, 2048, 1);
    }

    private static string FolderOf(ImageRecipe recipe, out string some, out int count)
    {
        using Ext4Image image = BuiltImage.Open(recipe);
        List<Listed> names = image.List(image.Find("/many"));
        Assert.True(image.Find("/many").HasIndex);
        (some, count) = (names[2].Name, names.Count);
        return "/many";
    }

    private static byte[] Original()
    {
        using Ext4Image image = BuiltImage.Open(JournaledImage.FastRecipe);
        return image.Content(Path);
    }
}
