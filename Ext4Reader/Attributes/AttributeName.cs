namespace Ext4Reader.Attributes;

/// <summary>Full names such as "user.x" ⇄ the number of a namespace and the rest.</summary>
internal static class AttributeName
{
    internal const byte AccessAcl = 2;
    internal const byte DefaultAcl = 3;

    private const byte User = 1;
    private const byte Trusted = 4;
    private const byte Security = 6;
    private const byte System = 7;
    private const byte RichAcl = 8;
    private const byte Hurd = 10;

    /// <summary>The prefix of a namespace, or the full name where it has but one; false for numbers that are not shown.</summary>
    internal static bool TryGetPrefix(byte index, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> prefix)
    {
        prefix = index switch
        {
            User => "user."u8,
            AccessAcl => "system.posix_acl_access"u8,
            DefaultAcl => "system.posix_acl_default"u8,
            Trusted => "trusted."u8,
            Security => "security."u8,
            System => "system."u8,
            RichAcl => "system.richacl"u8,
            Hurd => "gnu."u8,
            _ => default,
        };
        // A name cannot be empty, unless the prefix is all there is. "system.data" is where inline files continue.
        bool isComplete = index is AccessAcl or DefaultAcl or RichAcl;
        return !prefix.IsEmpty && isComplete == name.IsEmpty && !(index == System && name.SequenceEqual("data"u8));
    }

    /// <summary>Takes a full name apart; false if nothing can have that name.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> fullName, out byte index, out ReadOnlySpan<byte> name)
    {
        // The longer ones first: "system." is a prefix of theirs.
        ReadOnlySpan<byte> indexes = [AccessAcl, DefaultAcl, RichAcl, User, Trusted, Security, System, Hurd];
        foreach (byte candidate in indexes)
        {
            bool isComplete = candidate is AccessAcl or DefaultAcl or RichAcl;
            _ = TryGetPrefix(candidate, isComplete ? default : "x"u8, out ReadOnlySpan<byte> prefix);
            if (!fullName.StartsWith(prefix))
                continue;
            name = fullName[prefix.Length..];
            index = candidate;
            if (TryGetPrefix(candidate, name, out _))
                return true;
        }

        index = 0;
        name = default;
        return false;
    }
}
