using System.Text.Json;
using Fuse4fs.Commands;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>Reports of supervisors that are older or newer than the command.</summary>
public class StatusTextTests
{
    [Fact]
    public void The_report_of_another_version_is_shown_as_it_comes()
    {
        using JsonDocument report = JsonDocument.Parse("{\"ok\":true,\"image\":\"/disk\\u001b.img\"}");
        string text = StatusText.Of("/mnt", report.RootElement);
        Assert.StartsWith("/mnt: served by a supervisor of another version", text, StringComparison.Ordinal);
        Assert.Contains("disk", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
        Assert.Equal("", StatusText.OfRestart(report.RootElement));
    }
}
