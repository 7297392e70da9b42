namespace TestSupport;

/// <summary>Where this checkout lies on disk.</summary>
public static class Repository
{
    /// <summary>The folder with the solution file.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fuse4fs.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"no Fuse4fs.sln in any folder above {AppContext.BaseDirectory}");
    }
}
