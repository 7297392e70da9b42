using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Inspection;
using Fuse4fs.Protocol;
using Fuse4fs.Supervisor;
using Handles;

namespace Fuse4fs.Commands;

/// <summary>
/// <c>handle</c> and <c>resolve</c>: from a path to its persistent handle, and back. A path on a mount is asked of the kernel, whose handle of it holds ours, and
/// the supervisor knows the filesystem; so the image need not be readable. The way back reads the image, on a mount the one behind it: open_by_handle_at(2)
/// needs privileges, and does not say why a handle is stale.
/// </summary>
internal static class HandleCommands
{
    /// <summary>Both.</summary>
    public static IEnumerable<Command> Build() => [Handle(), Resolve()];

    private static Command Handle()
    {
        var paths = new Argument<string[]>("PATH") { Description = "A file on a mount, or IMAGE:PATH, in an image that need not be mounted.", Arity = ArgumentArity.OneOrMore };
        Option<string[]> options = ImageArgument.Options();
        Option<bool> asJson = Json("one JSON object a handle, with the kernel's forms of it");
        var command = new Command("handle", "Shows the persistent handles of files: 32 hexadecimal digits, and inode:generation.") { paths, options, asJson };
        command.SetAction(parsed => parsed.GetValue(paths)!.Max(path =>
            ImageArgument.Guarded(() => ShowHandle(path, parsed.GetValue(options)!, parsed.GetValue(asJson)))));
        return command;
    }

    private static Command Resolve()
    {
        var place = new Argument<string>("IMAGE|MOUNTPOINT") { Description = "An image (IMAGE@WHICH: a partition of it), or where one is mounted." };
        var handle = new Argument<string>("HANDLE") { Description = $"What names a file: {HandleText.Forms}." };
        Option<string[]> options = ImageArgument.Options();
        Option<bool> asJson = Json("one JSON object");
        var command = new Command("resolve", $"Says which file a handle names, or that it is stale (exit code {ExitCode.Stale}), and why.") { place, handle, options, asJson };
        command.SetAction(parsed => ImageArgument.Guarded(() =>
            ShowFile(parsed.GetValue(place)!, parsed.GetValue(handle)!, parsed.GetValue(options)!, parsed.GetValue(asJson))));
        return command;
    }

    private static Option<bool> Json(string what) => new("--json") { Description = $"For programs: {what}." };

    private static int ShowHandle(string path, string[] options, bool asJson)
    {
        if (TryFind(path, options, out FileHandle handle, out uint? rawGeneration, out uint tag) is int failure)
            return failure;
        byte[] bytes = new byte[FileHandleEncoding.Size];
        FileHandleEncoding.Encode(handle, tag, bytes);
        string hex = Convert.ToHexStringLower(bytes);
        if (!asJson)
        {
            Output.Print($"{hex} {handle} {path}\n");
            return ExitCode.Success;
        }
        Output.PrintJson(json =>
        {
            json.WriteString("path", path);
            json.WriteString("handle", hex);
            json.WriteNumber("inode", handle.Inode);
            json.WriteNumber("generation", handle.Generation);
            json.WriteString("fuse", KernelFileHandle.OfFuse(handle).ToString());
            json.WriteString("ext4", rawGeneration is uint raw ? KernelFileHandle.OfExt4(handle.Inode, raw).ToString() : null);
        });
        return ExitCode.Success;
    }

    // Null when found; otherwise the exit code, the user having been told. The raw generation is known of images only.
    private static int? TryFind(string path, string[] options, out FileHandle handle, out uint? rawGeneration, out uint tag)
    {
        (handle, rawGeneration, tag) = (default, null, 0);
        byte[]? bytes = PathHandle.TryGet(path, out int mountId, out Errno errno);
        if (bytes is null && errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ENAMETOOLONG && SplitImage(path, options) is (ImagePlace place, string inside))
        {
            using ImageFiles image = ImageFiles.Open(place);
            FoundFile found = image.Find(inside);
            (handle, rawGeneration, tag) = (found.Handle, found.RawGeneration, image.Tag);
            return null;
        }
        if (bytes is null)
            throw new InspectionException($"{path}: {(errno == Errno.EOPNOTSUPP ? "its filesystem has no file handles, as a mount of fuse4fs would" : SystemCall.Describe(errno))}");
        MountEntry? mount = MountTable.Read().FirstOrDefault(entry => entry.Id == mountId);
        if (KernelFileHandle.Decode(bytes, out KernelFileHandle kernel) != KernelHandleDefect.None || !kernel.TryGetFuse(out handle))
            throw new InspectionException($"{path}: is on a mount of type {mount?.Type ?? "unknown"}, not of fuse4fs");
        ImageArgument.RefuseOptions(path, options);
        using JsonDocument? status = SupervisorCall.Ask(mount, mount?.MountPoint ?? path, new ControlRequest(ControlVerb.Status));
        if (status is null)
            return ExitCode.MountFailure;
        tag = FileHandleEncoding.VolumeTag(ImageArgument.VolumeOf(status).ToByteArray(bigEndian: true));
        return null;
    }

    // IMAGE:PATH. Both may have colons in them: the first one counts that stands behind something other than a directory.
    private static (ImagePlace Place, string Inside)? SplitImage(string text, string[] options)
    {
        for (int at = text.IndexOf(':', StringComparison.Ordinal); at >= 0; at = text.IndexOf(':', at + 1))
            if (at > 0 && ImageArgument.TryPlace(text[..at], options) is ImagePlace place)
                return (place, text[(at + 1)..]);
        return null;
    }

    private static int ShowFile(string place, string text, string[] options, bool asJson)
    {
        Func<ImageFiles, Resolution> question = HandleText.Parse(text) ?? throw new UsageException($"{text} is no handle: it takes {HandleText.Forms}.");
        using ImageFiles? image = ImageArgument.TryOpen(place, options);
        if (image is null)
            return ExitCode.MountFailure;
        Resolution found = question(image);
        if (asJson)
            Output.PrintJson(json => Write(json, text, found));
        else
            Output.Print(Describe(text, found));
        return found.Stale is null ? ExitCode.Success : ExitCode.Stale;
    }

    private static string Describe(string text, Resolution found)
    {
        if (found.Stale is not null)
            return $"{(found.Handle.Inode == 0 ? text : found.Handle.ToString())} is stale: {found.Why}\n";
        string missed = found.Unreadable == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {found.Unreadable} directories cannot be read");
        if (found.Path is null)
            return string.Create(CultureInfo.InvariantCulture, $"{found.Handle} is in use, but no path leads to it (links: {found.Links}{missed})\n");
        return found.Links == 1 ? $"{found.Handle} {found.Path}\n" : string.Create(CultureInfo.InvariantCulture, $"{found.Handle} {found.Path} (links: {found.Links}; the first is shown)\n");
    }

    private static void Write(Utf8JsonWriter json, string text, Resolution found)
    {
        json.WriteString("handle", text);
        json.WriteNumber("inode", found.Handle.Inode);
        json.WriteNumber("generation", found.Handle.Generation);
        json.WriteString("stale", found.Stale);
        if (found.Stale is not null)
        {
            json.WriteString("why", found.Why);
            return;
        }
        json.WriteString("path", found.Path);
        json.WriteNumber("links", found.Links);
        json.WriteNumber("rawGeneration", found.RawGeneration);
        json.WriteNumber("unreadableDirectories", found.Unreadable);
    }
}
