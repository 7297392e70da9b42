using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Fuse4fs.Device;
using Fuse4fs.State;

namespace Fuse4fs.Supervisor;

/// <summary>
/// The files of this program may be replaced while a mount lives: the next worker is of the new version, the supervisor stays what it was. So it must need
/// none of its files any more, and should know before it ends a worker whether the next one will understand it.
/// </summary>
internal static class InstalledProgram
{
    private const int Patience = 20_000; // it takes a tenth of a second; five were not enough under an emulator with much else to do

    // What only commands and workers use, and what libraries of ours have for uses that we do not make of them. With all that these would bring along they are a fifth of
    // the supervisor's memory.
    private static readonly HashSet<string> Needless = new(StringComparer.Ordinal)
    {
        "System.CommandLine", "Ext4Reader", "System.Security.Cryptography",
        "System.Linq.Expressions", "System.Reflection.Emit", "System.Text.RegularExpressions",
    };

    /// <summary>Why what lies at the program's place now cannot serve this mount; null where it can.</summary>
    /// <param name="program">The command line of this program.</param>
    /// <param name="version">The version of the mount's state.</param>
    public static string? Objection(string[] program, uint version)
    {
        (Descriptor words, Descriptor speaker) = Descriptor.Pipe();
        using (words)
        {
            ChildProcess process;
            try
            {
                process = ChildProcess.Start([.. program, WorkerDescriptors.VersionArgument], environment: null, [(speaker, 1)], newSession: false);
            }
            catch (SystemCallException e)
            {
                return $"no worker could be started: {e.Message}";
            }
            finally
            {
                speaker.Dispose();
            }
            Span<byte> line = stackalloc byte[64];
            int count = words.WaitReadable(Patience) ? words.Read(line, out _) : 0;
            process.Kill();
            if (!uint.TryParse(Encoding.ASCII.GetString(line[..Math.Max(count, 0)]).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint installed))
                return $"no worker could be started: {program[^1]} does not say which version it is";
            return installed == version ? null : SessionState.Mismatch(version, installed);
        }
    }

    /// <summary>
    /// Loads every assembly that this process may ever ask for: ours may be replaced and the runtime's be removed by an upgrade, and then a first look for them would be
    /// the end of the mount.
    /// </summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "A reference that was trimmed away is to nothing that is needed.")]
    public static void NeedNoFiles()
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return; // a native program: there is nothing but itself
        var seen = new HashSet<string>();
        var left = new Queue<Assembly>([typeof(InstalledProgram).Assembly]);
        while (left.TryDequeue(out Assembly? assembly))
        {
            foreach (AssemblyName name in assembly.GetReferencedAssemblies())
            {
                if (Needless.Contains(name.Name!) || !seen.Add(name.FullName))
                    continue;
                try
                {
                    left.Enqueue(Assembly.Load(name));
                }
                catch (Exception e) when (e is IOException or BadImageFormatException)
                {
                    // Not part of this build or platform: nothing will ask for it.
                }
            }
        }
    }
}
