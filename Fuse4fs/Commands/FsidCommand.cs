using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Fuse4fs.Control;
using Fuse4fs.Device;
using Fuse4fs.Inspection;
using Fuse4fs.Supervisor;

namespace Fuse4fs.Commands;

/// <summary>
/// <c>fsid</c>: by what name NFS servers are to call the filesystem. They ask statfs(2) or take the device number, but the kernel gives no f_fsid for FUSE and a new
/// device number for each mount; so it is to stand in their configuration, and is made of the UUID: the same on every mount and machine.
/// </summary>
internal static class FsidCommand
{
    /// <summary>The verb.</summary>
    public static Command Build()
    {
        var place = new Argument<string>("IMAGE|MOUNTPOINT") { Description = "An image (IMAGE@WHICH: a partition of it), or where one is mounted." };
        Option<string[]> options = ImageArgument.Options();
        var asJson = new Option<bool>("--json") { Description = "For programs: one JSON object." };
        var command = new Command("fsid", "Shows what identifies the filesystem in /etc/exports (knfsd) and in an export of NFS-Ganesha.") { place, options, asJson };
        command.SetAction(parsed => ImageArgument.Guarded(() => Show(parsed.GetValue(place)!, parsed.GetValue(options)!, parsed.GetValue(asJson))));
        return command;
    }

    private static int Show(string place, string[] options, bool asJson)
    {
        if (TryVolume(place, options) is not Guid volume)
            return ExitCode.MountFailure;
        if (volume == Guid.Empty)
            throw new InspectionException($"{place}: the filesystem has no UUID; choose a number, fsid=1, that no other export has");
        string exports = $"fsid={volume}", ganesha = GaneshaLine(volume);
        if (asJson)
        {
            Output.PrintJson(json =>
            {
                json.WriteString("uuid", volume.ToString());
                json.WriteString("exports", exports);
                json.WriteString("ganesha", ganesha);
            });
        }
        else
        {
            Output.Print($"{exports}\n{ganesha}\n");
        }
        return ExitCode.Success;
    }

    // Of a mount the supervisor knows it: no image is read.
    private static Guid? TryVolume(string place, string[] options)
    {
        if (ImageArgument.TryMount(place, options) is not MountEntry mount)
        {
            using ImageFiles image = ImageArgument.OpenFile(place, options);
            return image.Volume;
        }
        using JsonDocument? status = SupervisorCall.Ask(mount, place, new ControlRequest(ControlVerb.Status));
        return status is null ? null : ImageArgument.VolumeOf(status);
    }

    // Export_Id has 16 bits and is not 0. It is in each handle, and Filesystem_Id, two numbers of 64 bits, is not. Those are hexadecimal, for Ganesha takes a
    // decimal one that begins with 0 for octal; and so the UUID can be recognised.
    private static string GaneshaLine(Guid volume)
    {
        ReadOnlySpan<byte> bytes = volume.ToByteArray(bigEndian: true);
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes), low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return string.Create(CultureInfo.InvariantCulture, $"Export_Id = {Math.Max(1, low & ushort.MaxValue)}; Filesystem_Id = 0x{high:x16}.0x{low:x16};");
    }
}
