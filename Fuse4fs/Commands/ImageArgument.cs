using System.CommandLine;
using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Inspection;
using Fuse4fs.State;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>An image that a command looks into without mounting it: a file, read as the user's mount options say, or the one behind a mount, read as that reads it.</summary>
internal static class ImageArgument
{
    /// <summary>The options, as <c>mount</c> has them.</summary>
    public static Option<string[]> Options() => new("-o", "--options")
    {
        Description = "How to read an image, in words of mount: journal=, norecovery, partition=, offset=; the others make no difference here.",
        HelpName = "options",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    /// <summary>Does what a command is to do; what hinders it is said, and has an exit code.</summary>
    public static int Guarded(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (InspectionException e)
        {
            MountCommand.Say(e.Message);
            return ExitCode.MountFailure;
        }
        catch (MountException e)
        {
            MountCommand.Say(e.Message);
            return e.ExitCode;
        }
    }

    /// <summary>The place that a text names: an image, or one of its partitions (IMAGE@WHICH). Null if there is no such file.</summary>
    /// <exception cref="UsageException">The options are wrong.</exception>
    /// <exception cref="MountException">Both the text and the options name a partition.</exception>
    public static ImagePlace? TryPlace(string text, string[] options)
    {
        (string path, string? selector) = ImageFile.SplitSelector(text);
        if (FileStatus.Of(path, out _) is not { IsDirectory: false })
            return null;
        MountRequest request = MountOptions.Apply(new MountRequest { Image = text, MountPoint = "" }, options);
        ServeOptions serve = ImageFile.WithSelector(request.Serve, selector);
        return new ImagePlace(path, serve.Partition.IsEmpty ? null : serve.Partition.ToString())
        {
            Start = serve.HasImageOffset ? serve.ImageOffset : null,
            NoRecovery = serve.NoRecovery,
            Journal = request.Journal,
        };
    }

    /// <summary>The mount that a text names; null if it names none.</summary>
    /// <exception cref="UsageException">It does, and there are options, which are only for images.</exception>
    public static MountEntry? TryMount(string text, string[] options)
    {
        MountEntry? mount = MountTable.Find(NativePath.OfMountPoint(text));
        if (mount is null || !mount.Type.StartsWith("fuse", StringComparison.Ordinal)) // an image may be bound to its place, as in containers
            return null;
        RefuseOptions(text, options);
        return mount;
    }

    /// <summary>Refuses options for what is on a mount: it is read as the mount reads it.</summary>
    /// <exception cref="UsageException">There are some.</exception>
    public static void RefuseOptions(string text, string[] options)
    {
        if (options.Length != 0)
            throw new UsageException($"{text}: options are for images that are not mounted");
    }

    /// <summary>Opens the image that a text names: itself, or the one behind the mount. Null when the mount's supervisor does not answer, which the user has been told.</summary>
    /// <exception cref="InspectionException">It cannot be read; why, for the user.</exception>
    /// <exception cref="UsageException">The options are wrong.</exception>
    public static ImageFiles? TryOpen(string text, string[] options) =>
        TryMount(text, options) is MountEntry mount ? TryOpenBehind(mount, text) : OpenFile(text, options);

    /// <summary>Opens an image.</summary>
    /// <exception cref="InspectionException">There is none, or it cannot be read.</exception>
    /// <exception cref="UsageException">The options are wrong.</exception>
    public static ImageFiles OpenFile(string text, string[] options) =>
        ImageFiles.Open(TryPlace(text, options) ?? throw new InspectionException($"{text}: is neither an image nor a mount of fuse4fs"));

    /// <summary>The UUID of the filesystem in a supervisor's report.</summary>
    public static Guid VolumeOf(JsonDocument status) => Guid.Parse(status.RootElement.GetProperty("uuid").GetString()!);

    private static ImageFiles? TryOpenBehind(MountEntry mount, string shown)
    {
        using JsonDocument? status = SupervisorCall.Ask(mount, shown, new ControlRequest(ControlVerb.Status));
        if (status is null)
            return null;
        JsonElement json = status.RootElement;
        // As the worker opened it: the same filesystem of the disk, the same journal.
        ImageFiles image = ImageFiles.Open(new ImagePlace(json.GetProperty("imagePath").GetString()!, Selector: null)
        {
            Start = json.GetProperty("start").GetInt64(),
            NoRecovery = json.GetProperty("norecovery").GetBoolean(),
            Journal = json.GetProperty("journal").GetString(),
        });
        if (image.Volume == VolumeOf(status))
            return image;
        image.Dispose();
        throw new InspectionException($"{shown}: its image holds another filesystem now");
    }
}
