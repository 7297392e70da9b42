using System.Diagnostics;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// An overlayfs keeps the names of its lower layer for good: it does not survive that we have the kernel drop them. That happens when the image was written, and
/// then only to those who insist.
/// </summary>
public class OverlayTests
{
    private const string Poem = "Some say the world will end in fire,\nSome say in ice.\n";

    [OverlayFact]
    public void It_survives_a_crash_and_a_plain_restart()
    {
        using var mounted = new Mounted();
        using var overlay = new Overlay(mounted.MountPoint);
        Process holder = Command.Start(null, "sh", "-c", "exec 3< \"$0\"; echo open; read go; cat <&3", overlay.PathOf("docs/poems/fire"));
        Assert.Equal("open", holder.StandardOutput.ReadLine());
        Assert.Equal("100", overlay.Run("tail -n 1 docs/numbers.txt").OrThrow().Output.Trim());
        mounted.KillWorker();
        Assert.Equal("100", overlay.Run("tail -n 1 docs/numbers.txt").OrThrow().Output.Trim());
        mounted.Tell("restart").OrThrow();
        Assert.Equal("100", overlay.Run("tail -n 1 docs/numbers.txt").OrThrow().Output.Trim());
        Assert.Equal(Poem, Mounted.Read(holder).OrThrow().Output);
    }

    [OverlayFact]
    public void What_would_break_it_is_refused_without_force()
    {
        using var mounted = new Mounted();
        using (var overlay = new Overlay(mounted.MountPoint))
        {
            Assert.Equal(Poem, overlay.Run("cat docs/poems/fire").OrThrow().Output);
            foreach (string[] words in (string[][])[["restart", "--fsck"], ["restart", "--exec", "true"], ["restart", "--drop-caches"]])
                Refused(mounted, words);
            mounted.Debugfs("mkdir /new");
            Refused(mounted, "restart");
            Refused(mounted, "pause", "--resume");
            Assert.Equal("Serving", mounted.Phase);
            mounted.Tell("pause").OrThrow();
            Refused(mounted, "resume");
            Assert.Equal("Paused", mounted.Phase);
            mounted.Tell("resume", "--force").OrThrow();
            Assert.Equal("Serving", mounted.Phase);
            Assert.NotEqual(0, overlay.Run("cat docs/poems/fire").ExitCode); // were it otherwise, there would be no need to refuse
        }
        mounted.Debugfs("mkdir /newer");
        mounted.Tell("restart").OrThrow();
        Assert.Equal(Poem, mounted.Cat("docs/poems/fire").OrThrow().Output);
    }

    private static void Refused(Mounted mounted, params string[] words)
    {
        CommandResult result = mounted.Tell(words);
        Assert.Equal(32, result.ExitCode);
        Assert.Contains("overlayfs", result.Errors, StringComparison.Ordinal);
    }

    // Of two lower layers, so that it needs no upper one on a filesystem that can be one.
    private sealed class Overlay : IDisposable
    {
        private readonly ScratchFolder _folder = new();
        private readonly string _place;

        public Overlay(string lower)
        {
            _place = _folder.Folder("overlay");
            Command.Run("mount", "-t", "overlay", "overlay", "-o", $"lowerdir={lower}:{_folder.Folder("other")}", _place).OrThrow();
        }

        public string PathOf(string name) => Path.Combine(_place, name);

        public CommandResult Run(string script) => Command.Run(20, null, "sh", "-c", "cd \"$0\" && " + script, _place);

        public void Dispose()
        {
            if (Command.Run("umount", _place).ExitCode != 0)
                Command.Run("umount", "--lazy", _place);
            _folder.Dispose();
        }
    }
}
