using System.Security.Cryptography;
using System.Text;

namespace Ext4Reader.Tests.Building;

/// <summary>How to build an image with e2fsprogs: everything that decides what comes out.</summary>
/// <param name="Options">Arguments of mke2fs besides the file and the size.</param>
/// <param name="Tree">What to copy into it; null for nothing.</param>
/// <param name="Edits">Commands for debugfs; each character is a byte.</param>
/// <param name="Reindexed">Whether e2fsck -D builds indexes for large directories.</param>
/// <param name="Mebibytes">The image's size.</param>
/// <param name="SettingsFirst">Commands for debugfs before e2fsck builds indexes.</param>
internal sealed record ImageRecipe(
    string Options, SourceTree? Tree = null, string[]? Edits = null, bool Reindexed = false, int Mebibytes = 8, string[]? SettingsFirst = null)
{
    /// <summary>Equal for equal recipes.</summary>
    public string Key()
    {
        string text = string.Join('\n', [Options, Tree?.Key ?? "", .. Edits ?? [], $"{Reindexed} {Mebibytes}", .. SettingsFirst ?? []]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.Latin1.GetBytes(text)))[..32];
    }
}
