using System.Text;
using Fuse4fs.Device;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Diagnostics;

/// <summary>Where lines of the log go.</summary>
internal interface ILogSink
{
    /// <summary>Takes one line, without its newline. Never throws: a log that fails has nobody to tell.</summary>
    void Write(LogLevel level, string text);
}

/// <summary>A logger that hands whole lines to a sink.</summary>
/// <param name="sink">Where they go.</param>
/// <param name="prefix">Stands in front of each line: the image, as a rule.</param>
internal sealed class LineLogger(ILogSink sink, string prefix = "") : ILogger
{
    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            sink.Write(logLevel, prefix + formatter(state, exception));
    }
}

/// <summary>Lines to a descriptor: stderr in the foreground, a file with <c>--log</c>.</summary>
/// <param name="descriptor">Where they go.</param>
/// <param name="withTime">Whether each starts with the time in UTC.</param>
internal sealed class DescriptorSink(Descriptor descriptor, bool withTime) : ILogSink
{
    /// <inheritdoc/>
    public void Write(LogLevel level, string text)
    {
        if (descriptor.IsClosed)
            return;
        string time = withTime ? DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ ", System.Globalization.CultureInfo.InvariantCulture) : "";
        string kind = level == LogLevel.Warning ? "warning: " : "";
        // One write a line, so that lines of several processes do not run into each other.
        _ = descriptor.Write(Encoding.UTF8.GetBytes($"{time}fuse4fs: {kind}{text}\n"));
    }
}

/// <summary>
/// Lines to the supervisor, from a worker, which has no other log: <c>&lt;level&gt;text</c>, the form in which systemd takes them, too
/// (sd-daemon(3)).
/// </summary>
/// <param name="descriptor">The pipe to the supervisor.</param>
internal sealed class WorkerSink(Descriptor descriptor) : ILogSink
{
    /// <inheritdoc/>
    public void Write(LogLevel level, string text) =>
        _ = descriptor.Write(Encoding.UTF8.GetBytes($"<{SyslogPriority.Of(level)}>{text.ReplaceLineEndings(" | ")}\n"));
}

/// <summary>Severities of syslog(3).</summary>
internal static class SyslogPriority
{
    /// <summary>The severity of a log level: 0 (emergency) to 7 (debug).</summary>
    public static int Of(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    /// <summary>
    /// The level and text of a line that a worker wrote. A line without a severity comes from the runtime itself: something it says before it dies.
    /// </summary>
    public static (LogLevel Level, string Text) Parse(string line) =>
        line.Length > 2 && line[0] == '<' && line[2] == '>'
            ? (line[1] switch { '2' => LogLevel.Critical, '3' => LogLevel.Error, '4' => LogLevel.Warning, '7' => LogLevel.Debug, _ => LogLevel.Information }, line[3..])
            : (LogLevel.Error, line);
}
