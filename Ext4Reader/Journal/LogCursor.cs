using Ext4Reader.OnDisk;

namespace Ext4Reader.Journal;

/// <summary>Walks the log from where its first transaction starts, round its end, and never further than once.</summary>
internal struct LogCursor(JournalSuperblock journal)
{
    private uint _next = journal.Start;
    private uint _left = journal.End - journal.First;

    /// <summary>Takes a block; false when all have been seen: whatever such a log holds, its last transaction has no end.</summary>
    internal bool TryTake(out uint block)
    {
        block = _next;
        if (_left == 0)
            return false;
        _left--;
        _next++;
        // A start behind the log's end is a lie that Linux reads once, too.
        if (_next >= journal.End)
            _next = _next - journal.End + journal.First;
        return true;
    }
}
