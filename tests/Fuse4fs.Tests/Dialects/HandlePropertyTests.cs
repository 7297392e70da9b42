using FsCheck;
using FsCheck.Fluent;
using TestSupport.FakeKernel;
using Xunit;
using Xunit.Abstractions;

namespace Fuse4fs.Tests.Dialects;

/// <summary>
/// After any interleaving of lookups, crashes, edits of the image and restarts: nothing that is held shows bytes or attributes of another inode; what was not
/// removed never fails, and shows what is on the disk now; what was removed fails, and ends bad where the kernel has handles.
/// </summary>
/// <remarks>A failure names its seed: FUSE4FS_PROPERTY_SEED="SEED,GAMMA" runs it again. FUSE4FS_PROPERTY_SEQUENCES: more or fewer of them.</remarks>
public sealed class HandlePropertyTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(KernelForm.RfcV2Finished, 4000)]
    [InlineData(KernelForm.Stock, 2000)]
    [InlineData(KernelForm.RfcV2, 2000)]
    [InlineData(KernelForm.RfcV3, 2000)]
    public void Nothing_is_taken_for_something_else_and_nothing_is_lost(KernelForm form, int sequences)
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("FUSE4FS_PROPERTY_SEQUENCES"), out int wanted))
            sequences = wanted;
        ScriptCounts counts = Check(form, Sabotage.None, sequences);
        output.WriteLine($"{form}: {sequences} sequences, {counts.Requests} requests, {counts.Restarts} restarts, {counts.Deaths} of them in a request, {counts.GoodUses} good uses, {counts.StaleUses} stale ones");
        Assert.True(counts.Restarts > sequences && counts.Deaths > sequences / 4 && counts.StaleUses > sequences / 4 && counts.GoodUses > sequences, "the sequences do too little");
    }

    [Theory]
    [InlineData(KernelForm.Stock, Sabotage.IgnoresGenerations)]
    [InlineData(KernelForm.Stock, Sabotage.KeepsQuiet)]
    [InlineData(KernelForm.Stock, Sabotage.LeavesPages)]
    [InlineData(KernelForm.RfcV2, Sabotage.IgnoresGenerations)]
    [InlineData(KernelForm.RfcV2, Sabotage.KeepsQuiet)]
    [InlineData(KernelForm.RfcV2, Sabotage.LeavesPages)]
    [InlineData(KernelForm.RfcV2Finished, Sabotage.IgnoresGenerations)]
    [InlineData(KernelForm.RfcV2Finished, Sabotage.KeepsQuiet)]
    [InlineData(KernelForm.RfcV2Finished, Sabotage.LeavesPages)]
    [InlineData(KernelForm.RfcV2Finished, Sabotage.ForgetsHandles)]
    [InlineData(KernelForm.RfcV3, Sabotage.IgnoresGenerations)]
    [InlineData(KernelForm.RfcV3, Sabotage.KeepsQuiet)]
    [InlineData(KernelForm.RfcV3, Sabotage.LeavesPages)]
    internal void A_broken_server_is_noticed(KernelForm form, Sabotage sabotage)
    {
        Exception noticed = Assert.ThrowsAny<Exception>(() => Check(form, sabotage, 500));
        output.WriteLine(noticed.Message);
    }

    private static ScriptCounts Check(KernelForm form, Sabotage sabotage, int sequences)
    {
        var counts = new ScriptCounts();
        using var disk = new EditedDisk();
        Config config = Config.QuickThrowOnFailure.WithMaxTest(sequences).WithStartSize(10).WithEndSize(100).WithQuietOnSuccess(true);
        if (Environment.GetEnvironmentVariable("FUSE4FS_PROPERTY_SEED")?.Split(',') is [var seed, var gamma])
            config = config.WithReplay(new Replay(new Rnd(ulong.Parse(seed), ulong.Parse(gamma)), null));
        Arbitrary<Steps> steps = Arb.From(Gen.Choose(0, int.MaxValue).ArrayOf().Select(codes => new Steps(codes)), Shorter);
        Prop.ForAll(steps, each =>
        {
            using var script = new Script(form, disk, sabotage, counts);
            script.Run(each.Codes);
        }).Check(config);
        return counts;
    }

    // One step less at a time: what is left of a failure is what it needs.
    private static IEnumerable<Steps> Shorter(Steps steps)
    {
        for (int size = steps.Codes.Length / 2; size > 0; size /= 2)
            for (int start = 0; start + size <= steps.Codes.Length; start += size)
                yield return new Steps([.. steps.Codes[..start], .. steps.Codes[(start + size)..]]);
    }

    private sealed record Steps(int[] Codes)
    {
        public override string ToString() => string.Join(' ', Codes.Select(Script.Describe));
    }
}
