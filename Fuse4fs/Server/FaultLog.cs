using Ext4Reader;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Handles;
using Microsoft.Extensions.Logging;

namespace Fuse4fs.Server;

/// <summary>
/// What goes wrong while requests are served: the table from exception to error number, and a log that says each thing once, however
/// often an application stumbles over it.
/// </summary>
internal sealed partial class FaultLog(ILogger log)
{
    // A hostile image has no end of things to complain about; the log has.
    private const int MostLines = 1000;

    private readonly HashSet<(string Kind, uint Inode)> _said = [];

    /// <summary>The error number for an exception, which is logged unless its like has been.</summary>
    public Errno Explain(Exception exception, Opcode opcode, ulong nodeId)
    {
        uint inode = (exception as CorruptImageException)?.InodeNumber ?? 0;
        if (inode == 0)
            inode = new NodeId(nodeId).Handle.Inode;
        switch (exception)
        {
            case CorruptImageException corrupt:
                if (IsNew(corrupt.Kind.ToString(), inode))
                    Corrupt(log, corrupt.Message);
                return corrupt.IsChecksum ? Errno.EBADMSG : Errno.EUCLEAN;
            case EncryptedContentException:
                return Errno.ENOKEY; // nothing is wrong, so nothing is logged
            case ContentChangedException changed:
                if (IsNew(nameof(ContentChangedException), inode))
                    Changed(log, changed.Message);
                return Errno.EIO;
            case UnsupportedImageException unsupported:
                if (IsNew(nameof(UnsupportedImageException), inode))
                    Unsupported(log, inode, unsupported.Message);
                return Errno.EOPNOTSUPP;
            case IOException io:
                if (IsNew(nameof(IOException), inode))
                    Unreadable(log, inode, io.Message);
                return Errno.EIO;
            case OverflowException or IndexOutOfRangeException or ArgumentException:
                // Checked arithmetic or a span's bounds caught what a check of ours should have: the image is broken, and so are we.
                if (IsNew(exception.GetType().Name, inode))
                    MissingCheck(log, opcode, inode, exception.ToString());
                return Errno.EUCLEAN;
            default:
                if (IsNew(exception.GetType().Name, inode))
                    Unexpected(log, opcode, inode, exception.ToString());
                return Errno.EIO;
        }
    }

    /// <summary>A message from the kernel that is not as its protocol says.</summary>
    public void BadMessage(int length)
    {
        if (IsNew(nameof(BadMessage), 0))
            BadMessage(log, length);
    }

    /// <summary>A message with handles that is not as its dialect says.</summary>
    public void BadHandle(HandleProblem problem)
    {
        if (IsNew(problem.ToString(), 0))
            BadHandle(log, problem);
    }

    private bool IsNew(string kind, uint inode)
    {
        lock (_said)
            return _said.Count < MostLines && _said.Add((kind, inode));
    }

    [LoggerMessage(LogLevel.Error, "{Message}; run e2fsck on the unmounted image")]
    private static partial void Corrupt(ILogger log, string message);

    [LoggerMessage(LogLevel.Error, "{Message}")]
    private static partial void Changed(ILogger log, string message);

    [LoggerMessage(LogLevel.Error, "inode {Inode}: {Message}")]
    private static partial void Unsupported(ILogger log, uint inode, string message);

    [LoggerMessage(LogLevel.Error, "inode {Inode}: the image cannot be read: {Message}")]
    private static partial void Unreadable(ILogger log, uint inode, string message);

    [LoggerMessage(LogLevel.Error, "a check is missing (please report): {Opcode} of inode {Inode}: {Details}")]
    private static partial void MissingCheck(ILogger log, Opcode opcode, uint inode, string details);

    [LoggerMessage(LogLevel.Error, "unexpected (please report): {Opcode} of inode {Inode}: {Details}")]
    private static partial void Unexpected(ILogger log, Opcode opcode, uint inode, string details);

    [LoggerMessage(LogLevel.Error, "a message of {Length} bytes from the kernel is not as the protocol says")]
    private static partial void BadMessage(ILogger log, int length);

    [LoggerMessage(LogLevel.Error, "a message from the kernel with handles is not as LOOKUP_HANDLE says: {Problem}")]
    private static partial void BadHandle(ILogger log, HandleProblem problem);
}
