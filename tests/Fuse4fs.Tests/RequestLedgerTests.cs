using Fuse4fs.Device;
using Fuse4fs.State;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>The account of a dead worker, over a state in which that worker could write what it liked.</summary>
public sealed class RequestLedgerTests : IDisposable
{
    private readonly SessionState _state = SessionState.Create(new ServeOptions(), tableBytes: 1 << 20);
    private readonly FuseDevice _device = new(Descriptor.TryOpen("/dev/null", Libc.O_RDWR, out _)!);
    private readonly RequestLedger _ledger;

    public RequestLedgerTests() => _ledger = new RequestLedger(_state, _device);

    [Fact]
    public void Requests_of_a_crashed_worker_are_suspect_and_counted()
    {
        for (uint deaths = 1; deaths <= 3; deaths++)
        {
            _state.Thread(5).Begin(unique: 42, nodeId: 7, opcode: 15);
            Assert.True(_ledger.HasRequestInHand);
            _ledger.Close(crashed: true);
            Assert.False(_ledger.HasRequestInHand);
            Assert.Equal((42UL, 7UL, deaths), (_state.Suspects[0].Unique, _state.Suspects[0].NodeId, _state.Suspects[0].Deaths));
        }
    }

    [Fact]
    public void Nobody_is_suspect_where_the_worker_was_ended_on_purpose()
    {
        _state.Thread(0).Begin(unique: 42, nodeId: 7, opcode: 15);
        _ledger.Close(crashed: false);
        Assert.Equal(0UL, _state.Suspects[0].Unique);
    }

    [Fact]
    public void Numbers_that_a_hostile_worker_wrote_do_no_harm()
    {
        _state.Thread(0).Begin(unique: 42, nodeId: 7, opcode: 15);
        _state.Thread(0).Since = long.MinValue;
        _state.Thread(0).Answers = ulong.MaxValue;
        _state.Thread(1).Answers = ulong.MaxValue;
        _state.Suspects[0] = new Suspect { Unique = 42, Deaths = uint.MaxValue };
        _ = _ledger.HasRequestOlderThan(1);
        _ = _ledger.Answers;
        _ledger.Close(crashed: true);
        Assert.Equal(uint.MaxValue, _state.Suspects[0].Deaths);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_nonsensical_start_of_the_filesystem_does_no_harm(long start)
    {
        string path = Path.GetTempFileName();
        using (ImageFile image = ImageFile.Open(path))
            Assert.Equal(image.Record(0).SuperblockDigest, image.Record(start).SuperblockDigest); // of an empty file: zeros both
        File.Delete(path);
    }

    public void Dispose()
    {
        _ledger.Dispose();
        _device.Dispose();
        _state.Dispose();
    }
}
