namespace Ext4Reader.OnDisk;

/// <summary>The hash functions of directory indexes, numbered as on disk.</summary>
internal enum NameHashVersion : byte
{
    /// <summary>The first one, without a seed.</summary>
    Legacy = 0,

    /// <summary>Half of MD4: the default.</summary>
    HalfMd4 = 1,

    /// <summary>The Tiny Encryption Algorithm.</summary>
    Tea = 2,

    /// <summary>One that takes a key: the hash is stored with each name. Only directories both encrypted and casefolded have it.</summary>
    Stored = 6,
}
