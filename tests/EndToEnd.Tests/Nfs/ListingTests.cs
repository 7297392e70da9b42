using EndToEnd.Tests.Recovery;
using TestSupport;
using Xunit;

namespace EndToEnd.Tests.Nfs;

/// <summary>A client is in the middle of listing a large directory, and knows no more of it than a cookie.</summary>
public class ListingTests
{
    [NfsTheory]
    [InlineData(3)]
    [InlineData(4)]
    public void A_listing_goes_on_over_a_kill_and_a_remount_and_has_each_name_once(int version)
    {
        const int Count = 1500;
        ImageCopy image = Images.Copy("room");
        _ = KernelWrites.Run(image.ImagePath, $"mkdir many; cd many; touch $(seq -f entry-with-a-rather-long-name-%04g {Count})");
        using var mounted = new Mounted(image);
        using var exported = new Exported(mounted);
        byte[] folder = [];
        List<string> names = [];
        NfsListing some = NfsListing.Start;
        exported.With(version, client =>
        {
            folder = client.Find("many");
            ListOn(client, Count / 3);
            mounted.KillWorker();
            ListOn(client, Count / 3 * 2);
        });
        Assert.False(some.IsEnd, "the listing has ended before its middle");
        exported.RestartServer(mounted.Remount);
        exported.With(version, client => ListOn(client, int.MaxValue));
        Assert.Equal(Enumerable.Range(1, Count).Select(number => $"entry-with-a-rather-long-name-{number:D4}"), names.Order(StringComparer.Ordinal));

        void ListOn(NfsClient client, int until)
        {
            while (names.Count < until && !some.IsEnd)
            {
                some = client.List(folder, some);
                names.AddRange(some.Names);
            }
        }
    }
}
