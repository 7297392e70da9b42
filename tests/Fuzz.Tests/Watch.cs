using System.Runtime.InteropServices;

namespace Fuzz.Tests;

/// <summary>The processor time of the calling thread: what others do on the machine does not count.</summary>
internal static partial class Watch
{
    private const int ThreadClock = 3;

    public static TimeSpan ThreadTime
    {
        get
        {
            _ = GetTime(ThreadClock, out Time time);
            return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
