using TestSupport;

namespace EndToEnd.Tests;

/// <summary>A read-only block device with an image's bytes.</summary>
internal sealed class LoopDevice(string image) : IDisposable
{
    public string Path { get; } = Command.Run("losetup", "--read-only", "--find", "--show", image).OrThrow().Output.Trim();

    public void Dispose() => Command.Run("losetup", "--detach", Path);
}
