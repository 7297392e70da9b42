using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>
/// nfs-ganesha exporting a mount, and the rpcbind that it needs for version 3; both in a network, in a mount table (for the socket of rpcbind in /run) and among
/// processes of their own, which end together.
/// </summary>
internal sealed class Ganesha : IDisposable
{
    /// <summary>The name of the export, in version 3 too.</summary>
    public const string Export = "/image";

    public const int Port = 12049, MountPort = 12050;

    // Its standard input is what keeps it alive: it ends with the tests, however they end.
    private const string Script = """
        mount -t tmpfs run /run
        mkdir -p /run/rpcbind
        rpcbind -f &
        until [ -S /run/rpcbind.sock ]; do sleep 0.01; done
        ganesha.nfsd -F -f ganesha.conf -L ganesha.log -p ganesha.pid < /dev/null &
        read -r _
        """;

    private readonly ScratchFolder _folder = new();
    private readonly StringBuilder _said = new();
    private readonly List<Thread> _readers = [];
    private readonly Process _processes;

    /// <param name="network">Where it listens.</param>
    /// <param name="mountPoint">What it exports.</param>
    public Ganesha(PrivateNetwork network, string mountPoint)
    {
        File.WriteAllText(Path.Combine(_folder.Path, "ganesha.conf"), Configuration(mountPoint, _folder.Folder("recovery")));
        Process? started = null;
        try
        {
            network.Run(
                30,
                () =>
                {
                    started = Command.Start(null, "unshare", "--mount", "--propagation", "slave", "--pid", "--mount-proc", "--fork", "--kill-child", $"--wd={_folder.Path}", "sh", "-euc", Script);
                    _readers.AddRange([Command.Collect(started.StandardOutput, _said), Command.Collect(started.StandardError, _said)]);
                    Deadline.In(25).WaitUntil(() => started.HasExited || Answers(), "nfs-ganesha answers");
                },
                "nfs-ganesha is started");
            if (started!.HasExited)
                throw new InvalidOperationException("nfs-ganesha has ended");
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            string log = Log;
            End(started);
            throw new InvalidOperationException($"{e.Message}; the log: {log}");
        }
        _processes = started;
    }

    /// <summary>Everything that it and rpcbind have said.</summary>
    public string Log
    {
        get
        {
            string file = Path.Combine(_folder.Path, "ganesha.log");
            return Command.Text(_said) + (File.Exists(file) ? File.ReadAllText(file) : "");
        }
    }

    /// <summary>The URL of a path below the export for the programs of libnfs.</summary>
    public static string Url(int version, string path) => $"nfs://127.0.0.1{Export}{path}?version={version}&nfsport={Port}&mountport={MountPort}";

    /// <summary>A client. To be made in the server's network.</summary>
    public static NfsClient Connect(int version) => version == 3 ? new Nfs3Client(Port, MountPort, Export) : new Nfs4Client(Port, Export);

    /// <summary>Ends it as a crash would.</summary>
    public void Dispose() => End(_processes);

    /*
     * An NFS handle of Ganesha's is the export's number, then an id of the filesystem, then the kernel's handle. That id would be the device number, for FUSE
     * reports none, and a FUSE mount has another device number each time. Major64 takes its major half alone, which is 0 for all of them. So it is the export's
     * number (16 bits, not 0) that tells filesystems apart: a part of the UUID. Filesystem_Id, the whole UUID, is what clients are told, and not in a handle. fuse4fs fsid has both.
     *
     * What Ganesha caches it believes for as long as ctime stands still, and a directory that e2fsck takes names from keeps its times: then it could not be listed
     * any more. So it caches no names (Dir_Chunk) and asks for attributes each time (Attr_Expiration_Time); the kernel has both in its cache.
     */
    private static string Configuration(string mountPoint, string recovery)
    {
        string ids = FuseServer.Run("fsid", mountPoint).OrThrow().Output.Split('\n')[1];
        return string.Create(CultureInfo.InvariantCulture, $$"""
            NFS_CORE_PARAM {
                Protocols = 3, 4; NFS_Port = {{Port}}; MNT_Port = {{MountPort}}; Mount_Path_Pseudo = true;
                Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
            }
            NFSV4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = {{recovery}}; Only_Numeric_Owners = true; }
            NFS_KRB5 { Active_krb5 = false; }
            EXPORT {
                {{ids}}
                Path = {{mountPoint}}; Pseudo = {{Export}}; Access_Type = RO; Squash = No_Root_Squash; SecType = sys;
                Protocols = 3, 4; Transports = TCP; Attr_Expiration_Time = 0;
                FSAL { Name = VFS; fsid_type = Major64; }
            }
            MDCACHE { Dir_Chunk = 0; }
            LOG { Default_Log_Level = EVENT; }

            """);
    }

    private static bool Answers()
    {
        try
        {
            Connect(3).Dispose();
            return true;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false; // not listening yet, or not exporting yet
        }
    }

    private void End(Process? processes)
    {
        if (processes is not null)
        {
            if (!processes.HasExited)
                processes.Kill();
            // All of them have our pipes, and the mount: it can be unmounted when the last one has ended.
            Assert.All(_readers, reader => Assert.True(reader.Join(10_000), "nfs-ganesha or rpcbind cannot be ended"));
            processes.Dispose();
        }
        _folder.Dispose();
    }
}
