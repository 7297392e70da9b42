using System.Diagnostics;
using TestSupport;
using Xunit.Sdk;

namespace Fuzz.Tests;

/// <summary>Runs numbered cases until the time is over, and says how to run the one that failed again.</summary>
internal static class Rounds
{
    private const double HangSeconds = 60; // a case takes milliseconds; this is for a machine that is busy with others
    private static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(5);

    /// <summary>Answers how many cases were run.</summary>
    public static int Run(string target, Action<int, Random> one)
    {
        int seed = FuzzSettings.Seed;
        if (FuzzSettings.Number is int only)
        {
            RunOne(target, seed, only, one);
            return 1;
        }

        var clock = Stopwatch.StartNew();
        int number = 0;
        for (; clock.Elapsed < FuzzSettings.Time; number++)
            RunOne(target, seed, number, one);
        Console.WriteLine($"{target}: seed {seed}, {number} cases");
        return number;
    }

    private static void RunOne(string target, int seed, int number, Action<int, Random> one)
    {
        try
        {
            Deadline.In(HangSeconds).Run(() => Measure(() => one(number, FuzzSettings.RandomOf(seed, number))), "the case");
        }
        catch (Exception problem)
        {
            string message = $"{target}: FUSE4FS_FUZZ_SEED={seed} FUSE4FS_FUZZ_NUMBER={number} runs it again\n{problem}\n";
            File.AppendAllText(Path.Combine(FuzzSettings.Folder, "failures.txt"), message);
            throw new XunitException(message);
        }
    }

    private static void Measure(Action action)
    {
        TimeSpan before = Watch.ThreadTime;
        action();
        TimeSpan took = Watch.ThreadTime - before;
        if (took > LongestCase)
            throw new XunitException($"took {took.TotalSeconds:0.0} s of processor time");
    }
}
