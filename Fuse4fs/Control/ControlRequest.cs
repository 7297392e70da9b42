using System.Text.Json;

namespace Fuse4fs.Control;

/// <summary>What can be asked of a supervisor.</summary>
internal enum ControlVerb
{
    /// <summary>Nothing: the caller wants to see the connection end.</summary>
    Wait,

    /// <summary>How things stand.</summary>
    Status,

    /// <summary>End the worker; requests wait.</summary>
    Pause,

    /// <summary>Start the next worker.</summary>
    Resume,

    /// <summary>Both, with something done in between.</summary>
    Restart,
}

/// <summary>One request, a line of JSON on the socket.</summary>
internal sealed record ControlRequest(ControlVerb Verb)
{
    /// <summary>Pause: by SIGKILL, whatever the worker is doing.</summary>
    public bool Kill { get; init; }

    /// <summary>Pause: go on at once.</summary>
    public bool ThenResume { get; init; }

    /// <summary>Restart: with e2fsck.</summary>
    public bool Fsck { get; init; }

    /// <summary>Restart: e2fsck's arguments, separated by spaces; empty for its own choice here.</summary>
    public string FsckArguments { get; init; } = "";

    /// <summary>Restart: a command for the shell, or empty.</summary>
    public string Exec { get; init; } = "";

    /// <summary>Restart: have the kernel drop all it knows.</summary>
    public bool DropCaches { get; init; }

    /// <summary>Restart, pause, resume: though an overlayfs stands on the mount.</summary>
    public bool Force { get; init; }

    /// <summary>As a line, with its newline.</summary>
    public byte[] ToLine()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("do", Verb.ToString());
            json.WriteBoolean("kill", Kill);
            json.WriteBoolean("resume", ThenResume);
            json.WriteBoolean("fsck", Fsck);
            json.WriteString("fsckArguments", FsckArguments);
            json.WriteString("exec", Exec);
            json.WriteBoolean("dropCaches", DropCaches);
            json.WriteBoolean("force", Force);
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>Null for a line that is none of ours.</summary>
    public static ControlRequest? TryParse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement json = document.RootElement;
            if (json.ValueKind != JsonValueKind.Object || !Enum.TryParse(Text(json, "do"), out ControlVerb verb))
                return null;
            return new ControlRequest(verb)
            {
                Kill = Flag(json, "kill"),
                ThenResume = Flag(json, "resume"),
                Fsck = Flag(json, "fsck"),
                FsckArguments = Text(json, "fsckArguments"),
                Exec = Text(json, "exec"),
                DropCaches = Flag(json, "dropCaches"),
                Force = Flag(json, "force"),
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Flag(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
