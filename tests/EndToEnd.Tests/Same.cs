using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Fails with every difference there is, which xunit's own messages would shorten.</summary>
internal static class Same
{
    public static void Trees(string expectedMount, string actualMount) => Trees(Tree.Read(expectedMount), Tree.Read(actualMount));

    public static void Trees(Tree expected, Tree actual, params string[] except)
    {
        IReadOnlyList<string> differences = TreeComparer.Differences(expected, actual, except);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
