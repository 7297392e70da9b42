using System.Globalization;
using Fuse4fs.State;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>A word on the command line that means nothing here.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>The words behind <c>-o</c>, by the names that users of mount(8) and fuse2fs(1) know.</summary>
internal static class MountOptions
{
    // What fstab may say and what has no meaning, or no other, for an image that is only read.
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "defaults", "ro", "async", "sync", "dirsync", "auto", "noauto", "nofail", "_netdev", "user", "nouser", "users", "owner", "group",
        "relatime", "norelatime", "strictatime", "nostrictatime", "lazytime", "nolazytime",
        "iversion", "noiversion", "mand", "nomand", "silent", "loud", "user_xattr", "nodelalloc", "noblock_validity",
    };

    /// <summary>Reads a list of options into a request.</summary>
    /// <param name="request">What has been asked for so far.</param>
    /// <param name="lists">Each the text behind one <c>-o</c>: words with commas between them. Later words win.</param>
    /// <exception cref="UsageException">A word that is unknown, lacks its value or has a bad one.</exception>
    public static MountRequest Apply(MountRequest request, IEnumerable<string> lists)
    {
        foreach (string list in lists)
            foreach (string word in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
                request = ApplyOne(request, word);
        return request.Serve is { HasImageOffset: true, Partition.IsEmpty: false }
            ? throw new UsageException("mount options 'offset' and 'partition' exclude each other")
            : request;
    }

    private static MountRequest ApplyOne(MountRequest request, string word)
    {
        int equals = word.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? word : word[..equals];
        string? value = equals < 0 ? null : word[(equals + 1)..];
        ServeOptions serve = request.Serve;
        switch (name)
        {
            case "rw":
                return request with { Warnings = [.. request.Warnings, "mounted read-only: fuse4fs does not write to images (option rw)"] };
            case "offset":
                return request with { Serve = serve with { ImageOffset = Size(name, value), HasImageOffset = true } };
            case "partition":
                return request with { Serve = serve with { Partition = Partition(name, value) } };
            case "uid":
                return request with { Serve = serve with { UserId = Number(name, value, uint.MaxValue - 1) } };
            case "gid":
                return request with { Serve = serve with { GroupId = Number(name, value, uint.MaxValue - 1) } };
            case "threads":
                return request with { Serve = serve with { Threads = (int)Math.Max(1, Number(name, value, 64)) } };
            case "norecovery" or "noload":
                return request with { Serve = serve with { NoRecovery = Flag(name, value) } };
            case "verity":
                return request with { Serve = serve with { VerifyContent = Verity(value) } };
            case "journal" or "journal_path":
                return request with { Journal = Text(name, value), Serve = serve with { HasJournal = true } };
            case "minixdf" or "bsddf":
                return request with { Serve = serve with { MinixDf = Flag(name, value) && name == "minixdf" } };
            case "allow_other" or "noallow_other":
                return request with { AllowOther = Flag(name, value) && name == "allow_other" };
            case "default_permissions" or "nodefault_permissions":
                return request with { DefaultPermissions = Flag(name, value) && name == "default_permissions" };
            case "fakeroot":
                return request with { DefaultPermissions = !Flag(name, value), NoSetUserId = true, NoDevices = true };
            case "kernel":
                return request with { AllowOther = Flag(name, value), DefaultPermissions = true, NoSetUserId = false, NoDevices = false, Acl = true };
            case "acl" or "noacl":
                return request with { Acl = Flag(name, value) && name == "acl" };
            case "suid" or "nosuid":
                return request with { NoSetUserId = Flag(name, value) && name == "nosuid" };
            case "dev" or "nodev":
                return request with { NoDevices = Flag(name, value) && name == "nodev" };
            case "exec" or "noexec":
                return request with { NoExecute = Flag(name, value) && name == "noexec" };
            case "atime" or "noatime":
                return request with { NoAccessTime = Flag(name, value) && name == "noatime" };
            case "diratime" or "nodiratime":
                return request with { NoDirectoryAccessTime = Flag(name, value) && name == "nodiratime" };
            case "fsname":
                return request with { SourceName = Text(name, value) };
            case "subtype":
                return request with { Subtype = Text(name, value) };
            case "readdirplus":
                return request with { ReadDirPlus = ReadDirPlus(value) };
            case "lookup_handle":
                return request with { LookupHandle = LookupHandle(value) };
            case "comment":
                return request;
            default:
                return name.StartsWith("x-", StringComparison.Ordinal) || (Ignored.Contains(name) && value is null)
                    ? request
                    : throw new UsageException($"unknown mount option '{word}'; fuse4fs mount --help lists them");
        }
    }

    private static bool Flag(string name, string? value) =>
        value is null ? true : throw new UsageException($"mount option '{name}' takes no value");

    private static string Text(string name, string? value) =>
        !string.IsNullOrEmpty(value) ? value : throw new UsageException($"mount option '{name}' needs a value: {name}=…");

    private static ShortText Partition(string name, string? value) =>
        ShortText.TryFrom(Text(name, value), out ShortText text)
            ? text
            : throw new UsageException($"mount option '{name}' is longer than any partition's name: at most {ShortText.Capacity} bytes");

    private static long Number(string name, string? value, long most) =>
        long.TryParse(Text(name, value), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= most
            ? number
            : throw new UsageException($"mount option '{name}' needs a number up to {most}, not '{value}'");

    // As losetup(8): bytes, or with a suffix K, M, G, T (KiB, MiB, GiB, TiB too) in powers of 1024.
    private static long Size(string name, string? value)
    {
        string text = Text(name, value);
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        string suffix = digits < 0 ? "" : text[digits..];
        int shift = suffix switch
        {
            "" => 0,
            "K" or "k" or "KiB" => 10,
            "M" or "m" or "MiB" => 20,
            "G" or "g" or "GiB" => 30,
            "T" or "t" or "TiB" => 40,
            _ => -1,
        };
        return shift >= 0
            && long.TryParse(text[..(digits < 0 ? text.Length : digits)], NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= long.MaxValue >> shift
            ? number << shift
            : throw new UsageException($"mount option '{name}' needs a number of bytes (or with K, M, G), not '{value}'");
    }

    private static bool Verity(string? value) => value switch
    {
        "verify" => true,
        "ignore" => false,
        _ => throw new UsageException($"mount option 'verity' is verify or ignore, not '{value}'"),
    };

    private static LookupHandleMode LookupHandle(string? value) => value switch
    {
        "off" => LookupHandleMode.Off,
        "v2" => LookupHandleMode.V2,
        "v3" => LookupHandleMode.V3,
        "auto" => LookupHandleMode.Auto,
        _ => throw new UsageException($"mount option 'lookup_handle' is off, v2, v3 or auto, not '{value}'"),
    };

    private static ReadDirPlusMode ReadDirPlus(string? value) => value switch
    {
        "always" => ReadDirPlusMode.Always,
        "auto" => ReadDirPlusMode.Auto,
        "no" => ReadDirPlusMode.No,
        _ => throw new UsageException($"mount option 'readdirplus' is always, auto or no, not '{value}'"),
    };
}
