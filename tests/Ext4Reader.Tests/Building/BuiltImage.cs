using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ext4Reader.Tests.Building;

/// <summary>Builds images when first needed and keeps them in the temporary directory, by recipe.</summary>
internal static class BuiltImage
{
    private const string FixedTime = "1700000000";
    private const string FixedUuid = "f0f4f5ee-0000-4000-8000-00000000abcd";

    private static readonly ConcurrentDictionary<string, Lazy<string>> Built = new();

    private static readonly string Folder =
        Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"ext4reader-tests-{Environment.UserName}"));

    /// <summary>The path of an image, which nobody may write.</summary>
    public static string PathOf(ImageRecipe recipe) => Built.GetOrAdd(recipe.Key(), key => new Lazy<string>(() => Build(recipe, key))).Value;

    /// <summary>Opens an image.</summary>
    public static Ext4Image Open(ImageRecipe recipe) => Ext4Image.Open(PathOf(recipe));

    /// <summary>What a program of e2fsprogs prints.</summary>
    public static string Run(string program, params string[] arguments) => RunWith(null, program, arguments);

    private static string Build(ImageRecipe recipe, string key)
    {
        Directory.CreateDirectory(Folder);
        string target = Path.Combine(Folder, key + ".img");
        if (File.Exists(target))
            return target;
        string scratch = Path.Combine(Folder, $"{key}.{Guid.NewGuid():N}");
        string tree = scratch + ".tree";
        try
        {
            string[] source = [];
            if (recipe.Tree is not null)
            {
                Directory.CreateDirectory(tree);
                recipe.Tree.Write(tree);
                source = ["-d", tree];
            }

            string[] options = recipe.Options.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Run("mke2fs", ["-q", "-F", "-U", FixedUuid, "-E", "hash_seed=" + FixedUuid, .. options, .. source, scratch, $"{recipe.Mebibytes}M"]);
            Edit(scratch, recipe.SettingsFirst);
            if (recipe.Reindexed)
                Run("e2fsck", "-fyD", scratch);
            Edit(scratch, recipe.Edits);
            File.Move(scratch, target, overwrite: true);
            return target;
        }
        finally
        {
            File.Delete(scratch);
            if (Directory.Exists(tree))
                Directory.Delete(tree, recursive: true);
        }
    }

    private static void Edit(string image, string[]? commands)
    {
        if (commands is null || commands.Length == 0)
            return;
        string output = RunWith(Encoding.Latin1.GetBytes(string.Join('\n', commands) + "\n"), "debugfs", ["-w", "-f", "-", image]);
        foreach (string line in output.Split('\n'))
        {
            if (line.Contains("File not found", StringComparison.Ordinal) || line.Contains("Unknown", StringComparison.Ordinal))
                throw new InvalidOperationException($"debugfs: {line}");
        }
    }

    private static string RunWith(byte[]? input, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["E2FSPROGS_FAKE_TIME"] = FixedTime;
        start.Environment["PATH"] += ":/usr/sbin:/sbin";
        using Process process = Start(start);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (input is not null)
            process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        string said = errors.GetAwaiter().GetResult();
        process.WaitForExit();
        // e2fsck says 1 when it changed something, which rebuilding a directory is.
        if (process.ExitCode > (program == "e2fsck" ? 1 : 0))
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}{said}");
        return output + said;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception problem)
        {
            throw new InvalidOperationException($"{start.FileName} is needed to build images: install e2fsprogs", problem);
        }
    }
}
