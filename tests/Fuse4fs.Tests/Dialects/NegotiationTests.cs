using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests.Dialects;

public class NegotiationTests
{
    private const ulong Linux618 = 0x7fd_73fffffb;
    private const ulong FileOps = 1UL << 2, Bit43 = 1UL << 43; // what kernels of the RFCs offer by mistake, and what one with the capability offers

    [Theory]
    [InlineData("Off", 45u, Linux618, "Stock")]
    [InlineData("Off", 45u, Linux618 | FileOps | Bit43, "Stock")]
    [InlineData("Auto", 45u, Linux618, "Stock")]
    [InlineData("Auto", 45u, Linux618 | FileOps, "Stock")]
    [InlineData("Auto", 45u, Linux618 | Bit43, "RfcV2Finished")]
    [InlineData("Auto", 46u, Linux618 | Bit43, "Stock")] // there the bit is io_uring's
    [InlineData("Auto", 44u, Linux618 | Bit43, "Stock")]
    [InlineData("V2", 45u, Linux618 | Bit43, "RfcV2Finished")]
    [InlineData("V2", 45u, Linux618 | FileOps, "RfcV2")]
    [InlineData("V2", 45u, Linux618, null)]
    [InlineData("V2", 46u, Linux618 | FileOps | Bit43, null)]
    [InlineData("V2", 44u, Linux618 | FileOps | Bit43, null)]
    [InlineData("V3", 46u, Linux618 | FileOps, "RfcV3")]
    [InlineData("V3", 46u, Linux618 | Bit43, null)]
    [InlineData("V3", 45u, Linux618 | FileOps, null)]
    public void A_dialect_is_chosen_by_what_the_kernel_shows(string mode, uint minor, ulong offered, string? expected)
    {
        string? refusal = Negotiation.TryChoose(Init(minor), (InitFlags)offered, Enum.Parse<LookupHandleMode>(mode), out Dialect dialect);
        Assert.Equal(expected ?? "Stock", dialect.ToString());
        Assert.Equal(expected is null, refusal is not null);
        if (refusal is not null)
            Assert.Contains($"7.{minor}", refusal);
    }

    [Fact]
    public void What_does_not_work_in_the_second_version_is_not_asked_for()
    {
        InitOut answer = Answer(Dialect.RfcV2, 45, Linux618 | FileOps, out Negotiated settled);
        InitFlags flags = Flags(answer);
        Assert.Equal(InitFlags.LookupHandle | InitFlags.InitExt, flags & (InitFlags.LookupHandle | InitFlags.InitExt));
        Assert.Equal(InitFlags.None, flags & (InitFlags.DoReadDirPlus | InitFlags.ReadDirPlusAuto | InitFlags.ExportSupport | InitFlags.FileOps));
        Assert.Equal(0UL, (ulong)flags & ((1UL << 32) | (1UL << 34))); // security contexts, supplementary groups
        Assert.Equal((45u, (ushort)32), (answer.Minor, answer.MaxHandleSize));
        Assert.Equal(((uint)Dialect.RfcV2, 32u, 45u, (ulong)flags), (settled.Dialect, settled.MaxHandleSize, settled.Minor, settled.Flags));
    }

    [Fact]
    public void A_kernel_in_which_it_is_finished_gets_all()
    {
        InitOut answer = Answer(Dialect.RfcV2Finished, 45, Linux618 | Bit43, out Negotiated settled);
        InitOut stock = Answer(Dialect.Stock, 45, Linux618 | Bit43, out _);
        Assert.Equal(Flags(stock) | InitFlags.LookupHandle, Flags(answer));
        Assert.Equal((ushort)32, answer.MaxHandleSize);
        Assert.Equal((uint)Dialect.RfcV2Finished, settled.Dialect);
    }

    [Fact]
    public void The_third_version_has_a_minor_of_its_own_and_no_size()
    {
        InitOut answer = Answer(Dialect.RfcV3, 46, Linux618 | FileOps, out Negotiated settled);
        Assert.Equal((46u, (ushort)0), (answer.Minor, answer.MaxHandleSize));
        Assert.Equal(InitFlags.LookupHandle, Flags(answer) & (InitFlags.LookupHandle | InitFlags.DoReadDirPlus | InitFlags.FileOps));
        Assert.Equal(((uint)Dialect.RfcV3, 46u), (settled.Dialect, settled.Minor));
    }

    [Fact]
    public void Nothing_of_it_is_said_otherwise()
    {
        InitOut answer = Answer(Dialect.Stock, 45, ulong.MaxValue, out Negotiated settled);
        Assert.Equal(InitFlags.None, Flags(answer) & (InitFlags.LookupHandle | InitFlags.FileOps));
        Assert.Equal((0u, 0u, (ushort)0), (settled.Dialect, settled.MaxHandleSize, answer.MaxHandleSize));
    }

    private static InitIn Init(uint minor) => new() { Major = 7, Minor = minor, MaxReadahead = 131072 };

    private static InitFlags Flags(InitOut answer) => (InitFlags)((ulong)answer.Flags2 << 32 | answer.Flags);

    private static InitOut Answer(Dialect dialect, uint minor, ulong offered, out Negotiated settled) =>
        Negotiation.Answer(Init(minor), (InitFlags)offered, ReadDirPlusMode.Always, posixAcl: true, 256, out settled, dialect);
}
