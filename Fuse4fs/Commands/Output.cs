using System.Text;
using System.Text.Json;
using Fuse4fs.Device;

namespace Fuse4fs.Commands;

/// <summary>What a command says on standard output.</summary>
internal static class Output
{
    /// <summary>Prints text as it is.</summary>
    public static void Print(string text) => _ = new Descriptor(1).Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Prints one JSON object, on a line.</summary>
    public static void PrintJson(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        Print(Encoding.UTF8.GetString(stream.ToArray()) + "\n");
    }
}
