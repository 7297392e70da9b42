using System.Reflection;
using System.Reflection.Emit;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>
/// Holds the layers. Looks into every signature and every method body of the program, so that a mention without a using directive counts, too.
/// </summary>
public class ArchitectureTests
{
    // Folder: what its types may mention besides themselves. Commands, the top, may mention all.
    private static readonly Dictionary<string, string[]> Layers = new()
    {
        ["Protocol"] = [],
        ["Device"] = ["Protocol"],
        ["Diagnostics"] = ["Device", "Protocol"],
        ["State"] = ["Device", "Handles"],
        ["Control"] = ["Device", "Protocol"],
        ["Server"] = ["Protocol", "Handles", "Ext4Reader", "State"],
        ["Inspection"] = ["Handles", "Ext4Reader"],
        ["Session"] = ["Device", "Protocol", "Server", "State", "Diagnostics", "Ext4Reader", "Handles"],
        ["Supervisor"] = ["Device", "Protocol", "State", "Control", "Diagnostics"],
        ["Commands"] = ["Device", "Protocol", "State", "Control", "Diagnostics", "Supervisor", "Inspection", "Handles"],
        ["Program"] = ["Commands", "Session", "State", "Supervisor"],
    };

    private static readonly Dictionary<short, OpCode> OpCodesByValue =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    [Fact]
    public void Each_folder_mentions_only_those_below_it()
    {
        var wrong = new SortedSet<string>();
        foreach (Type type in typeof(Protocol.Opcode).Assembly.GetTypes())
        {
            string from = FolderOf(type);
            if (from.Length == 0)
                continue;
            Assert.True(Layers.ContainsKey(from), $"{type} is in a folder that has no layer");
            foreach (Type mentioned in MentionedBy(type))
            {
                string to = FolderOf(mentioned);
                if (to.Length != 0 && to != from && !Layers[from].Contains(to))
                    wrong.Add($"{type} mentions {mentioned}: {from} may not know {to}");
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(typeof(Ext4Reader.Ext4Image))]
    [InlineData(typeof(Handles.FileHandle))]
    public void The_libraries_know_nothing_of_ours(Type type) =>
        Assert.DoesNotContain(type.Assembly.GetReferencedAssemblies(), name => name.Name is "fuse4fs" or "Ext4Reader" or "Handles");

    [Fact]
    public void The_test_sees_what_a_method_body_mentions() =>
        Assert.Contains(typeof(Protocol.Errno), MentionedBy(typeof(Server.Ext4FileSystem)));

    [Fact]
    public void Only_the_folders_that_talk_to_the_kernel_have_unsafe_code()
    {
        string root = RepositoryRoot();
        IEnumerable<string> unsafeFiles = Directory.EnumerateFiles(Path.Combine(root, "Fuse4fs"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .Where(file => File.ReadAllText(file).Contains("unsafe ", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Path.Combine(root, "Fuse4fs"), file))
            .Where(file => !file.StartsWith("Device") && !file.StartsWith("State"));
        Assert.Empty(unsafeFiles);
    }

    [Fact]
    public void Nothing_suppresses_the_gc_transition()
    {
        // Spelled in two parts so that this file does not find itself.
        string banned = "SuppressGC" + "Transition";
        string root = RepositoryRoot();
        Assert.DoesNotContain(
            new[] { "Fuse4fs", "Ext4Reader", "Handles", "tests" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)),
            file => File.ReadAllText(file).Contains(banned, StringComparison.Ordinal));
    }

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Fuse4fs.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the tests run outside of the repository");
    }

    private static string FolderOf(Type type)
    {
        while (type.HasElementType)
            type = type.GetElementType()!;
        string space = type.Namespace ?? "";
        return space is "Ext4Reader" or "Handles" ? space
            : space.StartsWith("Ext4Reader.", StringComparison.Ordinal) ? "Ext4Reader"
            : space == "Fuse4fs" ? type.Name == "Program" ? "Program" : ""
            : space.StartsWith("Fuse4fs.", StringComparison.Ordinal) ? space.Split('.')[1]
            : "";
    }

    private static HashSet<Type> MentionedBy(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var found = new HashSet<Type>();
        Add(found, type.BaseType);
        foreach (Type implemented in type.GetInterfaces())
            Add(found, implemented);
        foreach (FieldInfo field in type.GetFields(All))
            Add(found, field.FieldType);
        foreach (MethodBase method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            if (method is MethodInfo { ReturnType: var result })
                Add(found, result);
            foreach (ParameterInfo parameter in method.GetParameters())
                Add(found, parameter.ParameterType);
            if (method.GetMethodBody() is not MethodBody body)
                continue;
            foreach (LocalVariableInfo local in body.LocalVariables)
                Add(found, local.LocalType);
            AddTokens(found, method, body.GetILAsByteArray() ?? []);
        }
        return found;
    }

    private static void Add(HashSet<Type> found, Type? type)
    {
        if (type is null || type.IsGenericParameter || !found.Add(type))
            return;
        if (type.HasElementType)
            Add(found, type.GetElementType());
        foreach (Type argument in type.GetGenericArguments())
            Add(found, argument);
    }

    private static void AddTokens(HashSet<Type> found, MethodBase method, byte[] il)
    {
        Type[]? typeArguments = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        Type[]? methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        int at = 0;
        while (at < il.Length)
        {
            short value = il[at] == 0xfe ? unchecked((short)(0xfe00 | il[at + 1])) : il[at];
            OpCode code = OpCodesByValue[value];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                MemberInfo member = method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments)!;
                Add(found, member as Type ?? member.DeclaringType);
                if (member is MethodInfo { IsGenericMethod: true } generic)
                    foreach (Type argument in generic.GetGenericArguments())
                        Add(found, argument);
                if (member is FieldInfo field)
                    Add(found, field.FieldType);
                if (member is MethodInfo called)
                    Add(found, called.ReturnType);
            }
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }
}
