namespace EndToEnd.Tests;

/// <summary>The kernel's caches of names, inodes and pages, of the whole machine.</summary>
internal static class MachineCaches
{
    /// <summary>Drops what nobody uses: inodes first, so that their pages go too.</summary>
    public static void Drop() => File.WriteAllText("/proc/sys/vm/drop_caches", "3");
}
