using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Benchmarks.Compare;

/// <summary>What one step took, and what it found.</summary>
/// <param name="Seconds">Wall time.</param>
/// <param name="Work">Operations or bytes.</param>
/// <param name="Answer">A digest of what was found, in whatever order: the same image must give the same one to everybody.</param>
internal readonly record struct Outcome(double Seconds, double Work, ulong Answer);

/// <summary>The loops that are timed. They allocate nothing and are compiled fully the first time they run.</summary>
internal static unsafe class Client
{
    private const int PageSize = 4096;
    private const uint BasicStats = 0x7ff;
    private const int Checked = 500; // operations that everybody does, and that go into the answer, of a step that ends by the clock
    private const int FileBuffer = 128 * 1024;

    private static readonly byte* Buffer = (byte*)NativeMemory.AlignedAlloc(1 << 20, PageSize);

    /// <summary>Reads a file from its start to its end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Outcome ReadThrough(string path, int piece)
    {
        long start = Stopwatch.GetTimestamp();
        int file = Open(path);
        ulong answer = 0;
        long bytes = 0;
        nint count;
        while ((count = Check(SystemCalls.Read(file, Buffer, piece), path)) > 0)
        {
            for (nint at = 0; at + sizeof(ulong) <= count; at += PageSize)
                answer = BitOperations.RotateLeft(answer, 7) ^ *(ulong*)(Buffer + at);
            bytes += count;
        }
        _ = SystemCalls.Close(file);
        return Since(start, bytes, answer);
    }

    /// <summary>Reads pages of a file, each once, in an order of no order, and without readahead; in several threads.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pages">Which pages.</param>
    /// <param name="threads">How many threads share them.</param>
    public static Outcome ReadPages(string path, int[] pages, int threads)
    {
        int file = Open(path);
        _ = SystemCalls.Advise(file, 0, 0, SystemCalls.AdviseRandom);
        ulong[] answers = new ulong[threads];
        long start = Stopwatch.GetTimestamp();
        Thread[] readers = [.. Enumerable.Range(0, threads).Select(i => new Thread(() => answers[i] = ReadShare(file, pages, i, threads)))];
        foreach (Thread reader in readers)
            reader.Start();
        foreach (Thread reader in readers)
            reader.Join();
        Outcome outcome = Since(start, pages.Length, answers.Aggregate((a, b) => unchecked(a + b)));
        _ = SystemCalls.Close(file);
        return outcome;
    }

    /// <summary>Asks for the attributes of names in a folder, until all were asked for or the time is over.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The names.</param>
    /// <param name="areThere">Whether they exist: anything else is an error.</param>
    /// <param name="seconds">The time.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Outcome LookUp(string folder, byte[][] names, bool areThere, double seconds)
    {
        int descriptor = Open(folder, SystemCalls.OpenDirectory);
        byte* attributes = stackalloc byte[256];
        ulong answer = 0;
        long start = Stopwatch.GetTimestamp(), end = start + (long)(seconds * Stopwatch.Frequency);
        int done = 0;
        for (; done < names.Length && (done < Checked || Stopwatch.GetTimestamp() < end); done++)
        {
            fixed (byte* name = names[done])
            {
                bool isThere = SystemCalls.Statx(descriptor, name, SystemCalls.AtNoFollow, BasicStats, attributes) == 0;
                if (isThere != areThere)
                    throw new IOException($"{folder}: a name {(isThere ? "is there that is not" : $"is not there (error {Marshal.GetLastPInvokeError()})")}");
            }
            if (areThere && done < Checked)
                answer = unchecked(answer + SizeOf(attributes));
        }
        Outcome outcome = Since(start, done, answer);
        _ = SystemCalls.Close(descriptor);
        return outcome;
    }

