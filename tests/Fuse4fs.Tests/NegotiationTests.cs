using Fuse4fs.Protocol;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests;

public class NegotiationTests
{
    private const InitFlags Linux618 = (InitFlags)0x7fd_73fffffb;

    [Fact]
    public void What_a_current_kernel_offers_is_used_to_the_full()
    {
        InitOut answer = Answer(Linux618, 45, out Negotiated settled);
        Assert.Equal((7u, 45u), (answer.Major, answer.Minor));
        Assert.Equal(256, answer.MaxPages);
        Assert.Equal(131072u, answer.MaxReadahead);
        Assert.True(answer.MaxBackground >= 1024);
        var flags = (InitFlags)((ulong)answer.Flags2 << 32 | answer.Flags);
        InitFlags needed = InitFlags.AsyncRead | InitFlags.ExportSupport | InitFlags.AutoInvalData | InitFlags.DoReadDirPlus | InitFlags.ParallelDirOps
            | InitFlags.PosixAcl | InitFlags.MaxPages | InitFlags.CacheSymlinks | InitFlags.InitExt | InitFlags.HasResend;
        Assert.Equal(needed, flags & needed);
        Assert.Equal(InitFlags.None, flags & InitFlags.ReadDirPlusAuto);
        Assert.Equal((ulong)flags, settled.Flags);
    }

    // Capabilities that would break a restart or hand out what we do not mean to.
    [Theory]
    [InlineData(16)] // writeback cache
    [InlineData(25)] // explicit invalidation of data
    [InlineData(41)] // io_uring: requests in it are lost with the worker
    [InlineData(42)] // request timeout: a long restart would lose the mount
    [InlineData(43)] // LOOKUP_HANDLE in the RFCs, something else from 7.46 on
    public void What_we_do_not_mean_is_never_asked_for(int bit)
    {
        InitOut answer = Answer((InitFlags)ulong.MaxValue, 45, out _);
        Assert.Equal(0UL, ((ulong)answer.Flags2 << 32 | answer.Flags) >> bit & 1);
    }

    [Fact]
    public void Nothing_is_asked_for_that_the_kernel_does_not_offer()
    {
        InitOut answer = Answer(InitFlags.AsyncRead | InitFlags.BigWrites, 31, out Negotiated settled);
        Assert.Equal((uint)(InitFlags.AsyncRead | InitFlags.BigWrites), answer.Flags);
        Assert.Equal(0u, answer.Flags2);
        Assert.Equal(31u, answer.Minor);
        Assert.Equal(32u, settled.MaxPages);
    }

    [Fact]
    public void A_newer_kernel_gets_our_minor() => Assert.Equal(45u, Answer(Linux618, 46, out _).Minor);

    // What administrators are told about kernels is what is negotiated.
    [Theory]
    [InlineData("6.16 and newer", Negotiated.EpochMinor)]
    [InlineData("6.9 to 6.15", Negotiated.ResendMinor)]
    [InlineData("5.4 to 6.8", Negotiation.OldestMinor)]
    public void The_table_of_kernels_in_the_document_has_the_minors_of_the_code(string kernels, uint minor)
    {
        string? folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "Fuse4fs.sln")))
            folder = Path.GetDirectoryName(folder);
        Assert.Contains(File.ReadLines(Path.Combine(folder!, "docs", "restart.md")), line => line.StartsWith($"| {kernels} | 7.{minor} |", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(39u, false, false)]
    [InlineData(40u, true, false)]
    [InlineData(43u, true, false)]
    [InlineData(44u, true, true)]
    public void What_a_kernel_can_do_after_a_death_goes_by_its_minor(uint minor, bool resend, bool epoch)
    {
        var settled = new Negotiated { Minor = minor };
        Assert.Equal((resend, epoch), (settled.HasResend, settled.HasEpoch));
    }

    [Theory]
    [InlineData(ReadDirPlusMode.Always, true, false)]
    [InlineData(ReadDirPlusMode.Auto, true, true)]
    [InlineData(ReadDirPlusMode.No, false, false)]
    internal void Readdirplus_is_as_the_user_wishes(ReadDirPlusMode mode, bool plus, bool auto)
    {
        InitOut answer = Negotiation.Answer(new InitIn { Major = 7, Minor = 45 }, Linux618, mode, posixAcl: false, 256, out _);
        Assert.Equal(plus, ((InitFlags)answer.Flags & InitFlags.DoReadDirPlus) != 0);
        Assert.Equal(auto, ((InitFlags)answer.Flags & InitFlags.ReadDirPlusAuto) != 0);
        Assert.Equal(0u, answer.Flags & (uint)InitFlags.PosixAcl);
    }

    [Theory]
    [InlineData(7u, 45u, false)]
    [InlineData(7u, 31u, false)]
    [InlineData(8u, 0u, false)]
    [InlineData(7u, 30u, true)]
    [InlineData(6u, 99u, true)]
    public void Kernels_before_5_4_are_refused(uint major, uint minor, bool refused) =>
        Assert.Equal(refused, Negotiation.Objection(new InitIn { Major = major, Minor = minor }) is not null);

    private static InitOut Answer(InitFlags offered, uint minor, out Negotiated settled) =>
        Negotiation.Answer(
            new InitIn { Major = 7, Minor = minor, MaxReadahead = 131072, Flags = (uint)((ulong)offered & uint.MaxValue) }, offered, ReadDirPlusMode.Always, posixAcl: true, 256, out settled);
}
