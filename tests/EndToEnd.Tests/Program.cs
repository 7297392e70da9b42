using System.IO.MemoryMappedFiles;

namespace EndToEnd.Tests;

/// <summary>What tests need as a process of its own and no usual program does. The test runner does not come by here.</summary>
internal static class Program
{
    /// <summary>Maps a file, says "open", waits for a line and touches the first page.</summary>
    public const string Touch = "touch-mapping";

    /// <summary>The command line that starts this program.</summary>
    public static string[] Command(params string[] arguments) =>
        [Path.Combine(TestSupport.FuseServer.Environment["DOTNET_ROOT"]!, "dotnet"), "exec", typeof(Program).Assembly.Location, .. arguments];

    private static int Main(string[] arguments)
    {
        if (arguments is not [Touch, var file])
            return 2;
        using var mapping = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        Console.WriteLine("open");
        _ = Console.ReadLine();
        Console.WriteLine(view.ReadByte(0));
        return 0;
    }
}
