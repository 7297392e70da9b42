using System.Runtime.CompilerServices;

namespace Ext4Reader.Directories;

/// <summary>A place in a directory's index: for each level the node's file block and the entry taken.</summary>
internal struct HashTreePath
{
    /// <summary>Root and up to two levels below it.</summary>
    internal const int MaximumLevels = 3;

    private Nodes _nodes;

    /// <summary>Levels of nodes, the root's included.</summary>
    internal int Levels;

    /// <summary>The file block with the names.</summary>
    internal uint Leaf;

    /// <summary>The lowest hash in the leaf; bit 0 set if it continues the leaf before.</summary>
    internal uint LowestHash;

    internal readonly uint Block(int level) => _nodes[level].Block;

    internal readonly int Entry(int level) => _nodes[level].Entry;

    internal void Set(int level, uint block, int entry) => _nodes[level] = (block, entry);

    /// <summary>Whether a node is already part of the path above a level: a loop, then.</summary>
    internal readonly bool Contains(uint block, int level)
    {
        for (int above = 0; above < level; above++)
        {
            if (_nodes[above].Block == block)
                return true;
        }

        return false;
    }

    [InlineArray(MaximumLevels)]
    private struct Nodes
    {
        private (uint Block, int Entry) _first;
    }
}
