using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Device;

namespace Fuse4fs.State;

/// <summary>How a worker serves: what the user asked for, as far as it concerns the one who answers requests.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct ServeOptions
{
    /// <summary>Where the filesystem starts in the image file, in bytes.</summary>
    public long ImageOffset;

    /// <summary>The user gave <see cref="ImageOffset"/>: no partition table is looked at, even if it is 0.</summary>
    public bool HasImageOffset;

    /// <summary>
    /// The partition that the user chose, in words of <c>PartitionTable.Choose</c>; empty for none. Each worker looks it up anew: whoever
    /// parses the image parses its partition table.
    /// </summary>
    public ShortText Partition;

    /// <summary>The owner of everything, or -1 for the image's own.</summary>
    public long UserId;

    /// <summary>The group of everything, or -1 for the image's own.</summary>
    public long GroupId;

    /// <summary>Show the image as it lies: no journal replay.</summary>
    public bool NoRecovery;

    /// <summary>An external journal is handed over, too (<see cref="WorkerMessage.Journal"/>).</summary>
    public bool HasJournal;

    /// <summary>statfs(2) counts the filesystem's own structures as blocks, too.</summary>
    public bool MinixDf;

    /// <summary>Check files with fs-verity against their Merkle trees.</summary>
    public bool VerifyContent;

    /// <summary>For tests, which set it by <see cref="CrashSwitch"/>: the inode whose contents crash the worker that reads them. 0: none.</summary>
    public uint CrashInode;

    /// <summary>
    /// The environment variable of root's that sets <see cref="CrashInode"/>. Not a mount option: those can come from fstab, from other users and from programs.
    /// </summary>
    public const string CrashSwitch = "FUSE4FS_TEST_CRASH_INODE";

    /// <summary>Workers keep their privileges: for debugging.</summary>
    public bool NoSandbox;

    /// <summary>Threads that answer requests, 1 to 64; 0 for as many as suit the machine.</summary>
    public int Threads;
}

/// <summary>What INIT settled for the life of the connection. No later worker hears of it from the kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal record struct Negotiated
{
    /// <summary>From this minor on (Linux 6.9) the requests of a dead worker can be had again (RESEND).</summary>
    public const uint ResendMinor = 40;

    /// <summary>From this minor on (Linux 6.16) all cached names can be called in question at once (INC_EPOCH).</summary>
    public const uint EpochMinor = 44;

    /// <summary>Whether the kernel gives the requests of a dead worker out again.</summary>
    public readonly bool HasResend => Minor >= ResendMinor;

    /// <summary>Whether the kernel can be told that names are former. Otherwise it must ask for each once a second.</summary>
    public readonly bool HasEpoch => Minor >= EpochMinor;

    /// <summary>Protocol minor, 31 to 46; 0 before INIT.</summary>
    public uint Minor;

    /// <summary>The capabilities that both sides use (<c>InitFlags</c>).</summary>
    public ulong Flags;

    /// <summary>Largest WRITE in bytes: it sets the least size of the buffer for requests.</summary>
    public uint MaxWrite;

    /// <summary>Largest READ in pages of 4 KiB.</summary>
    public uint MaxPages;

    /// <summary>How the kernel is told handles (<c>Dialect</c>); 0: not at all, as by every released kernel.</summary>
    public uint Dialect;

    /// <summary>The size that handles are smaller than, where the kernel is told any.</summary>
    public uint MaxHandleSize;
}

/// <summary>
/// What a worker must know and its predecessor cannot tell: plain versioned data in a sealed memfd that the supervisor holds.
/// </summary>
internal sealed unsafe class SessionState : IDisposable
{
    /// <summary>Changes with the layout, but for its first two fields. A worker refuses a state of another version.</summary>
    public const uint CurrentVersion = 11;

    private const ulong Magic = 0x5441_5453_5346_3446; // "F4FSSTAT"
    private const int TableFlagsOffset = 4080;
    private const int SuspectsOffset = 4096;
    private const int ThreadsOffset = 8192;
    private const int HeldOffset = ThreadsOffset + (MostThreads * ThreadRecord.Size);
    private const int TableOffset = HeldOffset + (MostHeld * 16);

    private readonly SharedMemory _memory;

    private SessionState(SharedMemory memory)
    {
        _memory = memory;
        fixed (byte* start = memory.Span)
            Known = new KnownInodes(start + TableOffset, memory.Length - TableOffset, (uint*)(start + TableFlagsOffset));
    }

    /// <summary>Threads of a worker at the most.</summary>
    public const int MostThreads = 64;

    /// <summary>Files that processes hold, of which the worker is asked what became.</summary>
    public const int MostHeld = 1024;

    /// <summary>Memory that the known inodes may take unless a test wants less: 16 million of them.</summary>
    public const int DefaultTableBytes = 256 << 20;

    /// <summary>For tests: the environment variable of root's that sets the memory that the known inodes may take, in bytes.</summary>
    public const string TableSwitch = "FUSE4FS_TEST_TABLE_BYTES";

    /// <summary>Every inode that was named to the kernel.</summary>
    public KnownInodes Known { get; }

    /// <summary>Which layout this is; a program of another version may lie in our place by now.</summary>
    public uint Version => Layout.Version;

    /// <summary>The memfd, to be handed to workers.</summary>
    public Descriptor Descriptor => _memory.Descriptor;

    /// <summary>The user's wishes. Written once, before the first worker is given an image.</summary>
    public ref ServeOptions Options => ref Layout.Options;

    /// <summary>What INIT settled. Written once, before the first worker is told to go.</summary>
    public ref Negotiated Negotiated => ref Layout.Negotiated;

