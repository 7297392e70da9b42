using Mono.Unix.Native;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>Asserts on system calls that must fail.</summary>
internal static class Errors
{
    public static void Stale(Action action) => Are(Errno.ESTALE, action);

    public static void Stale(Func<object> action) => Are(Errno.ESTALE, action);

    public static void Are(Errno expected, Func<object> action) => Are(expected, () => { _ = action(); });

    public static void Are(Errno expected, Action action) => Assert.Equal(expected, Assert.Throws<PosixException>(action).Error);
}
