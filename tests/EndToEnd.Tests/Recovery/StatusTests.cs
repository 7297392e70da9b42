using System.Text.Json;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>What <c>fuse4fs status</c> says of a mount, its worker alive or not.</summary>
public class StatusTests
{
    [MountFact("tune2fs")]
    public void Status_names_filesystem_kernel_containment_and_counts()
    {
        using ImageCopy image = Images.Copy("sample");
        Command.Run("tune2fs", "-L", "la\u001bbel", image.ImagePath).OrThrow();
        using LiveMount mount = LiveMount.Foregrounded(image.ImagePath);
        Assert.NotEqual(0, Command.Run(20, null, "cat", mount.PathOf("nothing")).ExitCode);
        JsonElement status = StatusOf(mount);
        Assert.Equal("la\u001bbel", status.GetProperty("label").GetString());
        Assert.Equal(36, status.GetProperty("uuid").GetString()!.Length);
        Assert.Empty(Names(status, "limited"));
        Assert.True(status.GetProperty("knownInodes").GetInt64() >= 1);
        Assert.True(status.GetProperty("requests").GetProperty("Lookup").GetInt64() >= 1);
        JsonElement kernel = status.GetProperty("kernel");
        Assert.Contains("ExportSupport", Names(kernel, "capabilities"));
        Assert.Equal(["NoNewPrivileges", "EmptyRoot", "Unprivileged", "SyscallFilter", "MemoryLimit"], Names(status, "sandbox"));
        Assert.Empty(Names(status, "sandboxLacks"));
        string text = FuseServer.Run("status", mount.MountPoint).OrThrow().Output;
        Assert.Contains("'la?bel'", text, StringComparison.Ordinal); // an image has no say over the terminal
    }

    [MountFact]
    public void Status_names_the_image_by_its_absolute_path()
    {
        using ImageCopy image = Images.Copy("sample");
        string folder = Path.GetDirectoryName(image.ImagePath)!, place = Directory.CreateDirectory(Path.Combine(folder, "place")).FullName;
        Command.Run(30, FuseServer.Environment, "sh", "-c", "cd \"$1\" && \"$0\" mount sample.img place", FuseServer.Path, folder).OrThrow();
        try
        {
            using JsonDocument status = JsonDocument.Parse(FuseServer.Run("status", place, "--json").OrThrow().Output);
            Assert.Equal(image.ImagePath, status.RootElement.GetProperty("image").GetString());
            Assert.Equal(place, status.RootElement.GetProperty("mountPoint").GetString());
        }
        finally
        {
            FuseServer.Run("umount", "--wait", place).OrThrow();
        }
    }

    [MountTheory]
    [InlineData("inode-128", null, "NoBirthTimes")]
    [InlineData("needs-recovery", "norecovery", "NotRecovered")]
    public void Status_says_what_is_served_with_limits(string recipe, string? options, string limitation)
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get(recipe), options);
        Assert.Equal([limitation], Names(StatusOf(mount), "limited"));
        Assert.Contains("  limited    ", FuseServer.Run("status", mount.MountPoint).OrThrow().Output, StringComparison.Ordinal);
    }

    [MountFact]
    public void Status_tells_restarts_with_their_reasons_while_no_worker_runs()
    {
        using var mounted = new Mounted();
        int worker = mounted.Worker;
        mounted.KillWorker();
        _ = mounted.Cat("README");
        mounted.Tell("restart").OrThrow();
        mounted.Tell("pause").OrThrow();
        JsonElement status = mounted.Status;
        Assert.Equal(0, status.GetProperty("worker").GetInt32());
        JsonElement[] restarts = [.. status.GetProperty("restarts").EnumerateArray()];
        Assert.Equal([$"worker {worker} died (signal 9)", "fuse4fs restart", "paused by fuse4fs pause"], restarts.Select(restart => restart.GetProperty("why").GetString()));
        Assert.All(restarts[..2], restart => Assert.InRange(restart.GetProperty("waitedMilliseconds").GetInt64(), 1, 20_000));
        Assert.Equal(-1, restarts[2].GetProperty("waitedMilliseconds").GetInt64());
        Assert.Contains("requests wait\n", FuseServer.Run("status", mounted.MountPoint).OrThrow().Output, StringComparison.Ordinal);
    }

    [MountFact]
    public void The_steps_of_a_restart_are_told_in_their_order()
    {
        using var mounted = new Mounted();
        mounted.Tell("restart").OrThrow();
        JsonElement last = mounted.Status.GetProperty("lastRestart");
        long[] steps = [.. new[] { "spawned", "runtime", "contained", "opened", "ready", "go", "serving", "current" }.Select(step => last.GetProperty(step).GetInt64())];
        Assert.Equal(steps.Order(), steps);
        Assert.True(steps[0] > 0);
    }

    private static JsonElement StatusOf(LiveMount mount) => JsonDocument.Parse(FuseServer.Run("status", mount.MountPoint, "--json").OrThrow().Output).RootElement.Clone();

    private static string[] Names(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(one => one.GetString()!)];
}
