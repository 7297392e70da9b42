using System.Security.Cryptography;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Machinery;

/// <summary>The recipes.</summary>
public class ImageTests
{
    [MountFact]
    public void A_recipe_makes_the_same_bytes_each_time()
    {
        using ScratchFolder folder = new();
        string build = Path.Combine(Repository.Root, "images", "build.sh");
        foreach (string name in (string[])["ext4", "hash-legacy-signed", "devices"])
        {
            Command.Run(build, folder.Path, name).OrThrow();
            byte[] again = SHA256.HashData(File.ReadAllBytes(Path.Combine(folder.Path, name + ".img")));
            Assert.Equal(SHA256.HashData(File.ReadAllBytes(Images.Get(name))), again);
        }
    }

    [Fact]
    public void Every_recipe_is_described()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "images", "README.md"));
        string[] families = ["blocks-", "hash-"]; // written there as one row with braces or suffixes
        Assert.All(Images.Names.Where(name => !families.Any(name.StartsWith)), name => Assert.Contains($"`{name}`", readme, StringComparison.Ordinal));
    }
}
