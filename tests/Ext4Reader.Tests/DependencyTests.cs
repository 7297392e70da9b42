using System.Reflection;

namespace Ext4Reader.Tests;

public class DependencyTests
{
    [Fact]
    public void The_library_needs_nothing_but_the_base_class_library()
    {
        IEnumerable<string?> references = typeof(Ext4Image).Assembly.GetReferencedAssemblies().Select(reference => reference.Name);
        Assert.All(references, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void On_disk_structures_know_nothing_of_files_and_storage()
    {
        string[] above = ["Ext4Reader.Storage", "Ext4Reader.Files", "Ext4Reader.Attributes"];
        Type[] structures = [.. typeof(Ext4Image).Assembly.GetTypes().Where(type => type.Namespace == "Ext4Reader.OnDisk")];
        Assert.NotEmpty(structures);
        foreach (Type structure in structures)
        {
            const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
            IEnumerable<Type> used = structure.GetMethods(All).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType))
                .Concat(structure.GetFields(All).Select(field => field.FieldType));
            Assert.All(used, type => Assert.DoesNotContain(type.Namespace, above));
        }
    }
}
