using System.Diagnostics;
using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Workers die all the time; whoever uses the mount sees no error and no wrong byte.</summary>
public sealed class StormTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    private string StopFile => Path.Combine(_folder.Path, "stop");

    [MountFact("debugfs")]
    public void Readers_under_a_storm_of_kills_see_no_error_and_no_wrong_byte()
    {
        int seconds = int.TryParse(Environment.GetEnvironmentVariable("FUSE4FS_SOAK_SECONDS"), out int asked) ? asked : 60;
        using var mounted = new Mounted(StormImage.Make(), null, seconds + 120, "--max-restarts=0");
        using var storm = new Storm(mounted);
        // Programs of others, by paths; through the cache.
        string hash = Command.Run("sha256sum", mounted.PathOf("big")).OrThrow().Output.Split(' ')[0];
        using Process program = Command.Start(
            null, "bash", "-c", $"while [ ! -e '{StopFile}' ]; do dd if=\"$0/big\" iflag=nocache count=0 status=none; sha256sum < \"$0/big\" | grep -q {hash} || echo bytes; [ $(ls -l \"$0/many\" | wc -l) = {StormImage.Names + 1} ] || echo names; n=$((n+1)); done; echo $n rounds", mounted.MountPoint);
        using var readers = new Readers(
            round => ReadPieces(mounted, round), round => ReadDirectly(mounted, round), round => Stat(mounted, round), _ => List(mounted));
        try
        {
            for (Deadline end = Deadline.In(seconds); !end.HasPassed && !readers.HaveComplaints;)
                storm.Strike();
            File.WriteAllText(StopFile, "");
            readers.Stop();
            string said = "";
            Deadline.In(30).Run(() => said = program.StandardOutput.ReadToEnd() + program.StandardError.ReadToEnd(), "a program hangs");
            Assert.Matches("^[1-9][0-9]* rounds\n$", said);
        }
        finally
        {
            if (!program.HasExited)
                program.Kill(entireProcessTree: true);
        }
        string summary = $"{storm.All} kills in {seconds} s: {storm.AfterAnswers} after answers, {storm.InListings} in READDIRPLUS, {storm.InReads} in READ, {storm.Again} at once again; rounds {string.Join(' ', readers.Rounds)}";
        Console.WriteLine(summary);
        Assert.True(storm.All > seconds && storm.AfterAnswers > 0 && storm.InListings > 0 && storm.InReads > 0 && storm.Again > 0 && readers.Rounds.All(rounds => rounds > 0), summary);
    }

    public void Dispose() => _folder.Dispose();

    // A request each, past the cache.
    private static void ReadPieces(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.OpenDirect(mounted.PathOf("big"));
        for (int i = 0; i < 64; i++)
        {
            int offset = ((round * 64) + i) * 4096 % StormImage.Content.Length;
            StormImage.Check(offset, 4096, file.ReadAligned(offset, 4096), "a small direct read");
        }
    }

    private static void ReadDirectly(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.OpenDirect(mounted.PathOf("big"));
        int offset = round * 4096 % (3 * StormImage.Mebibyte);
        StormImage.Check(offset, StormImage.Mebibyte, file.ReadAligned(offset, StormImage.Mebibyte), "a direct read of a mebibyte");
    }

    private static void Stat(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.Open(mounted.PathOf("big"));
        if (file.StatusFromServer().Size != StormImage.Content.Length)
            throw new InvalidDataException("a wrong size");
        try
        {
            _ = Posix.Status(mounted.PathOf($"none-{round}"));
            throw new InvalidDataException("what does not exist was found");
        }
        catch (PosixException e) when (e.Error == Errno.ENOENT)
        {
            // as it should be
        }
    }

    private static void List(Mounted mounted)
    {
        using OpenDescriptor folder = Posix.Open(mounted.PathOf("many"));
        folder.DropPages();
        int count = folder.List().Select(entry => entry.Name).Distinct().Count();
        if (count != StormImage.Names + 2)
            throw new InvalidDataException($"a listing has {count} names");
    }
}
