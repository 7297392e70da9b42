using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Mount;

/// <summary>Everything an application can learn of an image, from us and from the kernel's own ext4: it must be the same.</summary>
public class OracleTests
{
    private static readonly string[] NotForTheKernel = ["blocks-64k", "casefold", "casefold-strict", "verity"]; // above the page size; not with every kernel
    private static readonly string[] Refused = ["unknown-feature"];

    public static TheoryData<string> Mountable => [.. Images.Names.Except(NotForTheKernel).Except(Refused)];

    [OracleTheory]
    [MemberData(nameof(Mountable))]
    public void An_image_looks_as_the_kernel_shows_it(string recipe)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get(recipe));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get(recipe));
        Same.Trees(kernel.MountPoint, ours.MountPoint);
    }

    [OracleTheory]
    [InlineData("always")]
    [InlineData("auto")]
    [InlineData("no")]
    public void Directories_look_alike_in_each_readdirplus_mode_and_from_cold_and_warm_caches(string mode)
    {
        using KernelMount kernel = KernelMount.Of(Images.Get("hash-half-md4-signed"));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get("hash-half-md4-signed"), $"readdirplus={mode}");
        Tree expected = Tree.Read(kernel.MountPoint);
        Same.Trees(expected, Tree.Read(ours.MountPoint));
        Same.Trees(expected, Tree.Read(ours.MountPoint));
        MachineCaches.Drop();
        Same.Trees(expected, Tree.Read(ours.MountPoint));
    }

    [OracleFact]
    public void Blocks_larger_than_a_page_show_what_their_twin_with_small_blocks_shows()
    {
        using KernelMount kernel = KernelMount.Of(Images.Get("blocks-4k"));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get("blocks-64k"));
        Tree expected = Tree.Read(kernel.MountPoint), actual = Tree.Read(ours.MountPoint);
        foreach (SortedDictionary<string, string> record in expected.Records.Values.Concat(actual.Records.Values).Where(record => record["type"] == "d"))
            record.Remove("size"); // whole blocks
        Same.Trees(expected, actual, "blocks", "blksize", "data", "label", "statfs");
    }

    [OracleFact]
    public void An_unreplayed_journal_is_ignored_with_norecovery()
    {
        using KernelMount kernel = KernelMount.Of(Images.Get("needs-recovery"));
        using LiveMount ours = LiveMount.Foregrounded(Images.Get("needs-recovery"), "norecovery");
        Same.Trees(kernel.MountPoint, ours.MountPoint);
    }

    [OracleFact]
    public void A_filesystem_on_a_block_device_looks_the_same()
    {
        using KernelMount kernel = KernelMount.Of(Images.Get("ext4"));
        using LoopDevice device = new(Images.Get("ext4"));
        using LiveMount ours = LiveMount.Foregrounded(device.Path);
        Same.Trees(kernel.MountPoint, ours.MountPoint);
    }
}
