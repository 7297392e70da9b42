using System.Globalization;

namespace EndToEnd.Tests.Nfs;

/// <summary>NFS version 3 (RFC 1813).</summary>
internal sealed class Nfs3Client : NfsClient
{
    private const uint GetAttr = 1, LookupName = 3, ReadLinkText = 5, ReadFile = 6, ReadDir = 16;
    private const uint MountProgram = 100005, Mnt = 1;
    private readonly byte[] _root;

    public Nfs3Client(int port, int mountPort, string export) : base(new RpcConnection(port, Program, 3))
    {
        using var mount = new RpcConnection(mountPort, MountProgram, 3);
        XdrReader reply = mount.Call(Mnt, new XdrWriter().AddText(export));
        uint status = reply.Word();
        _root = status == 0 ? reply.Counted() : throw new NfsException("MNT " + export, status);
    }

    public override byte[] Find(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(_root, Lookup);

    public byte[] Lookup(byte[] folder, string name) => Call("LOOKUP", LookupName, new XdrWriter().AddCounted(folder).AddText(name)).Counted();

    public override byte[] Read(byte[] file, long offset, int count)
    {
        XdrReader reply = Call("READ", ReadFile, new XdrWriter().AddCounted(file).Add((ulong)offset).Add((uint)count));
        SkipAttributes(reply);
        _ = reply.Word(); // their number, which the bytes tell again
        _ = reply.Flag(); // whether the end was reached
        return reply.Counted();
    }

    public string ReadLink(byte[] link)
    {
        XdrReader reply = Call("READLINK", ReadLinkText, new XdrWriter().AddCounted(link));
        SkipAttributes(reply);
        return reply.Text();
    }

    public override NfsListing List(byte[] folder, NfsListing after)
    {
        XdrReader reply = Call("READDIR", ReadDir, new XdrWriter().AddCounted(folder).Add(after.Cookie).Add(after.Verifier).Add(4096u));
        SkipAttributes(reply);
        byte[] verifier = reply.Constant(8);
        ulong cookie = after.Cookie;
        List<string> names = [];
        while (reply.Flag())
        {
            _ = reply.Long(); // the inode
            string name = reply.Text();
            cookie = reply.Long();
            if (name is not ("." or ".."))
                names.Add(name);
        }
        return new NfsListing(names, cookie, verifier, reply.Flag());
    }

    public override byte[] Attributes(byte[] file) => Call("GETATTR", GetAttr, new XdrWriter().AddCounted(file)).Constant(84);

    /// <summary>Attributes by the names that <see cref="TestSupport.Trees.Tree"/> has for them.</summary>
    public SortedDictionary<string, string> Record(byte[] file)
    {
        var raw = new XdrReader(Attributes(file));
        uint type = raw.Word(), mode = raw.Word(), links = raw.Word(), owner = raw.Word(), group = raw.Word();
        ulong size = raw.Long(), used = raw.Long();
        (uint major, uint minor) = (raw.Word(), raw.Word());
        _ = raw.Long(); // the filesystem's id
        CultureInfo plain = CultureInfo.InvariantCulture;
        return new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["type"] = type is >= 1 and <= 7 ? "fdbclsp"[(int)type - 1].ToString() : "?",
            ["mode"] = Convert.ToString(mode, 8),
            ["links"] = links.ToString(plain),
            ["owner"] = $"{owner}:{group}",
            ["size"] = size.ToString(plain),
            ["blocks"] = (used / 512).ToString(plain),
            ["device"] = $"{major}:{minor}",
            ["inode"] = raw.Long().ToString(plain),
            ["atime"] = Time(raw),
            ["mtime"] = Time(raw),
            ["ctime"] = Time(raw),
        };
    }

    private static string Time(XdrReader raw) => string.Create(CultureInfo.InvariantCulture, $"{raw.Word()}.{raw.Word():D9}");

    private static void SkipAttributes(XdrReader reply)
    {
        if (reply.Flag())
            _ = reply.Constant(84);
    }

    private XdrReader Call(string name, uint procedure, XdrWriter arguments)
    {
        XdrReader reply = Connection.Call(procedure, arguments);
        uint status = reply.Word();
        return status == 0 ? reply : throw new NfsException(name, status);
    }
}
