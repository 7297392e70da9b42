using System.Diagnostics;
using System.Text;

namespace TestSupport;

/// <summary>What a process said and how it ended. Output is Latin-1, so that any byte survives.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Output, string Errors)
{
    public override string ToString() => $"{CommandLine}\nexit code {ExitCode}\n{Output}{Errors}";

    /// <summary>Throws, with everything the process said, unless it ended with 0.</summary>
    public CommandResult OrThrow() => ExitCode == 0 ? this : throw new InvalidOperationException(ToString());
}

/// <summary>Runs a program to its end, or to a deadline, at which it is killed.</summary>
public static class Command
{
    public static CommandResult Run(params string[] command) => Run(60, null, command);

    public static CommandResult Run(double seconds, IReadOnlyDictionary<string, string?>? environment, params string[] command)
    {
        using Process process = Start(environment, command);
        StringBuilder output = new(), errors = new();
        Thread[] readers = [Collect(process.StandardOutput, output), Collect(process.StandardError, errors)];
        process.StandardInput.Close();
        Deadline deadline = Deadline.In(seconds);
        if (!process.WaitForExit(deadline.Remaining))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"still running after {seconds} s: {string.Join(' ', command)}\n{Text(output)}{Text(errors)}");
        }
        // A daemon that keeps our pipes open is a bug of its own: whoever waits for the end of its output waits for ever.
        foreach (Thread reader in readers)
        {
            if (!reader.Join(TimeSpan.FromSeconds(5)))
                throw new TimeoutException($"ended, but something it started keeps its output open: {string.Join(' ', command)}\n{Text(output)}{Text(errors)}");
        }
        return new CommandResult(string.Join(' ', command), process.ExitCode, Text(output), Text(errors));
    }

    /// <summary>Starts a program with its three streams piped to us.</summary>
    public static Process Start(IReadOnlyDictionary<string, string?>? environment, params string[] command)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
            StandardErrorEncoding = Encoding.Latin1,
        };
        start.Environment["LC_ALL"] = "C";
        // mke2fs, losetup and the like live where an ordinary user's PATH does not reach.
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin";
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"cannot start {command[0]}");
    }

    /// <summary>Appends everything that comes out of a stream, on a thread of its own.</summary>
    public static Thread Collect(StreamReader stream, StringBuilder into)
    {
        Thread thread = new(() =>
        {
            char[] buffer = new char[4096];
            int count;
            while ((count = stream.Read(buffer)) > 0)
            {
                lock (into)
                    into.Append(buffer, 0, count);
            }
        })
        { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>What <see cref="Collect"/> has so far.</summary>
    public static string Text(StringBuilder collected)
    {
        lock (collected)
            return collected.ToString();
    }

    /// <summary>Where a program is, or null.</summary>
    public static string? Find(string program) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/local/sbin:/usr/sbin:/sbin".Split(':')
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
