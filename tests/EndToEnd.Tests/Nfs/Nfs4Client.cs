namespace EndToEnd.Tests.Nfs;

/// <summary>NFS version 4.0 (RFC 7530), with the stateid that stands for no open at all.</summary>
internal sealed class Nfs4Client(int port, string export) : NfsClient(new RpcConnection(port, Program, 4))
{
    private const uint Compound = 1, GetAttr = 9, GetHandle = 10, LookupName = 15, PutHandle = 22, PutRoot = 24, ReadFile = 25, ReadDir = 26;

    public override byte[] Find(string path)
    {
        string[] names = $"{export}/{path}".Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Call([Operation(PutRoot), .. names.Select(name => Operation(LookupName).AddText(name)), Operation(GetHandle)]).Counted();
    }

    public override byte[] Read(byte[] file, long offset, int count)
    {
        XdrReader reply = Call([Put(file), Operation(ReadFile).Add(new byte[16]).Add((ulong)offset).Add((uint)count)]);
        _ = reply.Flag(); // whether the end was reached
        return reply.Counted();
    }

    public override NfsListing List(byte[] folder, NfsListing after)
    {
        XdrReader reply = Call([Put(folder), Operation(ReadDir).Add(after.Cookie).Add(after.Verifier).Add(4096u).Add(4096u).Add(0u)]);
        byte[] verifier = reply.Constant(8);
        ulong cookie = after.Cookie;
        List<string> names = [];
        while (reply.Flag())
        {
            cookie = reply.Long();
            names.Add(reply.Text());
            for (uint words = reply.Word(); words > 0; words--)
                _ = reply.Word();
            _ = reply.Counted(); // no attributes
        }
        return new NfsListing(names, cookie, verifier, reply.Flag());
    }

    /// <inheritdoc/>
    /// <remarks>type, change, size, fsid, fileid; mode, numlinks, space_used, time_access, time_metadata, time_modify</remarks>
    public override byte[] Attributes(byte[] file) =>
        Call([Put(file), Operation(GetAttr).Add(2u).Add(Bits(1, 3, 4, 8, 20)).Add(Bits(33 - 32, 35 - 32, 45 - 32, 47 - 32, 52 - 32, 53 - 32))]).Rest;

    /// <summary>The change attribute, by which a client's caches stand or fall.</summary>
    public ulong Change(byte[] file)
    {
        XdrReader reply = Call([Put(file), Operation(GetAttr).Add(1u).Add(Bits(3))]);
        for (uint words = reply.Word(); words > 0; words--)
            _ = reply.Word();
        return new XdrReader(reply.Counted()).Long();
    }

    private static uint Bits(params int[] numbers) => numbers.Aggregate(0u, (bits, number) => bits | (1u << number));

    private static XdrWriter Operation(uint number) => new XdrWriter().Add(number);

    private static XdrWriter Put(byte[] handle) => Operation(PutHandle).AddCounted(handle);

    // What the last operation answers; the others answer their status only.
    private XdrReader Call(XdrWriter[] operations)
    {
        XdrWriter arguments = new XdrWriter().AddText("").Add(0u).Add((uint)operations.Length); // no tag, minor version 0
        foreach (XdrWriter operation in operations)
            _ = arguments.Add(operation.ToArray());
        XdrReader reply = Connection.Call(Compound, arguments);
        _ = reply.Word();
        _ = reply.Counted();
        for (uint left = reply.Word(); ; left--)
        {
            (uint operation, uint status) = (reply.Word(), reply.Word());
            if (status != 0)
                throw new NfsException($"operation {operation}", status);
            if (left == 1)
                return reply;
        }
    }
}
