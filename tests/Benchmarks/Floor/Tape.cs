using System.Diagnostics.CodeAnalysis;

namespace Benchmarks.Floor;

/// <summary>Replies by the request that they answer.</summary>
internal sealed class Tape
{
    private readonly Dictionary<byte[], byte[]> _replies = new(new ByteComparer());

    /// <summary>How many replies there are.</summary>
    public int Count => _replies.Count;

    /// <summary>A tape from a file; an empty one where there is none.</summary>
    public static Tape Load(string path)
    {
        var tape = new Tape();
        if (!File.Exists(path))
            return tape;
        using var reader = new BinaryReader(new BufferedStream(File.OpenRead(path), 1 << 20));
        for (int count = reader.ReadInt32(); count > 0; count--)
            tape._replies[reader.ReadBytes(reader.ReadInt32())] = reader.ReadBytes(reader.ReadInt32());
        return tape;
    }

    /// <summary>Writes the tape to a file.</summary>
    public void Save(string path)
    {
        using (var writer = new BinaryWriter(new BufferedStream(File.Create(path + ".part"), 1 << 20)))
        {
            writer.Write(_replies.Count);
            foreach ((byte[] request, byte[] reply) in _replies)
            {
                writer.Write(request.Length);
                writer.Write(request);
                writer.Write(reply.Length);
                writer.Write(reply);
            }
        }
        File.Move(path + ".part", path, overwrite: true);
    }

    /// <summary>The whole reply to a request, its unique number excepted.</summary>
    public bool TryGet(ReadOnlySpan<byte> request, [NotNullWhen(true)] out byte[]? reply) =>
        _replies.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(request, out reply);

    /// <summary>Notes a reply. Not while others read.</summary>
    public void Add(ReadOnlySpan<byte> request, ReadOnlySpan<byte> reply) => _replies[request.ToArray()] = reply.ToArray();

    private sealed class ByteComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
