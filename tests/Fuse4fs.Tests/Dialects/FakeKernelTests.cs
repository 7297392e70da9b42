using TestSupport;
using TestSupport.FakeKernel;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

/// <summary>A played kernel at one end of a socket pair, the server with its threads at the other, and debugfs and e2fsck at the image in between.</summary>
public class FakeKernelTests
{
    public static TheoryData<KernelForm> Forms() => [.. Enum.GetValues<KernelForm>()];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_plain_crash_costs_a_kernel_nothing(KernelForm form)
    {
        using ImageCopy image = Images.Copy("ext4");
        using var server = new SocketServer(image.ImagePath, form);
        KernelInode file = Walk(server, "docs/guide.txt");
        string before = Read(server, file);
        long requests = server.Kernel.Requests;
        server.Kill();
        server.Start(touched: false);
        Assert.Equal(before, Read(server, file));
        Assert.Equal(file, Walk(server, "docs/guide.txt"));
        Assert.Equal(requests, server.Kernel.Requests);
        Assert.Equal(KernelModel.NotFound, server.Kernel.Walk("docs/nothing", out _));
        Assert.Equal(requests + 1, server.Kernel.Requests);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void What_debugfs_and_e2fsck_leave_goes_on_and_the_rest_is_stale(KernelForm form)
    {
        using ImageCopy image = Images.Copy("ext4");
        using var server = new SocketServer(image.ImagePath, form);
        string[] paths = ["docs/guide.txt", "hello.txt", "docs/size-1", "docs/size-511", "docs/size-512", "docs/size-513", "docs/deep/deeper/note"];
        var held = paths.Where(path => path != "docs/size-513").ToDictionary(path => path, path => Walk(server, path));
        var contents = held.ToDictionary(pair => pair.Key, pair => Read(server, pair.Value));
        KernelInode link = Walk(server, "link"), deep = Walk(server, "docs/deep"), empty = Walk(server, "empty");
        Assert.Equal("docs/guide.txt", Read(server, link));

        server.Kill();
        image.Debugfs(
            "rm /docs/size-1", // its inode is free
            "clri /docs/size-511", // e2fsck removes the name
            "set_inode_field /docs/size-512 generation 77", // its number is another file's
            "ln /docs/guide.txt /moved",
            "unlink /docs/guide.txt",
            "rmdir /empty");
        CommandResult repair = Command.Run("e2fsck", "-fy", image.ImagePath);
        Assert.True(repair.ExitCode is 0 or 1, repair.ToString());
        server.Start(touched: true);

        foreach (string gone in (string[])["docs/size-1", "docs/size-511", "docs/size-512"])
        {
            Assert.True(server.Kernel.Read(held[gone], out _) is KernelModel.Stale or KernelModel.InputOutput, gone);
            Assert.Equal(form == KernelForm.RfcV2Finished, held[gone].IsStale);
        }
        Assert.NotEqual(KernelModel.Ok, server.Kernel.List(empty, out _));
        foreach (string kept in (string[])["docs/guide.txt", "hello.txt", "docs/deep/deeper/note"])
            Assert.Equal(contents[kept], Read(server, held[kept]));
        Assert.Equal("docs/guide.txt", Read(server, link));
        Assert.Equal(KernelModel.Ok, server.Kernel.List(deep, out IReadOnlyList<string> names));
        Assert.Equal(["deeper"], names);

        Assert.Equal(KernelModel.NotFound, server.Kernel.Walk("docs/size-1", out _));
        Assert.Equal(KernelModel.NotFound, server.Kernel.Walk("docs/size-511", out _));
        Assert.Equal(KernelModel.NotFound, server.Kernel.Walk("empty", out _));
        KernelInode other = Walk(server, "docs/size-512");
        Assert.Equal((77u, 512), (other.Generation, Read(server, other).Length));
        Assert.Equal(held["docs/guide.txt"], Walk(server, "moved"));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Handles_outlive_what_the_kernel_forgets(KernelForm form)
    {
        using ImageCopy image = Images.Copy("ext4");
        using var server = new SocketServer(image.ImagePath, form);
        KernelInode file = Walk(server, "docs/guide.txt"), gone = Walk(server, "docs/size-512");
        Assert.Equal(form != KernelForm.Stock, file.Handle is { Length: 16 });
        server.Kernel.DropCaches([]);
        server.Kill();
        image.Debugfs("rm /docs/size-512");
        server.Start(touched: true);
        int error = server.Kernel.OpenByHandle(file.Node, file.Generation, file.Handle, out KernelInode? found);
        Assert.Equal(form == KernelForm.RfcV2 ? KernelModel.Stale : KernelModel.Ok, error); // the RFC's cannot be asked
        if (error == KernelModel.Ok)
            Assert.Equal(Read(server, Walk(server, "docs/guide.txt")), Read(server, found!));
        Assert.Equal(KernelModel.Stale, server.Kernel.OpenByHandle(gone.Node, gone.Generation, gone.Handle, out _));
    }

    private static KernelInode Walk(SocketServer server, string path)
    {
        Assert.Equal(KernelModel.Ok, server.Kernel.Walk(path, out KernelInode? inode));
        return inode!;
    }

    private static string Read(SocketServer server, KernelInode inode)
    {
        Assert.Equal(KernelModel.Ok, server.Kernel.Read(inode, out string contents));
        return contents;
    }
}
