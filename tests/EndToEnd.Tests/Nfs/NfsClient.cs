namespace EndToEnd.Tests.Nfs;

/// <summary>An error that an NFS server has answered; the numbers are those of errno, as far as both have them.</summary>
internal sealed class NfsException(string operation, uint status) : IOException($"{operation}: NFS status {status}")
{
    public const uint NotFound = 2, Stale = 70;

    public uint Status { get; } = status;
}

/// <summary>Some of a directory: its names, and where to go on.</summary>
internal sealed record NfsListing(IReadOnlyList<string> Names, ulong Cookie, byte[] Verifier, bool IsEnd)
{
    /// <summary>Where a listing begins.</summary>
    public static NfsListing Start { get; } = new([], 0, new byte[8], false);
}

/// <summary>A client that knows files by their NFS handles and keeps nothing else: no names, no contents, no attributes.</summary>
internal abstract class NfsClient(RpcConnection connection) : IDisposable
{
    /// <summary>Of versions 3 and 4.</summary>
    protected const uint Program = 100003;

    protected RpcConnection Connection { get; } = connection;

    /// <summary>The handle of what a path below the export leads to.</summary>
    public abstract byte[] Find(string path);

    /// <summary>A piece of a file.</summary>
    public abstract byte[] Read(byte[] file, long offset, int count);

    /// <summary>The next names of a directory, some dozens, without "." and "..".</summary>
    public abstract NfsListing List(byte[] folder, NfsListing after);

    /// <summary>What a client would decide by whether its caches still hold, and all the attributes around it, as the server sent them.</summary>
    public abstract byte[] Attributes(byte[] file);

    public string ReadAll(byte[] file)
    {
        var text = new System.Text.StringBuilder();
        byte[] piece;
        while ((piece = Read(file, text.Length, 65536)).Length > 0)
            text.Append(System.Text.Encoding.Latin1.GetString(piece));
        return text.ToString();
    }

    public IEnumerable<string> ListAll(byte[] folder)
    {
        for (NfsListing some = NfsListing.Start; !some.IsEnd;)
        {
            some = List(folder, some);
            foreach (string name in some.Names)
                yield return name;
        }
    }

    public void Dispose() => Connection.Dispose();
}
