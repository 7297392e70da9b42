using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Fuse4fs.Commands;

/// <summary>A supervisor's report, for people.</summary>
internal static class StatusText
{
    private static readonly Dictionary<string, string> Limitations = new(StringComparer.Ordinal)
    {
        ["EncryptedWithoutKeys"] = "encrypted files are names without contents (no keys)",
        ["NotRecovered"] = "the journal needs replay and is not replayed (norecovery)",
        ["VerityUnchecked"] = "sealed files are not checked (verity=verify does)",
        ["NoBirthTimes"] = "inodes without birth time: of generation 0, a reused number is not told from the file before",
    };

    private static readonly Dictionary<string, string> SandboxParts = new(StringComparer.Ordinal)
    {
        ["NoNewPrivileges"] = "no new privileges",
        ["EmptyRoot"] = "empty root",
        ["Unprivileged"] = "unprivileged user",
        ["SyscallFilter"] = "system call filter",
        ["MemoryLimit"] = "memory limit",
    };

    /// <summary>The text, several lines. A supervisor outlives upgrades, so one of another version may answer, in other words: they are shown as they come.</summary>
    public static string Of(string target, JsonElement json)
    {
        try
        {
            return Lines(target, json);
        }
        catch (KeyNotFoundException)
        {
            return $"{target}: served by a supervisor of another version of fuse4fs, which says:\n{Printable(json.GetRawText())}\n";
        }
    }

    private static string Lines(string target, JsonElement json)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{target}: {Word(json, "image")}\n");
        string reason = Word(json, "reason");
        Line("state", $"{Word(json, "phase")}{(json.GetProperty("current").GetBoolean() ? ", current" : "")}{(reason.Length == 0 ? "" : ": " + reason)}");
        string label = Word(json, "label");
        Line("filesystem", (label.Length == 0 ? "" : $"'{label}', ") + Word(json, "uuid"));
        if (json.GetProperty("limited").GetArrayLength() != 0)
            Line("limited", Names(json, "limited", Limitations, "; "));
        string worker = json.GetProperty("worker").GetInt32() is 0 ? "no worker" : $"worker {json.GetProperty("worker")}, up {json.GetProperty("workerUptimeSeconds")} s";
        Line("processes", $"supervisor {json.GetProperty("supervisor")}, up {json.GetProperty("uptimeSeconds")} s; {worker}; {json.GetProperty("starts")} starts, {json.GetProperty("deaths")} deaths");
        foreach (JsonElement restart in json.GetProperty("restarts").EnumerateArray())
        {
            long waited = restart.GetProperty("waitedMilliseconds").GetInt64();
            Line("restart", $"{Word(restart, "at")} {Word(restart, "why")}; requests {(waited < 0 ? "wait" : $"waited {waited} ms")}");
        }
        JsonElement pass = json.GetProperty("lastPass");
        Line("inodes", $"{json.GetProperty("knownInodes")} known{(pass.GetProperty("overflowed").GetBoolean() ? " and more (the table is full)" : "")}"
            + (pass.GetProperty("known").GetInt64() == 0 ? "" : $"; when the image was last found written: {pass.GetProperty("unchanged")} unchanged, {pass.GetProperty("changed")} changed, {pass.GetProperty("stale")} stale"));
        JsonElement kernel = json.GetProperty("kernel");
        Line("kernel", $"FUSE {Word(kernel, "protocol")}: {(kernel.GetProperty("resend").GetBoolean() ? "RESEND" : "no RESEND (requests in a dead worker's hands get EIO)")}, "
            + $"{(kernel.GetProperty("epoch").GetBoolean() ? "INC_EPOCH" : "no INC_EPOCH (names are cached for a second)")}, "
            + $"{(Word(kernel, "lookupHandle") is "Stock" ? "" : $"LOOKUP_HANDLE ({Word(kernel, "lookupHandle")}), ")}{Names(kernel, "capabilities", [], ", ")}");
        string lacks = Names(json, "sandboxLacks", SandboxParts, ", ");
        Line("sandbox", !json.GetProperty("sandboxWanted").GetBoolean() ? "none (--no-sandbox)" : Names(json, "sandbox", SandboxParts, ", ") + (lacks.Length == 0 ? "" : "; lacks " + lacks));
        Line("requests", Pairs(json.GetProperty("requests")));
        Line("errors", Pairs(json.GetProperty("errors")));
        return text.ToString();

        void Line(string name, string words) => text.Append(CultureInfo.InvariantCulture, $"  {name,-10} {words}\n");
    }

    /// <summary>What a restart has brought: how long requests waited, what became of known inodes, and whom that concerns.</summary>
    public static string OfRestart(JsonElement json)
    {
        try
        {
            return RestartLines(json);
        }
        catch (KeyNotFoundException)
        {
            return ""; // as above; that it was done has been said
        }
    }

    private static string RestartLines(JsonElement json)
    {
        const int Shown = 20;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"requests waited {json.GetProperty("waitedMilliseconds").GetInt64()} ms\n");
        JsonElement pass = json.GetProperty("lastPass");
        if (pass.GetProperty("start").GetInt64() != json.GetProperty("starts").GetInt64())
            return text.Append("the image was not written: all that is cached stays\n").ToString();
        text.Append(CultureInfo.InvariantCulture, $"known inodes: {pass.GetProperty("unchanged")} unchanged, {pass.GetProperty("changed")} changed, {pass.GetProperty("stale")} stale\n");
        JsonElement holders = json.GetProperty("holders");
        foreach (JsonElement holder in holders.EnumerateArray().Take(Shown))
            text.Append(CultureInfo.InvariantCulture, $"{Word(holder, "verdict")}: inode {holder.GetProperty("inode")} (last known as {Word(holder, "path")}, held by {holder.GetProperty("process")} {Word(holder, "command")} as {Word(holder, "as")})\n");
        int more = holders.GetArrayLength() - Shown + json.GetProperty("holdersLeftOut").GetInt32();
        if (more > 0)
            text.Append(CultureInfo.InvariantCulture, $"and {more} more (fuse4fs status --json)\n");
        if (!json.GetProperty("holdersAreAll").GetBoolean())
            text.Append("not all processes could be looked at in time\n");
        return text.ToString();
    }

    /// <summary>Text that may come from an image or from file names: what could act on a terminal is shown as a question mark.</summary>
    public static string Printable(string text) => string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));

    private static string Word(JsonElement json, string name) => Printable(json.GetProperty(name).GetString()!);

    private static string Names(JsonElement json, string name, Dictionary<string, string> words, string between) =>
        string.Join(between, json.GetProperty(name).EnumerateArray().Select(one => words.GetValueOrDefault(one.GetString()!, one.GetString()!)));

    private static string Pairs(JsonElement json)
    {
        string pairs = string.Join(", ", json.EnumerateObject().Select(pair => $"{pair.Name} {pair.Value}"));
        return pairs.Length == 0 ? "none" : pairs;
    }
}
