namespace Ext4Reader.Partitions;

/// <summary>Words for the types that a disk with Linux on it is likely to have.</summary>
internal static class PartitionTypes
{
    internal static string NameOf(string type) => type switch
    {
        "01" or "04" or "06" or "0b" or "0c" or "0e" => "FAT",
        "07" => "NTFS or exFAT",
        "82" or "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f" => "Linux swap",
        "83" or "0fc63daf-8483-4772-8e79-3d69d8477de4" => "Linux",
        "8e" or "e6d6d379-f507-44c2-a23c-238f2a3df928" => "Linux LVM",
        "ef" or "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" => "EFI system",
        "fd" or "a19d880f-05fc-4d3b-a006-743f0f84911e" => "Linux RAID",
        "21686148-6449-6e6f-744e-656564454649" => "BIOS boot",
        "4f68bce3-e8cd-4db1-96e7-fbcaf984b709" => "Linux root (x86-64)",
        "b921b045-1df0-41c3-af44-4c6f280d3fae" => "Linux root (ARM64)",
        "933ac7e1-2eb4-4f13-b844-0e14e2aef915" => "Linux home",
        "bc13c2ff-59e6-4262-a352-b275fd6f7172" => "Linux boot",
        "e3c9e316-0b5c-4db8-817d-f92df00215ae" => "Microsoft reserved",
        "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7" => "Microsoft basic data",
        _ => "type " + type,
    };
}
