using System.CommandLine;
using Fuse4fs.Commands;
using Fuse4fs.Session;
using Fuse4fs.State;
using Fuse4fs.Supervisor;

namespace Fuse4fs;

/// <summary>Entry point. What is in a hurry, workers and plain mounts, is told before the command-line library is touched, which costs a start more than the rest.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is [WorkerDescriptors.Argument])
            return WorkerMain.Run();
        if (arguments is [WorkerDescriptors.VersionArgument])
            return WorkerMain.PrintVersion();
        if (arguments is [MountCommand.PrimerArgument])
            return MountCommand.Prime();
        if (arguments is [MountCommand.BackgroundArgument, var worker, .. var original])
        {
            MountCommand.BeInBackground(worker);
            arguments = original;
        }
        MountCommand.OwnArguments = arguments;
        try
        {
            arguments = WithVerb(arguments);
            if (!MountCommand.IsBackground && PlainMount.Is(arguments))
                return MountCommand.StartInBackground(); // the supervisor reads them; to do it here, too, would only take time
            return PlainMount.TryRead(arguments) is MountRequest request ? MountCommand.Run(request) : RunCommand(arguments);
        }
        catch (UsageException e)
        {
            MountCommand.Say(e.Message);
            return ExitCode.Usage;
        }
    }

    // fuse2fs and mount.fuse call the program with image and mount point alone.
    private static string[] WithVerb(string[] arguments) =>
        arguments is [] || arguments[0] is "mount" or "umount" or "unmount" or "restart" or "pause" or "resume" or "status" or "handle" or "resolve" or "fsid" or "--help" or "-h" or "-?" or "--version" || arguments[0].StartsWith('[')
            ? arguments
            : ["mount", .. arguments];

    private static int RunCommand(string[] arguments)
    {
        ParseResult parsed = CommandLine.Build().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            MountCommand.Say(parsed.Errors[0].Message + " See fuse4fs --help.");
            return ExitCode.Usage;
        }
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }
}
