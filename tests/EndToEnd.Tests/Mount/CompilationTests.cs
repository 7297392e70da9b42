using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>What is installed is compiled already: the start of a mount is short, and the first requests are fast, because there is next to nothing left to compile.</summary>
public class CompilationTests
{
    // Some eighty: instances of the class library's generics, and methods of it that are written for newer processors. Of what is not compiled beforehand it is 1,500.
    private const int Most = 200;

    [CompiledFact]
    public void Next_to_nothing_is_compiled_up_to_the_first_listing()
    {
        using ScratchFolder folder = new();
        string mountPoint = folder.Folder("mount"), compiled = Path.Combine(folder.Path, "compiled");
        // The runtime's own list. All three processes write to it; the worker could not from within its sandbox.
        Dictionary<string, string?> environment = new(FuseServer.Environment) { ["DOTNET_JitStdOutFile"] = compiled, ["DOTNET_JitDisasmSummary"] = "1" };
        try
        {
            Command.Run(30, environment, FuseServer.Path, "mount", Images.Get("ext4"), mountPoint, "--no-sandbox").OrThrow();
            Command.Run(10, null, "ls", "-lR", mountPoint).OrThrow();
        }
        finally
        {
            FuseServer.Run("umount", "--wait", mountPoint);
        }

        string[] methods = [.. File.ReadLines(compiled).Where(line => line.Contains("JIT compiled", StringComparison.Ordinal) && !line.Contains("Tier1", StringComparison.Ordinal))];
        Assert.True(methods.Length is > 0 and <= Most, $"{methods.Length} methods:\n{string.Join('\n', methods)}");
    }
}
