using Ext4Reader;
using Xunit;

namespace Fuzz.Tests;

/// <summary>Journals, fast commits and orphans of any kind: the image is refused or served, soon and in little memory.</summary>
public sealed class RecoveryFuzzTests
{
    private const long MostAllocated = 256L << 20;
    private const int CasesPerImage = 4;

    [Fact]
    public void What_must_be_recovered_is_recovered_or_refused()
    {
        using var image = new ImageUnderFuzz("fast-commit");
        int served = 0;
        int cases = Rounds.Run("recovery", (_, random) => image.With(
            patch =>
            {
                string log = new LogWriter(image.Layout, patch, random).Run();
                Mutation more = random.Next(CasesPerImage) == 0 ? new Mutator(image.Layout, patch, random).Run() : new Mutation("", null, new HashSet<uint>(), null);
                return more with { Description = $"{log}; {more.Description}", Touched = null };
            },
            mutation => served += Check(image, mutation)));
        Assert.True(cases > 0);
        Console.WriteLine($"recovery: {served} served");
    }

    private static int Check(ImageUnderFuzz image, Mutation mutation)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        int served = 0;
        try
        {
            using Ext4Image broken = image.Open(recover: true);
            _ = Survey.Of(broken);
            served = 1;
        }
        catch (Exception problem) when (problem is Ext4Exception or IOException)
        {
            Assert.NotEmpty(problem.Message);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MostAllocated, $"{mutation.Description}: {allocated} bytes allocated");
        return served;
    }
}