    /// <summary>Opens, reads and closes files in a folder, until it was done with all or the time is over.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Outcome OpenAndRead(string folder, byte[][] names, double seconds)
    {
        int descriptor = Open(folder, SystemCalls.OpenDirectory);
        ulong answer = 0;
        long start = Stopwatch.GetTimestamp(), end = start + (long)(seconds * Stopwatch.Frequency);
        int done = 0;
        for (; done < names.Length && (done < Checked || Stopwatch.GetTimestamp() < end); done++)
        {
            fixed (byte* name = names[done])
            {
                ulong content = ContentOf(descriptor, name);
                if (done < Checked)
                    answer = unchecked(answer + content);
            }
        }
        Outcome outcome = Since(start, done, answer);
        _ = SystemCalls.Close(descriptor);
        return outcome;
    }

    /// <summary>Lists and reads the extended attributes of files.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Outcome ReadAttributes(byte[][] paths)
    {
        ulong answer = 0;
        long start = Stopwatch.GetTimestamp();
        foreach (byte[] path in paths)
        {
            fixed (byte* name = path)
            {
                nint length = Check(SystemCalls.ListAttributes(name, Buffer, PageSize), "llistxattr");
                for (nint at = 0; at < length; at += MemoryMarshal.CreateReadOnlySpanFromNullTerminated(Buffer + at).Length + 1)
                {
                    nint size = Check(SystemCalls.GetAttribute(name, Buffer + at, Buffer + PageSize, PageSize), "lgetxattr");
                    answer = unchecked(answer + Digest(Buffer + PageSize, size));
                }
            }
        }
        return Since(start, paths.Length, answer);
    }

    /// <summary>Walks a tree.</summary>
    /// <param name="path">Its top.</param>
    /// <param name="depth">What to do with each entry.</param>
    public static Outcome Walk(string path, WalkDepth depth)
    {
        long start = Stopwatch.GetTimestamp();
        ulong answer = 0;
        long entries = 0;
        WalkFolder(Open(path, SystemCalls.OpenDirectory), depth, ref entries, ref answer);
        return Since(start, entries, unchecked(answer + (ulong)entries));
    }

    /// <summary>Asks for the size of the filesystem and what is free in it, as df(1).</summary>
    public static Outcome AskForSpace(string path)
    {
        byte* space = stackalloc byte[256];
        fixed (byte* name = Bytes(path))
        {
            long start = Stopwatch.GetTimestamp();
            Check(SystemCalls.Statvfs(name, space), path);
            return Since(start, 1, *(ulong*)(space + 16)); // f_blocks
        }
    }

    /// <summary>Asks a server for attributes again and again, a millisecond in between; the time is that of the slowest answer.</summary>
    /// <param name="path">Of what; the kernel is told not to answer for the server.</param>
    /// <param name="stop">When to leave off.</param>
    public static Outcome SlowestAnswer(string path, CancellationToken stop)
    {
        byte* attributes = stackalloc byte[256];
        TimeSpan slowest = default;
        long answers = 0;
        for (; !stop.IsCancellationRequested; answers++)
        {
            long start = Stopwatch.GetTimestamp();
            fixed (byte* name = Bytes(path))
                Check(SystemCalls.Statx(SystemCalls.AtCurrentFolder, name, SystemCalls.AtForceSync, BasicStats, attributes), path);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            slowest = took > slowest ? took : slowest;
            Thread.Sleep(1);
        }
        return new Outcome(slowest.TotalSeconds, answers, 0);
    }

    /// <summary>A name as system calls take it.</summary>
    public static byte[] Bytes(string name) => Encoding.UTF8.GetBytes(name + '\0');

