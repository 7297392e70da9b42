using System.Diagnostics;
using Fuse4fs.Device;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Microsoft.Extensions.Logging.Abstractions;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>
/// A file's inode is recycled while its holder has it open. The test plays the supervisor: it holds the device, ends one worker and starts
/// another on the same connection, in between debugfs gives the inode number to another file.
/// </summary>
public class StaleNodeTests
{
    private const string Before = "the old file's own bytes";
    private const string After = "bytes of another file, same inode number";

    [MountFact("debugfs")]
    public void A_recycled_inode_is_stale_for_its_holder_and_never_the_new_file()
    {
        using ImageCopy image = Images.Copy("sample");
        using var folder = new ScratchFolder();
        string inode = Create(image, folder, "old", Before);

        using var server = new Server(image.ImagePath, folder.Folder("mount"));
        using Process holder = Holder(server.MountPoint + "/old");
        using Process untouched = Holder(server.MountPoint + "/docs/poems/fire");

        server.EndWorker();
        image.Debugfs("rm /old");
        Thread.Sleep(1100); // births within one second by debugfs cannot be told apart
        string recycled = Create(image, folder, "new", After);
        Assert.Equal(inode, recycled);
        server.StartWorker();

        CommandResult old = Finish(holder);
        Assert.DoesNotContain("bytes", old.Output, StringComparison.Ordinal);
        Assert.Contains("Stale file handle", old.Errors, StringComparison.Ordinal);
        Assert.Contains("Some say", Finish(untouched).Output, StringComparison.Ordinal);
        Assert.Contains(After, Command.Run("cat", server.MountPoint + "/new").OrThrow().Output, StringComparison.Ordinal);
    }

    [MountFact("debugfs")]
    public void An_inode_that_is_freed_is_stale_for_its_holder()
    {
        using ImageCopy image = Images.Copy("sample");
        using var folder = new ScratchFolder();
        _ = Create(image, folder, "old", Before);

        using var server = new Server(image.ImagePath, folder.Folder("mount"));
        using Process holder = Holder(server.MountPoint + "/old");
        server.EndWorker();
        image.Debugfs("rm /old");
        server.StartWorker();

        CommandResult old = Finish(holder);
        Assert.DoesNotContain("bytes", old.Output, StringComparison.Ordinal);
        Assert.Contains("Stale file handle", old.Errors, StringComparison.Ordinal);
    }

    // Writes a file into the image and answers its inode number.
    private static string Create(ImageCopy image, ScratchFolder folder, string name, string contents)
    {
        string source = Path.Combine(folder.Path, name);
        File.WriteAllText(source, contents);
        image.Debugfs($"write {source} {name}");
        string described = Command.Run("debugfs", "-R", $"stat /{name}", image.ImagePath).OrThrow().Output;
        return described.Split("Inode: ")[1].Split(' ')[0];
    }

    // Opens a file, reads none of it, and reads all of it once it is told to.
    private static Process Holder(string path)
    {
        Process holder = Command.Start(null, "sh", "-c", "exec 3< \"$0\"; echo open; read go; cat <&3", path);
        Assert.Equal("open", holder.StandardOutput.ReadLine());
        return holder;
    }

    private static CommandResult Finish(Process holder)
    {
        holder.StandardInput.WriteLine("go");
        holder.StandardInput.Close();
        Assert.True(holder.WaitForExit(10_000), "the reader hangs");
        return new CommandResult("holder", holder.ExitCode, holder.StandardOutput.ReadToEnd(), holder.StandardError.ReadToEnd());
    }

    private sealed class Server : IDisposable
    {
        private readonly string _image;
        private readonly SessionState _state;
        private readonly FuseMount _mount;
        private readonly Timer _limit;
        private WorkerProcess? _worker;

        public Server(string image, string mountPoint)
        {
            _image = image;
            MountPoint = mountPoint;
            var request = new MountRequest { Image = image, MountPoint = mountPoint };
            _state = SessionState.Create(request.Serve);
            MountSpecification specification = FuseMount.Specify(request, root: true) with { Source = image };
            _mount = FuseMount.Create(specification, FuseMount.OpenDevice(), root: true);
            _limit = new Timer(_ => _mount.Abort(), null, TimeSpan.FromSeconds(60), Timeout.InfiniteTimeSpan);
            _mount.Negotiate(request.ReadDirPlus, posixAcl: true, ref _state.Negotiated);
            StartWorker();
        }

        public string MountPoint { get; }

        public void StartWorker()
        {
            using ImageFile image = ImageFile.Open(_image);
            var starter = new WorkerStarter([FuseServer.Path], _state, NullLogger.Instance);
            _worker = starter.Start();
            starter.Give(_worker, image.Descriptor, null);
            Assert.Null(_worker.AwaitVerdict(20_000));
            _worker.Go(_mount.Device);
        }

        public void EndWorker()
        {
            _worker!.Dispose();
            _worker = null;
        }

        public void Dispose()
        {
            _mount.Abort();
            _mount.Dispose();
            _worker?.Dispose();
            _state.Dispose();
            _limit.Dispose();
        }
    }
}
