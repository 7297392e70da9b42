using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Directories that compare names without regard to case, on a live mount.</summary>
public class CasefoldTests
{
    [MountFact]
    public void A_name_that_a_strict_encoding_forbids_is_invalid_and_not_only_missing()
    {
        using LiveMount mount = LiveMount.Foregrounded(Images.Get("casefold-strict"));
        string folder = mount.MountPoint;
        Assert.Equal("plain\n", File.ReadAllText($"{folder}/folded/PLAIN"));
        Assert.Equal(Errno.EINVAL, ErrorOf($"{folder}/folded/\u00ff"));
        Assert.Equal(Errno.ENOENT, ErrorOf($"{folder}/folded/nowhere"));
        Assert.Equal(Errno.ENOENT, ErrorOf($"{folder}/plain/\u00fe"));
        Assert.Equal(default, ErrorOf($"{folder}/plain/\u00ff"));
    }

    // Paths are bytes: each character stands for one.
    private static Errno ErrorOf(string path)
    {
        try
        {
            _ = Posix.Status(path);
            return default;
        }
        catch (PosixException problem)
        {
            return problem.Error;
        }
    }
}