    /// <summary>Takes the pages of a file into the page cache, or drops them.</summary>
    public static void Cache(string path, bool isWanted)
    {
        if (isWanted)
        {
            _ = ReadThrough(path, 1 << 20);
            return;
        }
        int file = Open(path);
        _ = SystemCalls.Advise(file, 0, 0, SystemCalls.AdviseDontNeed);
        _ = SystemCalls.Close(file);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong ReadShare(int file, int[] pages, int first, int step)
    {
        byte* page = stackalloc byte[PageSize];
        ulong answer = 0;
        for (int i = first; i < pages.Length; i += step)
        {
            Check(SystemCalls.ReadAt(file, page, PageSize, (long)pages[i] * PageSize), "pread");
            answer = unchecked(answer + (*(ulong*)page ^ (uint)pages[i]));
        }
        return answer;
    }

    // Closes the folder. Names may come in any order, so sums are all that is said of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WalkFolder(int folder, WalkDepth depth, ref long entries, ref ulong answer)
    {
        const int ListBuffer = 32 * 1024;
        const byte Unknown = 0, Folder = 4, Regular = 8;
        byte* list = stackalloc byte[ListBuffer], attributes = stackalloc byte[256];
        nint length;
        while ((length = Check(SystemCalls.ReadDirectory(folder, list, ListBuffer), "getdents64")) > 0)
        {
            for (nint at = 0; at < length; at += *(ushort*)(list + at + 16)) // d_reclen
            {
                byte* name = list + at + 19;
                if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
                    continue;
                byte type = list[at + 18];
                entries++;
                answer = unchecked(answer + Digest(name, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name).Length));
                if (depth == WalkDepth.List)
                    continue;
                if (depth != WalkDepth.Names || type == Unknown)
                {
                    Check(SystemCalls.Statx(folder, name, SystemCalls.AtNoFollow, BasicStats, attributes), "statx");
                    type = (byte)(*(ushort*)(attributes + 28) >> 12); // stx_mode
                }
                if (depth != WalkDepth.Names && type == Regular)
                    answer = unchecked(answer + (SizeOf(attributes) * 31) + *(ulong*)(attributes + 112)); // stx_mtime
                if (depth == WalkDepth.Contents && type == Regular)
                    answer = unchecked(answer + ContentOf(folder, name));
                if (type == Folder)
                    WalkFolder((int)Check(SystemCalls.OpenAt(folder, name, SystemCalls.OpenDirectory | SystemCalls.OpenNoFollow | SystemCalls.CloseOnExec), "openat"), depth, ref entries, ref answer);
            }
        }
        _ = SystemCalls.Close(folder);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong ContentOf(int folder, byte* name)
    {
        int file = (int)Check(SystemCalls.OpenAt(folder, name, SystemCalls.CloseOnExec), "openat");
        ulong answer = 0;
        nint count;
        while ((count = Check(SystemCalls.Read(file, Buffer, FileBuffer), "read")) > 0)
            answer = unchecked((answer * 31) + Digest(Buffer, count));
        _ = SystemCalls.Close(file);
        return answer;
    }

    // 11 GB/s: not what is measured.
    private static ulong Digest(byte* bytes, nint length)
    {
        uint crc = (uint)length;
        nint at = 0;
        for (; at + sizeof(ulong) <= length; at += sizeof(ulong))
            crc = BitOperations.Crc32C(crc, *(ulong*)(bytes + at));
        for (; at < length; at++)
            crc = BitOperations.Crc32C(crc, bytes[at]);
        return crc;
    }

    private static ulong SizeOf(byte* attributes) => *(ulong*)(attributes + 40); // stx_size

    private static int Open(string path, int flags = SystemCalls.OpenReadOnly)
    {
        fixed (byte* bytes = Bytes(path))
            return (int)Check(SystemCalls.OpenAt(SystemCalls.AtCurrentFolder, bytes, flags | SystemCalls.CloseOnExec), path);
    }

    private static nint Check(nint result, string what) => result >= 0 ? result : throw new IOException($"{what}: error {Marshal.GetLastPInvokeError()}");

    private static Outcome Since(long start, double work, ulong answer) => new(Stopwatch.GetElapsedTime(start).TotalSeconds, work, answer);
}

/// <summary>What a walk looks at.</summary>
internal enum WalkDepth
{
    /// <summary>The names of one folder, as ls(1).</summary>
    List,

    /// <summary>Names and types, as find(1).</summary>
    Names,

    /// <summary>And attributes, as find -size or ls -lR.</summary>
    Attributes,

    /// <summary>And contents, as tar(1).</summary>
    Contents,
}
