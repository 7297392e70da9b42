using Fuse4fs.Control;
using Fuse4fs.Server;
using Fuse4fs.Supervisor;
using Xunit;

namespace Fuse4fs.Tests;

public class RestartPolicyTests
{
    [Fact]
    public void A_worker_that_answered_is_replaced_at_once()
    {
        var policy = new RestartPolicy(3);
        for (ulong answers = 1; answers < 100; answers++)
            Assert.Equal(0, policy.NoteDeath(answers));
    }

    [Fact]
    public void Deaths_without_an_answer_wait_longer_each_time()
    {
        var policy = new RestartPolicy(0);
        int?[] delays = [.. Enumerable.Range(0, 40).Select(_ => policy.NoteDeath(7))];
        Assert.Equal([0, 20, 40, 80], delays[..4]);
        Assert.All(delays.Zip(delays.Skip(1)), pair => Assert.True(pair.First <= pair.Second));
        Assert.Equal(5000, delays[^1]);
    }

    [Fact]
    public void After_so_many_it_gives_up()
    {
        var policy = new RestartPolicy(3);
        Assert.NotNull(policy.NoteDeath(1));
        Assert.NotNull(policy.NoteDeath(1));
        Assert.Null(policy.NoteDeath(1));
    }

    [Fact]
    public void A_request_to_the_supervisor_survives_its_line()
    {
        var request = new ControlRequest(ControlVerb.Restart) { Fsck = true, FsckArguments = "-f -y", Exec = "echo \"hi\"\n", Force = true };
        byte[] line = request.ToLine();
        Assert.Equal((byte)'\n', line[^1]);
        Assert.Equal(1, line.Count(b => b == (byte)'\n'));
        Assert.Equal(request, ControlRequest.TryParse(line.AsMemory(0, line.Length - 1)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"do\":\"Explode\"}")]
    [InlineData("{\"do\":7}")]
    [InlineData("nonsense")]
    public void Other_lines_are_no_requests(string line) => Assert.Null(ControlRequest.TryParse(System.Text.Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void A_fingerprint_sees_every_byte_but_those_that_mean_nothing()
    {
        byte[] record = new byte[256];
        new Random(1).NextBytes(record);
        ulong before = InodeFingerprint.Of([.. record]);
        int[] ignored = [.. Enumerable.Range(0x08, 4), .. Enumerable.Range(0x14, 4), 0x7c, 0x7d, 0x82, 0x83, .. Enumerable.Range(0x8c, 4)];
        for (int i = 0; i < record.Length; i++)
        {
            byte[] changed = [.. record];
            changed[i] ^= 1;
            Assert.Equal(ignored.Contains(i), InodeFingerprint.Of(changed) == before);
        }
    }
}
