using System.Security.Cryptography;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>
/// Images that were copied while the kernel was writing to them look as the kernel shows them once it has recovered them, and not a byte of theirs changes.
/// </summary>
public sealed class DirtyJournalTests : IDisposable
{
    // Each fsync(2) commits; syncfs(2) or sync(2) would write everything home and leave the journal empty. The copy is made while a file
    // that has lost its name is still open, so there is an orphan, too.
    private const string Work = """
        set -e
        cd "$1"
        echo old > replaced; echo gone > removed; mkdir full; for i in $(seq 300); do : > full/name-$i; done; sync .
        for i in $(seq 12); do
          mkdir d$i; seq $i 3000 > d$i/numbers; echo $i > d$i/short; ln d$i/short d$i/again; ln -s d$i/short link$i; sync d$i/numbers; sync .
          if [ $((i % 3)) = 0 ]; then rm -r d$((i - 1)); mv d$i moved$i; truncate -s 700 moved$i/numbers; sync moved$i/numbers; fi
        done
        rm -r full; seq 200000 > reuse; sync reuse; sync .
        printf '\300\073\071\230looks like a journal block' > escaped; sync escaped
        echo new > other; mv other replaced; rm removed; chmod 600 replaced; sync replaced
        seq 20000 > orphan; sync orphan; exec 3< orphan; rm orphan; sync .
        shift
        while [ $# -gt 0 ]; do cp --sparse=always "$1" "$1.copy"; shift; done
        """;

    private readonly ScratchFolder _folder = new();

    public static TheoryData<string, string> Kinds => new()
    {
        { "-t ext4", "" },
        { "-t ext4 -b 1024", "" },
        { "-t ext4 -O ^64bit", "" },
        { "-t ext4 -O ^metadata_csum", "" },
        { "-t ext4 -O ^metadata_csum", "journal_checksum" },
        { "-t ext4 -O ^metadata_csum", "journal_async_commit,data=writeback" },
        { "-t ext4 -b 1024", "data=journal" },
        { "-t ext4 -O inline_data", "" },
        { "-t ext4 -O orphan_file", "" },
        { "-t ext4 -O fast_commit", "" },
        { "-t ext3", "" },
    };

    public void Dispose() => _folder.Dispose();

    [OracleTheory]
    [MemberData(nameof(Kinds))]
    public void An_image_in_use_looks_as_after_its_recovery(string format, string options)
    {
        string image = Format(format);
        using (var device = new LoopDevice(image, writable: true))
            Use(device, options, image);
        string copy = image + ".copy", recovered = Duplicate(copy), before = Digest(copy);
        using (var device = new LoopDevice(recovered, writable: true))
            Mounted(device, "rw", _ => { });
        // What a fast commit names, the kernel's replay stamps into the directory with the time of the replay.
        string[] except = format.Contains("fast_commit", StringComparison.Ordinal) ? ["mtime", "ctime"] : [];
        Compare(recovered, copy, null, except);
        Assert.Equal(before, Digest(copy));
    }

    [OracleFact]
    public void A_journal_in_another_file_is_replayed_when_given()
    {
        string journal = Path.Combine(_folder.Path, "journal");
        Command.Run("truncate", "-s", "8M", journal).OrThrow();
        Command.Run("mke2fs", "-q", "-F", "-b", "1024", "-O", "journal_dev", journal).OrThrow();
        using var journalDevice = new LoopDevice(journal, writable: true);
        string image = Format($"-t ext4 -b 1024 -J device={journalDevice.Path}");
        using (var device = new LoopDevice(image, writable: true))
            Use(device, "", image, journal);
        string copy = image + ".copy", recovered = Duplicate(copy), before = Digest(copy), journalBefore = Digest(journal + ".copy");
        using (var device = new LoopDevice(recovered, writable: true))
        using (var recoveredJournal = new LoopDevice(Duplicate(journal + ".copy"), writable: true))
            Mounted(device, $"rw,journal_path={recoveredJournal.Path}", _ => { });
        Compare(recovered, copy, $"journal={journal}.copy");
        string[] file = [copy + ":moved12/numbers", "-o", $"journal={journal}.copy"];
        string handle = FuseServer.Run(["handle", .. file]).OrThrow().Output.Split(' ')[0];
        Assert.EndsWith(" /moved12/numbers\n", FuseServer.Run("resolve", copy, handle, "-o", $"journal={journal}.copy").OrThrow().Output, StringComparison.Ordinal);
        Assert.Equal(32, FuseServer.Run("resolve", copy, handle).ExitCode); // as mount refuses it
        Assert.Equal(before, Digest(copy));
        Assert.Equal(journalBefore, Digest(journal + ".copy"));
    }

    private string Format(string format)
    {
        string image = Path.Combine(_folder.Path, "image");
        Command.Run("truncate", "-s", "48M", image).OrThrow();
        Command.Run(["mke2fs", "-q", "-F", .. format.Split(' '), image]).OrThrow();
        return image;
    }

    private void Use(LoopDevice device, string options, params string[] files)
    {
        Mounted(device, $"rw,{options}".TrimEnd(','), place => Command.Run(["bash", "-c", Work, "work", place, .. files]).OrThrow());
        Assert.Contains("needs_recovery", Command.Run("dumpe2fs", "-h", files[0] + ".copy").Output, StringComparison.Ordinal);
    }

    private void Mounted(LoopDevice device, string options, Action<string> use)
    {
        string place = _folder.Folder("kernel");
        Command.Run("mount", "-t", "ext4", "-o", options, device.Path, place).OrThrow();
        try
        {
            use(place);
        }
        finally
        {
            Command.Run("umount", place).OrThrow();
        }
    }

    private static void Compare(string recovered, string copy, string? options, params string[] except)
    {
        Tree expected, actual;
        using (KernelMount kernel = KernelMount.Of(recovered))
            expected = Tree.Read(kernel.MountPoint);
        using (LiveMount ours = LiveMount.Foregrounded(copy, options))
            actual = Tree.Read(ours.MountPoint);
        Same.Trees(expected, actual, except);
        using LiveMount unrecovered = LiveMount.Foregrounded(copy, "norecovery");
        Assert.NotEmpty(TreeComparer.Differences(expected, Tree.Read(unrecovered.MountPoint), [.. except, "statfs"])); // or nothing was in the journal
    }

    private static string Duplicate(string file)
    {
        Command.Run("cp", "--sparse=always", file, file + ".recovered").OrThrow();
        return file + ".recovered";
    }

    private static string Digest(string file) => Command.Run("sha256sum", file).OrThrow().Output.Split(' ')[0];
}
