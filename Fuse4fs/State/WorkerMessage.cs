namespace Fuse4fs.State;

/// <summary>
/// What supervisor and worker say to each other over their socket: one byte, in some cases with words behind it. The rest of what they
/// share is in <see cref="SessionState"/>.
/// </summary>
internal enum WorkerMessage : byte
{
    /// <summary>Worker: the image is good; I wait for the device.</summary>
    Ready = 1,

    /// <summary>Worker: I do not serve this image. The reason follows, in UTF-8.</summary>
    Refused = 2,

    /// <summary>Supervisor: the mount is there and negotiated. Comes with the device's open file.</summary>
    Go = 3,

    /// <summary>Worker: nothing former is visible any more. The counts are in the state.</summary>
    Current = 4,

    /// <summary>Supervisor: finish what you have in hand, take nothing new. Whoever waits in a read is ended all the same.</summary>
    Stop = 5,

    /// <summary>Worker: this is another filesystem than the one that was mounted. The reason follows, in UTF-8.</summary>
    OtherVolume = 6,

    /// <summary>Worker: I cannot read this state, for I am of another version than the supervisor. The reason follows, in UTF-8. (The numbers of this list never change.)</summary>
    OtherVersion = 7,

    /// <summary>Worker: after a write to the image, every request is answered again. Without one, they are from <see cref="Go"/> on.</summary>
    Answering = 8,

    /// <summary>Supervisor: this empty directory, an open file, is to be your whole filesystem. Before <see cref="Image"/>.</summary>
    Root = 9,

    /// <summary>Supervisor: the external journal, an open file. Before <see cref="Image"/>; only where <see cref="ServeOptions.HasJournal"/> says so.</summary>
    Journal = 10,

    /// <summary>Supervisor: the image, an open file: begin. Whoever has not been given a <see cref="State"/> has a supervisor of another version.</summary>
    Image = 11,

    /// <summary>Supervisor: the memfd of <see cref="SessionState"/>, ready to be read. Before all others.</summary>
    State = 12,
}

/// <summary>
/// The numbers under which a worker finds what it is started with. The rest comes over the channel, so that a worker can be started before there is
/// an image to give it. 2 is the log: one line each, <c>&lt;level&gt;text</c>.
/// </summary>
internal static class WorkerDescriptors
{
    /// <summary>The one argument of a worker's command line. Not for people.</summary>
    public const string Argument = "__worker";

    /// <summary>The same for a process that only prints the version of the state that it speaks: what would start as a worker, if one were started now?</summary>
    public const string VersionArgument = "__state-version";

    /// <summary>The log.</summary>
    public const int Log = 2;

    /// <summary>The socket for <see cref="WorkerMessage"/>.</summary>
    public const int Channel = 3;
}
