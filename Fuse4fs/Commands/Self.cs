namespace Fuse4fs.Commands;

/// <summary>This program, as something that can be started.</summary>
internal static class Self
{
    /// <summary>Its command line without arguments: the program, or the dotnet host and the assembly.</summary>
    public static string[] Program { get; } =
        Environment.ProcessPath!.EndsWith("/dotnet", StringComparison.Ordinal)
            ? new[] { Environment.ProcessPath!, AppContext.BaseDirectory + "fuse4fs.dll" }
            : new[] { Environment.ProcessPath! };
}
