using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EndToEnd.Tests.Recovery;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>Workers are killed and repairs run below an NFS server whose clients read all the time: FUSE4FS_NFS_RESTARTS=100 of them, or 20.</summary>
public sealed class KilledWorkerTests : IDisposable
{
    private const int Piece = 65536, Pieces = 4 * StormImage.Mebibyte / Piece;
    private readonly ScratchFolder _folder = new();

    [NfsFact]
    public void Clients_see_no_error_and_no_wrong_byte()
    {
        int restarts = int.TryParse(Environment.GetEnvironmentVariable("FUSE4FS_NFS_RESTARTS"), out int asked) ? asked : 20;
        using var mounted = new Mounted(StormImage.Make(), null, 120 + (3 * restarts), "--max-restarts=0");
        using var storm = new Storm(mounted);
        using var exported = new Exported(mounted);
        exported.Run(() => Read(mounted, storm, restarts), 60 + (3 * restarts));
    }

    public void Dispose() => _folder.Dispose();

    private void Read(Mounted mounted, Storm storm, int restarts)
    {
        string stop = Path.Combine(_folder.Path, "stop"), hash = Convert.ToHexStringLower(SHA256.HashData(StormImage.Content));
        using NfsClient first = Ganesha.Connect(3), second = Ganesha.Connect(4), third = Ganesha.Connect(3);
        byte[] file = first.Find("big"), sameFile = second.Find("big");
        using Process program = Command.Start(
            null, "bash", "-c", $"while [ ! -e '{stop}' ]; do for url in '{Ganesha.Url(3, "/big")}' '{Ganesha.Url(4, "/big")}'; do nfs-cat \"$url\" | sha256sum | grep -q {hash} || echo bytes; done; n=$((n+1)); done; echo $n rounds");
        using var readers = new Readers(
            round => ReadPieces(mounted, first, file, round), round => ReadPieces(mounted, second, sameFile, round), round => List(mounted, third, round));
        int repairs = 0;
        var clock = Stopwatch.StartNew();
        try
        {
            while ((storm.All + repairs < restarts || readers.Rounds.Any(rounds => rounds == 0)) && !readers.HaveComplaints)
            {
                storm.Strike();
                if (storm.All / 10 > repairs)
                {
                    repairs++;
                    mounted.Tell("restart", "--fsck").OrThrow();
                }
            }
            File.WriteAllText(stop, "");
            readers.Stop();
            string said = "";
            Deadline.In(30).Run(() => said = program.StandardOutput.ReadToEnd() + program.StandardError.ReadToEnd(), "nfs-cat hangs");
            Assert.Matches("^[1-9][0-9]* rounds\n$", said);
        }
        finally
        {
            if (!program.HasExited)
                program.Kill(entireProcessTree: true);
        }
        string summary = string.Create(CultureInfo.InvariantCulture, $"{storm.All} kills ({storm.InReads} in READ, {storm.InListings} in READDIRPLUS) and {repairs} repairs in {clock.Elapsed.TotalSeconds:F0} s; rounds {string.Join(' ', readers.Rounds)}");
        Console.WriteLine(summary);
        Assert.True(storm.All + repairs >= restarts && repairs >= restarts / 11, summary);
    }

    // The server's kernel shall have to ask the worker: for the bytes, and for a name that nobody has asked for before.
    private static void ReadPieces(Mounted mounted, NfsClient client, byte[] file, int round)
    {
        using (OpenDescriptor pages = Posix.Open(mounted.PathOf("big")))
            pages.DropPages();
        for (int i = 0; i < 16; i++)
        {
            int offset = ((round * 16) + i) * 7 % Pieces * Piece; // all of them, in no order that can be read ahead
            StormImage.Check(offset, Piece, client.Read(file, offset, Piece), "a read");
        }
        Absent(client, $"none-{client.GetType().Name}-{round}");
    }

    private static void List(Mounted mounted, NfsClient client, int round)
    {
        using (OpenDescriptor pages = Posix.Open(mounted.PathOf("many")))
            pages.DropPages();
        int count = client.ListAll(client.Find("many")).Distinct().Count();
        if (count != StormImage.Names)
            throw new InvalidDataException($"a listing has {count} names");
        Absent(client, $"none-{round}");
    }

    private static void Absent(NfsClient client, string name)
    {
        try
        {
            _ = client.Find(name);
            throw new InvalidDataException("what does not exist was found");
        }
        catch (NfsException e) when (e.Status == NfsException.NotFound)
        {
            // as it should be
        }
    }
}
