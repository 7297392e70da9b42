using Ext4Reader.OnDisk;

namespace Ext4Reader.Journal;

/// <summary>
/// Fast commits: what happened after the last full commit, told as changes of names, inodes and files instead of as blocks. They are carried
/// out on copies of the few blocks they concern (<see cref="Workspace"/>), so whoever reads the image needs to know nothing of them.
/// </summary>
/// <remarks>
/// As in Linux, a first walk checks: the commits count up to the last tail whose transaction and checksum are right. A first tail that is
/// wrong, or tags that make no sense before it, make the journal useless. What a tag says about an inode that does not exist is ignored.
/// </remarks>
internal sealed class FastCommits
{
    private const uint KnownFeatures = 0;

    // More than any real area has room for. It bounds the time that a hostile one takes.
    private const int MaximumTags = 1 << 18;

    private readonly JournalFile _file;
    private readonly JournalSuperblock _journal;
    private readonly uint _sequence;
    private readonly int _inodeSize;
    private readonly Workspace _workspace;
    private readonly byte[] _block;
    private readonly List<(ulong First, ulong Length)> _reserved = [];

    private FastCommits(JournalFile file, JournalSuperblock journal, uint sequence, Workspace workspace)
    {
        _file = file;
        _journal = journal;
        _sequence = sequence;
        _inodeSize = workspace.Superblock.InodeSize;
        _workspace = workspace;
        _block = new byte[file.BlockSize];
    }

    private delegate bool Visitor(FastCommitTag tag, ReadOnlySpan<byte> raw, ReadOnlySpan<byte> value);

    /// <summary>Carries out the fast commits that follow a transaction.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="journal">Its superblock.</param>
    /// <param name="sequence">The number that fast commits of now have.</param>
    /// <param name="workspace">The image after its full commits.</param>
    /// <exception cref="CorruptImageException">They cannot be carried out.</exception>
    /// <exception cref="UnsupportedImageException">They have features that nobody knows here.</exception>
    internal static void Replay(JournalFile file, JournalSuperblock journal, uint sequence, Workspace workspace)
    {
        if (journal.FastCommits.First >= journal.FastCommits.End)
            return;
        var commits = new FastCommits(file, journal, sequence, workspace);
        int tags = commits.Count();
        if (tags == 0)
            return;
        commits.CarryOut(tags);
    }

    /// <summary>The number of tags up to the last good tail.</summary>
    private int Count()
    {
        int good = 0;
        int count = 0;
        int pending = 0;
        uint crc = 0;
        bool isRefused = false;
        bool isChecksum = false;
        Walk((tag, raw, value) =>
        {
            switch (tag.Type)
            {
                case FastCommitTagType.Head:
                    (uint features, uint sequence) = FastCommitTag.Head(value);
                    if ((features & ~KnownFeatures) != 0)
                        throw UnsupportedImageException.For([$"fast commit features {features:x}"]);
                    if (sequence != _sequence)
                        return false;
                    break;
                case FastCommitTagType.Tail:
                    count++;
                    (uint tailSequence, uint checksum) = FastCommitTag.Tail(value);
                    bool isGood = tailSequence == _sequence && checksum == Crc32c.Append(crc, raw[..FastCommitTag.CheckedTailSize]);
                    isRefused = isChecksum = !isGood && good == 0;
                    if (!isGood)
                        return false;
                    good = count;
                    pending = _reserved.Count;
                    crc = 0;
                    return true;
                case FastCommitTagType.None:
                    isRefused = good == 0;
                    return false;
                case FastCommitTagType.AddRange:
                    Extent extent = FastCommitTag.Added(value).Extent;
                    _reserved.Add((extent.FirstImageBlock, extent.Length));
                    break;
            }

            count++;
            crc = Crc32c.Append(crc, raw);
            return true;
        });
        if (isChecksum)
            throw new CorruptImageException(Corruption.FastCommitChecksum, 0, $"journal: the checksum of the first fast commit after transaction {unchecked(_sequence - 1)} is wrong");
        if (isRefused)
            throw new CorruptImageException(Corruption.FastCommit, 0, $"journal: the first fast commit after transaction {unchecked(_sequence - 1)} makes no sense");
        _reserved.RemoveRange(pending, _reserved.Count - pending);
        return good;
    }

    private void CarryOut(int tags)
    {
        var space = new SpaceEdit(_workspace, _reserved);
        var inodes = new InodeEdit(_workspace, space);
        var names = new NameEdit(_workspace, inodes);
        Walk((tag, _, value) =>
        {
            switch (tag.Type)
            {
                case FastCommitTagType.AddRange:
                    (uint file, Extent extent) = FastCommitTag.Added(value);
                    inodes.AddRange(file, extent);
                    break;
                case FastCommitTagType.DeleteRange:
                    (uint cut, uint first, uint length) = FastCommitTag.Deleted(value);
                    inodes.DeleteRange(cut, first, length);
                    break;
                case FastCommitTagType.Inode:
                    ReadOnlySpan<byte> record = FastCommitTag.Inode(value, out uint number);
                    inodes.Replace(number, record);
                    names.Forget(number);
                    break;
                case FastCommitTagType.Create or FastCommitTagType.Link or FastCommitTagType.Unlink:
                    ReadOnlySpan<byte> name = FastCommitTag.Entry(value, out uint directory, out uint inode);
                    if (tag.Type == FastCommitTagType.Unlink)
                        names.Unlink(directory, name, inode);
                    else
                        names.Link(directory, name, inode, isNew: tag.Type == FastCommitTagType.Create);
                    break;
            }

            return --tags > 0;
        });
        inodes.Finish();
        names.Finish();
    }

    /// <summary>Shows all tags, until the visitor has had enough. What is no tag is shown as none.</summary>
    private void Walk(Visitor visitor)
    {
        int tags = 0;
        for (uint block = _journal.FastCommits.First; block < _journal.FastCommits.End; block++)
        {
            _file.Read(block, _block);
            // An area that does not start with a head was never used.
            if (block == _journal.FastCommits.First && LittleEndian.U16(_block, 0) != (ushort)FastCommitTagType.Head)
                return;
            ReadOnlySpan<byte> left = _block;
            while (left.Length >= FastCommitTag.HeaderSize)
            {
                if (++tags > MaximumTags)
                    throw new CorruptImageException(Corruption.FastCommit, 0, $"journal: more than {MaximumTags} changes in fast commits");
                if (!FastCommitTag.TryParse(left, _inodeSize, out FastCommitTag tag))
                {
                    visitor(default, [], []);
                    return;
                }

                int size = FastCommitTag.HeaderSize + tag.Length;
                if (!visitor(tag, left[..size], left[FastCommitTag.HeaderSize..size]))
                    return;
                left = left[size..];
            }
        }
    }
}
