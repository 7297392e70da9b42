using EndToEnd.Tests.Recovery;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>
/// What was done once is done again without a single request: the kernel was told that it may keep names, their absence, attributes, listings, links,
/// access lists and pages.
/// </summary>
public class WarmCacheTests
{
    [CachedNamesFact]
    public void A_warm_find_asks_for_nothing() => AssertAsksOnce(["find", "."]);

    [CachedNamesFact]
    public void A_warm_find_that_shows_attributes_asks_for_nothing() => AssertAsksOnce(["find", ".", "-printf", "%s %T@ %p\n"]);

    [CachedNamesFact]
    public void Opening_and_reading_a_file_again_asks_for_nothing() => AssertAsksOnce(["cat", "big", "docs/poems/fire"]);

    [CachedNamesFact]
    public void A_name_that_is_not_there_is_asked_for_once() => AssertAsksOnce(["sh", "-c", "test ! -e docs/nothing"]);

    [CachedNamesFact]
    public void A_warm_stat_asks_for_nothing() => AssertAsksOnce(["stat", "--format=%s %y", "README", "docs/poems/fire"]);

    // It also asks each file for its SELinux label, which no kernel caches.
    [CachedNamesFact]
    public void A_warm_ls_l_asks_for_no_names_and_attributes() => AssertAsksOnce(["ls", "-lR"], "GetXattr");

    [CachedNamesFact("getfacl")]
    public void An_access_list_is_asked_for_once() => AssertAsksOnce(["getfacl", "-R", "docs"]);

    [CachedNamesFact]
    public void A_link_that_was_read_is_not_read_again() => AssertAsksOnce(["readlink", "latest"]);

    private static void AssertAsksOnce(string[] command, params string[] except)
    {
        using var mounted = new Mounted();
        string[] inTheMount = ["env", "--chdir", mounted.MountPoint, .. command];
        string cold = mounted.Requests(except);
        string output = Command.Run(inTheMount).OrThrow().Output;
        string warm = mounted.Requests(except);
        Assert.NotEqual(cold, warm);
        Assert.Equal(output, Command.Run(inTheMount).OrThrow().Output);
        Assert.Equal(warm, mounted.Requests(except));
    }
}
