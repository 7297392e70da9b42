using System.Diagnostics;
using System.Globalization;
using System.Text;
using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Workers die all the time; whoever uses the mount sees no error and no wrong byte.</summary>
public sealed class StormTests : IDisposable
{
    private const int Mebibyte = 1 << 20;
    private const int Names = 3000;
    private static readonly byte[] Content = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Range(0, 4 * Mebibyte / 32).Select(line => string.Create(CultureInfo.InvariantCulture, $"line {line,26}\n"))));
    private readonly ScratchFolder _folder = new();
    private readonly List<string> _complaints = [];
    private readonly int[] _rounds = new int[4];
    private volatile bool _stop;

    private string StopFile => Path.Combine(_folder.Path, "stop");

    [MountFact("debugfs")]
    public void Readers_under_a_storm_of_kills_see_no_error_and_no_wrong_byte()
    {
        int seconds = int.TryParse(Environment.GetEnvironmentVariable("FUSE4FS_SOAK_SECONDS"), out int asked) ? asked : 60;
        using var mounted = new Mounted(Populated(), null, seconds + 120, "--max-restarts=0");
        using var storm = new Storm(mounted);
        Thread[] threads = [.. new Action<Mounted, int>[] { ReadPieces, ReadDirectly, Stat, List }.Select((what, number) => new Thread(() => Repeat(() => what(mounted, _rounds[number]), number)) { IsBackground = true })];
        // Programs of others, by paths; through the cache.
        string hash = Command.Run("sha256sum", mounted.PathOf("big")).OrThrow().Output.Split(' ')[0];
        using Process program = Command.Start(
            null, "bash", "-c", $"while [ ! -e '{StopFile}' ]; do dd if=\"$0/big\" iflag=nocache count=0 status=none; sha256sum < \"$0/big\" | grep -q {hash} || echo bytes; [ $(ls -l \"$0/many\" | wc -l) = {Names + 1} ] || echo names; n=$((n+1)); done; echo $n rounds", mounted.MountPoint);
        try
        {
            foreach (Thread thread in threads)
                thread.Start();
            for (Deadline end = Deadline.In(seconds); !end.HasPassed && _complaints.Count == 0;)
                storm.Strike();
            _stop = true;
            File.WriteAllText(StopFile, "");
            Assert.All(threads, thread => Assert.True(thread.Join(30_000), "a reader hangs"));
            string said = "";
            Deadline.In(30).Run(() => said = program.StandardOutput.ReadToEnd() + program.StandardError.ReadToEnd(), "a program hangs");
            Assert.Empty(_complaints);
            Assert.Matches("^[1-9][0-9]* rounds\n$", said);
        }
        finally
        {
            _stop = true;
            if (!program.HasExited)
                program.Kill(entireProcessTree: true);
        }
        string summary = $"{storm.All} kills in {seconds} s: {storm.AfterAnswers} after answers, {storm.InListings} in READDIRPLUS, {storm.InReads} in READ, {storm.Again} at once again; rounds {string.Join(' ', _rounds)}";
        Console.WriteLine(summary);
        Assert.True(storm.All > seconds && storm.AfterAnswers > 0 && storm.InListings > 0 && storm.InReads > 0 && storm.Again > 0 && _rounds.All(rounds => rounds > 0), summary);
    }

    public void Dispose() => _folder.Dispose();

    private void Repeat(Action what, int number)
    {
        while (!_stop)
        {
            try
            {
                what();
                _rounds[number]++;
            }
#pragma warning disable CA1031 // whatever it is, it must not be; the first of them fails the test
            catch (Exception e)
#pragma warning restore CA1031
            {
                lock (_complaints)
                    _complaints.Add(e.Message);
                return;
            }
        }
    }

    // A request each, past the cache.
    private static void ReadPieces(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.OpenDirect(mounted.PathOf("big"));
        for (int i = 0; i < 64; i++)
        {
            int offset = ((round * 64) + i) * 4096 % Content.Length;
            Check(Content.AsSpan(offset, 4096), file.ReadAligned(offset, 4096), "a small direct read");
        }
    }

    private static void ReadDirectly(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.OpenDirect(mounted.PathOf("big"));
        int offset = round * 4096 % (3 * Mebibyte);
        Check(Content.AsSpan(offset, Mebibyte), file.ReadAligned(offset, Mebibyte), "a direct read of a mebibyte");
    }

    private static void Stat(Mounted mounted, int round)
    {
        using OpenDescriptor file = Posix.Open(mounted.PathOf("big"));
        if (file.StatusFromServer().Size != Content.Length)
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

    private static void List(Mounted mounted, int round)
    {
        using OpenDescriptor folder = Posix.Open(mounted.PathOf("many"));
        folder.DropPages();
        int count = folder.List().Select(entry => entry.Name).Distinct().Count();
        if (count != Names + 2)
            throw new InvalidDataException($"a listing has {count} names");
    }

    private static void Check(ReadOnlySpan<byte> expected, byte[] read, string what)
    {
        if (!expected.SequenceEqual(read))
            throw new InvalidDataException($"{what} has {read.Length} bytes and a wrong one at {expected.CommonPrefixLength(read)}");
    }

    private ImageCopy Populated()
    {
        ImageCopy image = Images.Copy("room");
        string content = Path.Combine(_folder.Path, "content");
        File.WriteAllBytes(content, Content);
        // One file by many names: there are fewer inodes than names.
        image.Debugfs([$"write {content} big", "mkdir many", .. Enumerable.Repeat("expand_dir many", Names * 48 / 4096), "cd many", .. Enumerable.Range(0, Names).Select(number => $"ln /big entry-with-a-rather-long-name-{number}")]);
        return image;
    }
}