    /// <summary>The image as it was before a worker first read it. The supervisor's.</summary>
    public ref ImageRecord Image => ref Layout.Image;

    /// <summary>The same of the external journal, where there is one.</summary>
    public ref ImageRecord Journal => ref Layout.Journal;

    /// <summary>The filesystem that is served: all workers must find the same. Set by the first.</summary>
    public ref Guid Volume => ref Layout.Volume;

    /// <summary>Where the filesystem starts in the image, in bytes; the worker finds it out, e2fsck needs to know.</summary>
    public ref long FilesystemStart => ref Layout.FilesystemStart;

    /// <summary>What the worker found in the image, for status.</summary>
    public ref ServedVolume Served => ref Layout.Served;

    /// <summary>The last worker's way to its first answer.</summary>
    public ref Milestones Milestones => ref Layout.Milestones;

    /// <summary>How the worker is contained. It says so itself.</summary>
    public ref SandboxParts Sandbox => ref Layout.Sandbox;

    /// <summary>What the next worker is to do, and what the last one did.</summary>
    public ref ResumeOrder Resume => ref Layout.Resume;

    /// <summary>The requests that crashed workers had in hand.</summary>
    public Span<Suspect> Suspects => MemoryMarshal.Cast<byte, Suspect>(_memory.Span.Slice(SuspectsOffset, Suspect.Most * Unsafe.SizeOf<Suspect>()));

    /// <summary>What processes held when the image was last found written.</summary>
    public Span<HeldNode> Held => MemoryMarshal.Cast<byte, HeldNode>(_memory.Span.Slice(HeldOffset, MostHeld * Unsafe.SizeOf<HeldNode>()));

    /// <summary>What a reader thread is about. <paramref name="number"/>: 0 to <see cref="MostThreads"/> - 1.</summary>
    public ref ThreadRecord Thread(int number) =>
        ref MemoryMarshal.AsRef<ThreadRecord>(_memory.Span.Slice(ThreadsOffset + (number * ThreadRecord.Size), Unsafe.SizeOf<ThreadRecord>()));

    /// <summary>Requests with this opcode, by all threads of all workers.</summary>
    public ulong Requests(int opcode)
    {
        ulong sum = 0;
        for (int i = 0; i < MostThreads; i++)
            sum = unchecked(sum + Thread(i).ByOpcode[opcode]);
        return sum;
    }

    /// <summary>Refusals with this error number, by all threads of all workers.</summary>
    public ulong Errors(int errno)
    {
        ulong sum = 0;
        for (int i = 0; i < MostThreads; i++)
            sum += Thread(i).ByErrno[errno];
        return sum;
    }

    /// <summary>
    /// While the mount is primed: the number in the name of a file that is nowhere in the image (<c>PrimingFile</c>). 0 otherwise.
    /// </summary>
    public ulong PrimingToken
    {
        get => Volatile.Read(ref Layout.PrimingToken);
        set => Volatile.Write(ref Layout.PrimingToken, value);
    }

    /// <summary>The name that goes with a <see cref="PrimingToken"/>.</summary>
    public static string PrimingName(ulong token) => string.Create(CultureInfo.InvariantCulture, $".fuse4fs-{token:x16}");

    /// <summary>The supervisor's pid: a worker whose parent is another has outlived it.</summary>
    public int SupervisorId => Layout.SupervisorId;

    private ref StateLayout Layout => ref MemoryMarshal.AsRef<StateLayout>(_memory.Span);

    /// <summary>A new state, made by the supervisor.</summary>
    /// <param name="options">The user's wishes.</param>
    /// <param name="tableBytes">Memory that the known inodes may take at the most. Holes cost nothing.</param>
    public static SessionState Create(ServeOptions options, int tableBytes = DefaultTableBytes)
    {
        var state = new SessionState(SharedMemory.Create("fuse4fs-state", TableOffset + tableBytes));
        state.Layout = new StateLayout { Magic = Magic, Version = CurrentVersion, SupervisorId = Environment.ProcessId, Options = options };
        return state;
    }

    /// <summary>The state behind a descriptor that the supervisor handed over. Null, and why, when it is none or of another version.</summary>
    public static SessionState? TryAttach(Descriptor? descriptor, out string? problem)
    {
        problem = "the installed program is of another version than this mount (which hands over no state): install the former one, or unmount and mount again";
        if (descriptor is null)
            return null;
        var state = new SessionState(SharedMemory.Attach(descriptor, checked((int)Math.Min(FileStatus.Of(descriptor).Size, int.MaxValue))));
        problem = state.Layout.Magic != Magic ? "the supervisor's state is not one of fuse4fs"
            : state.Layout.Version != CurrentVersion ? Mismatch(state.Layout.Version, CurrentVersion)
            : null;
        if (problem is null)
            return state;
        state.Dispose();
        return null;
    }

    /// <summary>In words for the user: a program that speaks one version is to serve a mount that has another.</summary>
    public static string Mismatch(uint mounted, uint installed) => string.Create(
        CultureInfo.InvariantCulture,
        $"the installed program is of another version than this mount (state {installed}, the mount has {mounted}): install the former one, or unmount and mount again");

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    [StructLayout(LayoutKind.Sequential)]
    private struct StateLayout
    {
        public ulong Magic;
        public uint Version;
        public int SupervisorId;
        public ServeOptions Options;
        public Negotiated Negotiated;
        public ulong PrimingToken;
        public ImageRecord Image;
        public ImageRecord Journal;
        public Guid Volume;
        public long FilesystemStart;
        public SandboxParts Sandbox;
        public ServedVolume Served;
        public Milestones Milestones;
        public ResumeOrder Resume;
    }
}
