using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>The program is replaced under a live mount.</summary>
public class UpgradeTests
{
    private const string Text = "A file in the root.\n";
    private static readonly string Image = Images.Get("ext4");

    [MountFact]
    public void A_restart_takes_the_new_program_and_no_request_fails()
    {
        using var place = new Installation();
        using LiveMount mount = LiveMount.OfProgram(place.Program, Image);
        Mounted.AwaitSupervisor(mount);
        using Process reader = Command.Start(null, "sh", "-c", "while [ ! -e \"$1\" ]; do cat \"$0\" > /dev/null && dd if=\"$0\" iflag=direct status=none | grep -q root || echo failed; n=$((n+1)); done; echo $n rounds", mount.PathOf("hello.txt"), place.Stop);
        place.Upgrade();
        Assert.NotEqual(place.InstalledInode, InodeOfProgram(mount.Worker));
        FuseServer.Run("restart", mount.MountPoint).OrThrow();
        Assert.Equal(place.InstalledInode, InodeOfProgram(Worker(mount)));
        Assert.NotEqual(place.InstalledInode, InodeOfProgram(mount.Supervisor));
        FuseServer.Signal(Worker(mount), 9);
        Assert.Equal(Text, Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
        File.WriteAllText(place.Stop, "");
        Deadline.In(10).Run(() => Assert.Matches("^[1-9][0-9]* rounds\n$", reader.StandardOutput.ReadToEnd() + reader.StandardError.ReadToEnd()), "the reader has ended");
    }

    [MountFact]
    public void While_the_program_is_away_a_restart_is_refused_and_after_a_crash_requests_wait()
    {
        using var place = new Installation();
        using LiveMount mount = LiveMount.OfProgram(place.Program, Image);
        Mounted.AwaitSupervisor(mount);
        place.PutAway();
        CommandResult refused = FuseServer.Run("restart", mount.MountPoint);
        Assert.Equal(32, refused.ExitCode);
        Assert.Contains("the running worker goes on", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(Text, Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
        FuseServer.Signal(mount.Worker, 9);
        Deadline.In(5).WaitUntil(() => Status(mount).GetProperty("phase").GetString() == "Waiting", "no worker can be started");
        place.PutBack();
        Assert.Equal(Text, Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
    }

    [MountTheory]
    [InlineData(-1)] // an older program than the mount's
    [InlineData(+1)] // a newer one
    public void A_program_with_another_version_of_the_state_is_refused_until_the_right_one_is_back(int difference)
    {
        using LiveMount mount = LiveMount.Foregrounded(Image);
        Mounted.AwaitSupervisor(mount);
        uint version = Fuse4fs.State.SessionState.CurrentVersion;
        Assert.Equal(version, ExchangeVersion(mount.Supervisor, (uint)(version - difference))); // as if the mount had been made by that one
        CommandResult refused = FuseServer.Run("restart", mount.MountPoint);
        Assert.Equal(32, refused.ExitCode);
        Assert.Contains("another version than this mount", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(Text, Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
        Assert.Equal(1, Status(mount).GetProperty("starts").GetInt32());

        FuseServer.Signal(mount.Worker, 9);
        Deadline.In(10).WaitUntil(() => Status(mount).GetProperty("phase").GetString() == "Waiting", "the next worker has refused");
        Assert.Contains("another version than this mount", Status(mount).GetProperty("reason").GetString(), StringComparison.Ordinal);
        _ = ExchangeVersion(mount.Supervisor, version);
        Assert.Equal(Text, Command.Run(10, null, "cat", mount.PathOf("hello.txt")).OrThrow().Output);
        Assert.True(FuseServer.IsAlive(mount.Supervisor));
    }

    [MountFact]
    public void A_supervisor_needs_no_file_of_its_program_or_runtime_that_it_has_not_loaded_at_the_start()
    {
        using var mounted = new Mounted();
        _ = mounted.Cat("README"); // it has served: the start is over
        int supervisor = mounted.Mount.Supervisor;
        string[] before = Loaded(supervisor);
        Assert.NotEmpty(before);
        foreach (string[] words in (string[][])[["status"], ["status", "--json"], ["pause"], ["resume"], ["restart"], ["restart", "--fsck=-fy"], ["restart", "--exec", "touch $IMAGE"], ["restart", "--drop-caches"], ["pause", "--kill", "--resume"]])
            mounted.Tell(words).OrThrow();
        mounted.KillWorker();
        _ = mounted.Cat("README").OrThrow();
        _ = mounted.Status;
        Assert.Empty(Loaded(supervisor).Except(before));
    }

    private static string[] Loaded(int process) =>
        [.. File.ReadLines($"/proc/{process}/maps").Select(line => line.Split(' ')[^1]).Where(file => file.EndsWith(".dll", StringComparison.Ordinal) || file.Contains(".so", StringComparison.Ordinal)).Distinct()];

    private static JsonElement Status(LiveMount mount) => Mounted.Ask(mount)!.Value;

    private static int Worker(LiveMount mount) => Status(mount).GetProperty("worker").GetInt32();

    // The link of /proc says where the program was, and by what name; its inode says which one it is.
    private static string InodeOfProgram(int process) => Command.Run("stat", "-L", "-c", "%d:%i", $"/proc/{process}/exe").OrThrow().Output;

    // The version lies behind the magic number at the start of the supervisor's memory file: no program that is ever built changes that.
    private static uint ExchangeVersion(int supervisor, uint version)
    {
        string state = Directory.EnumerateFiles($"/proc/{supervisor}/fd").First(file => new FileInfo(file).LinkTarget?.StartsWith("/memfd:fuse4fs-state", StringComparison.Ordinal) == true);
        using var file = File.OpenHandle(state, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] word = new byte[4];
        RandomAccess.Read(file, word, 8);
        uint before = BinaryPrimitives.ReadUInt32LittleEndian(word);
        BinaryPrimitives.WriteUInt32LittleEndian(word, version);
        RandomAccess.Write(file, word, 8);
        return before;
    }

    /// <summary>A program as a package installs it: a folder, which an upgrade replaces by another.</summary>
    private sealed class Installation : IDisposable
    {
        private readonly ScratchFolder _folder = new();
        private readonly string _place;

        public Installation()
        {
            _place = Path.Combine(_folder.Path, "program");
            Install(_place);
        }

        public string Program => Path.Combine(_place, "fuse4fs");

        public string InstalledInode => Command.Run("stat", "-L", "-c", "%d:%i", Program).OrThrow().Output;

        public string Stop => Path.Combine(_folder.Path, "stop");

        /// <summary>Another copy takes its place, and it is gone.</summary>
        public void Upgrade()
        {
            Install(_place + ".new");
            PutAway();
            Directory.Move(_place + ".new", _place);
            Directory.Delete(_place + ".old", recursive: true);
        }

        public void PutAway() => Directory.Move(_place, _place + ".old");

        public void PutBack() => Directory.Move(_place + ".old", _place);

        public void Dispose() => _folder.Dispose();

        private static void Install(string place)
        {
            Directory.CreateDirectory(place);
            string built = Path.GetDirectoryName(FuseServer.Path)!;
            foreach (string file in Directory.EnumerateFiles(built).Where(file => Path.GetExtension(file) is ".dll" || Path.GetFileName(file).StartsWith("fuse4fs", StringComparison.Ordinal)))
                File.Copy(file, Path.Combine(place, Path.GetFileName(file)));
        }
    }
}
