using TestSupport;

namespace EndToEnd.Tests;

/// <summary>A block device with an image's bytes, read-only unless asked otherwise.</summary>
internal sealed class LoopDevice(string image, bool writable = false) : IDisposable
{
    public string Path { get; } = Command.Run(["losetup", .. writable ? [] : new[] { "--read-only" }, "--find", "--show", image]).OrThrow().Output.Trim();

    public void Dispose() => Command.Run("losetup", "--detach", Path);
}
