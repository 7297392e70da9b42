using System.Buffers.Binary;
using Ext4Reader.OnDisk;

namespace Ext4Reader.Storage;

/// <summary>Where the content of an image block really lies.</summary>
/// <param name="Source">The image, or an external journal.</param>
/// <param name="Offset">Byte offset in there.</param>
/// <param name="IsEscaped">Whether the journal's magic belongs at its start instead of what lies there.</param>
/// <param name="Owned">The content itself, where it exists in memory only; then the rest means nothing.</param>
internal readonly record struct BlockPlace(ImageSource Source, long Offset, bool IsEscaped = false, byte[]? Owned = null)
{
    /// <summary>Reads a part of the block.</summary>
    /// <param name="within">The first byte's offset in the block.</param>
    /// <param name="destination">What to fill.</param>
    internal void Read(int within, Span<byte> destination)
    {
        if (Owned is not null)
        {
            Owned.AsSpan(within, destination.Length).CopyTo(destination);
            return;
        }

        Source.Read(Offset + within, destination);
        if (!IsEscaped || within >= sizeof(uint))
            return;
        Span<byte> magic = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(magic, JournalHeader.JournalMagic);
        magic = magic[within..];
        magic[..Math.Min(magic.Length, destination.Length)].CopyTo(destination);
    }
}
