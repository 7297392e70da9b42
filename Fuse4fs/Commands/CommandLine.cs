using System.CommandLine;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>The verbs, their arguments and their help. What they do is in a class each.</summary>
internal static class CommandLine
{
    private const string OptionsHelp = """
        Mount options, separated by commas:
          ro                    read-only, always; rw is accepted with a warning
          partition=WHICH       which partition of a whole disk: its number (0: no partition, the disk itself), the
                                label or UUID of its ext filesystem, its GPT name or its PARTUUID; LABEL=, UUID=,
                                PARTLABEL= or PARTUUID= may stand before it. The same as IMAGE@WHICH. Not needed where
                                only one partition has an ext filesystem
          offset=BYTES          where the filesystem starts in the image (K, M, G may follow); no partition table is read
          allow_other, noallow_other
                                others than the mounting user may use the mount (default for root)
          default_permissions, nodefault_permissions
                                the kernel checks modes and owners (default)
          acl, noacl            the kernel checks POSIX ACLs, too (default)
          uid=N, gid=N          everything belongs to this user, group
          fakeroot              nobody's permissions are checked
          verity=verify|ignore  check sealed files against their Merkle trees (default: ignore)
          norecovery, noload    show the image as it lies, without its journal
          journal=PATH          the image's external journal, a file or device (also: journal_path=PATH)
          minixdf, bsddf        df counts the filesystem's own blocks, or not (default)
          suid, dev, exec, nosuid, nodev, noexec
                                default: nosuid,nodev,exec
          readdirplus=always|auto|no
                                attributes along with names (default: always)
          lookup_handle=off|v2|v3|auto
                                as --lookup-handle
          threads=N             threads that answer requests
          fsname=NAME, subtype=NAME
                                source and type in the mount table
        The generic options of fstab(5) are accepted.
        """;

    /// <summary>All commands.</summary>
    /// <param name="mount">What mounts; null for <see cref="MountCommand.Run"/>.</param>
    public static RootCommand Build(Func<MountRequest, int>? mount = null)
    {
        var root = new RootCommand("Serves ext2, ext3 and ext4 images over FUSE by persistent file handles.")
        {
            Mount(mount ?? MountCommand.Run),
            Unmount(),
        };
        foreach (Command command in ServiceCommands.Build())
            root.Add(command);
        foreach (Command command in HandleCommands.Build())
            root.Add(command);
        root.Add(FsidCommand.Build());
        return root;
    }

    private static Command Mount(Func<MountRequest, int> run)
    {
        var image = new Argument<string>("IMAGE") { Description = "An image file or a block device. IMAGE@WHICH: a partition of it (see partition= below)." };
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "A directory." };
        var options = new Option<string[]>("-o", "--options")
        {
            Description = OptionsHelp,
            HelpName = "options",
            AllowMultipleArgumentsPerToken = false,
            DefaultValueFactory = _ => [],
        };
        var foreground = new Option<bool>("--foreground", "-f") { Description = "Stay in the foreground and log to stderr." };
        var log = new Option<string?>("--log") { Description = "Append log lines to this file instead.", HelpName = "file" };
        var onCrash = new Option<OnCrash>("--on-crash") { Description = "When a worker dies: restart (default), fsck first, or stop.", HelpName = "restart|fsck|stop" };
        var maxRestarts = new Option<int>("--max-restarts") { Description = "Give up after so many deaths without an answer between them; 0: never (default: 10).", HelpName = "n", DefaultValueFactory = _ => 10 };
        var watchdog = new Option<int>("--watchdog") { Description = "Replace a worker that is at one request for so long (default: never).", HelpName = "seconds" };
        var lookupHandle = new Option<LookupHandleMode>("--lookup-handle") { Description = "Tell the kernel handles, in a form that only patched kernels speak: v2, v3, or auto for what the kernel offers (default: off).", HelpName = "off|v2|v3|auto" };
        var noSandbox = new Option<bool>("--no-sandbox") { Description = "Workers keep their privileges: for debugging." };
        var command = new Command("mount", "Mounts an image; returns when the mount answers.") { image, mountPoint, options, foreground, log, onCrash, maxRestarts, watchdog, lookupHandle, noSandbox };
        command.SetAction(parsed =>
        {
            var request = new MountRequest
            {
                Image = parsed.GetValue(image)!,
                MountPoint = parsed.GetValue(mountPoint)!,
                Foreground = parsed.GetValue(foreground),
                LogFile = parsed.GetValue(log),
                OnCrash = parsed.GetValue(onCrash),
                MaxRestarts = parsed.GetValue(maxRestarts),
                Watchdog = parsed.GetValue(watchdog),
                LookupHandle = parsed.GetValue(lookupHandle),
            };
            request = request with { Serve = request.Serve with { NoSandbox = parsed.GetValue(noSandbox) } };
            return run(MountOptions.Apply(request, parsed.GetValue(options) ?? []));
        });
        return command;
    }

    private static Command Unmount()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "Where the image is mounted." };
        var wait = new Option<bool>("--wait") { Description = "Return only when the image is closed." };
        var lazily = new Option<bool>("--lazy", "-l") { Description = "Also while somebody is in it: for new users at once." };
        var command = new Command("umount", "Unmounts an image. Asks no server: it works when that is dead, too.") { mountPoint, wait, lazily };
        command.Aliases.Add("unmount");
        command.SetAction(parsed => UmountCommand.Run(parsed.GetValue(mountPoint)!, parsed.GetValue(wait), parsed.GetValue(lazily)));
        return command;
    }
}
