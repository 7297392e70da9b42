using TestSupport;

namespace EndToEnd.Tests.Mount;

/// <summary>What a user without privileges needs for a mount: a program and an image he may read, a folder he owns, and /dev/fuse.</summary>
internal sealed class UnprivilegedStage : IDisposable
{
    private const UnixFileMode Everybody = (UnixFileMode)0x1B6; // 0666, as udev has it on ordinary machines
    private readonly ScratchFolder _folder = new();
    private readonly UnixFileMode _deviceMode = File.GetUnixFileMode("/dev/fuse");

    public UnprivilegedStage()
    {
        // A copy: the checkout may lie where only its owner may look.
        string built = Path.GetDirectoryName(FuseServer.Path)!, program = _folder.Folder("program");
        foreach (string file in Directory.EnumerateFiles(built).Where(file => Path.GetExtension(file) is ".dll" || Path.GetFileName(file).StartsWith("fuse4fs", StringComparison.Ordinal)))
            File.Copy(file, Path.Combine(program, Path.GetFileName(file)));
        Program = Path.Combine(program, "fuse4fs");
        Image = Path.Combine(_folder.Path, "image.img");
        Command.Run("cp", "--sparse=always", Images.Get("ext4"), Image).OrThrow();
        MountPoint = _folder.Folder("mount");
        Command.Run("chmod", "-R", "a+rX", _folder.Path).OrThrow();
        Command.Run("chown", $"{Nobody.Id}", MountPoint).OrThrow();
        File.SetUnixFileMode("/dev/fuse", Everybody);
    }

    public string Program { get; }

    public string Image { get; }

    public string MountPoint { get; }

    public void Dispose()
    {
        File.SetUnixFileMode("/dev/fuse", _deviceMode);
        if (MountTable.Find(MountPoint) is not null)
            Command.Run("umount", "--lazy", MountPoint);
        _folder.Dispose();
    }
}
