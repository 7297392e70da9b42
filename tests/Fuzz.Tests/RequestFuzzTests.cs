using System.Runtime.CompilerServices;
using Ext4Reader;
using Fuse4fs.Server;
using Fuse4fs.State;
using Handles;
using Microsoft.Extensions.Logging;
using TestSupport;
using Xunit;

namespace Fuzz.Tests;

/// <summary>Any bytes as a request, over sound and broken images: one well-formed reply, or none where none is expected.</summary>
public sealed class RequestFuzzTests
{
    private const int RequestsPerCase = 500;
    private const int ReplySize = 128 * 1024;

    private static readonly string[] Recipes = ["ext4", "ext2", "xattrs", "acls", "htree-two-levels", "hash-legacy-unsigned", "sparse", "symlinks", "blocks-64k", "devices"];

    [Fact]
    public void Every_message_gets_one_well_formed_reply_or_none()
    {
        var images = new Dictionary<string, ImageUnderFuzz>();
        byte[] reply = new byte[ReplySize];
        try
        {
            int cases = Rounds.Run("requests", (number, random) =>
            {
                string recipe = Recipes[number % Recipes.Length];
                if (!images.TryGetValue(recipe, out ImageUnderFuzz? image))
                    images[recipe] = image = new ImageUnderFuzz(recipe);
                if (random.Next(2) == 0)
                    Ask(image, random, reply, "sound");
                else
                    image.With(random, mutation => Ask(image, random, reply, mutation.Description));
            });
            Assert.True(cases > 0);
        }
        finally
        {
            foreach (ImageUnderFuzz image in images.Values)
                image.Dispose();
        }
    }

    private static void Ask(ImageUnderFuzz sample, Random random, byte[] reply, string state)
    {
        Ext4Image image;
        try
        {
            image = sample.Open();
        }
        catch (Exception problem) when (problem is Ext4Exception or IOException)
        {
            return;
        }

        using SessionState session = SessionState.Create(new ServeOptions { UserId = -1, GroupId = -1 });
        var log = new Complaints();
        var dispatcher = new Dispatcher(new Ext4FileSystem(image, session), new FaultLog(log));
        using (image)
        {
            var requests = new Requests(random, [.. Nodes(image, sample.Sound)], Names(image));
            for (int count = 0; count < RequestsPerCase; count++)
            {
                byte[] request = requests.Next();
                int length = dispatcher.Dispatch(request, reply);
                try
                {
                    ReplyCheck.IsWellFormed(request, reply.AsSpan(0, length));
                    Assert.Empty(log.Bugs);
                }
                catch (Exception problem)
                {
                    string shown = Convert.ToHexStringLower(request.AsSpan(0, Math.Min(request.Length, 200)));
                    throw new InvalidOperationException($"{sample.Name}, {state}, request {count}: {shown}", problem);
                }
            }
        }
    }

    private static IEnumerable<ulong> Nodes(Ext4Image image, Survey sound)
    {
        yield return NodeId.Root.Value;
        foreach (uint number in sound.Inodes.Keys)
        {
            ulong node = number;
            try
            {
                if (image.TryGetInode(number, out Inode inode))
                    node = NodeId.From(FileHandle.Of(inode.Number, inode.Generation, inode.RawBirthTime)).Value;
            }
            catch (Exception problem) when (problem is Ext4Exception or IOException)
            {
                // A node that cannot be read is asked for all the same.
            }

            yield return node;
        }
    }

    private static List<byte[]> Names(Ext4Image image)
    {
        var names = new NameCollector([]);
        try
        {
            image.List(image.GetRoot(), 0, ref names);
        }
        catch (Exception problem) when (problem is Ext4Exception or IOException)
        {
            // What came before it will do.
        }

        names.Names.Add("hello.txt"u8.ToArray());
        return names.Names;
    }

    private readonly struct NameCollector(List<byte[]> names) : IDirectoryVisitor
    {
        public List<byte[]> Names => names;

        public bool Visit(in ListedName entry)
        {
            names.Add(entry.Name.ToArray());
            return names.Count < 1000;
        }
    }

    /// <summary>Keeps what the program itself calls a bug of its own.</summary>
    private sealed class Complaints : ILogger
    {
        public List<string> Bugs { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string line = formatter(state, exception);
            if (line.Contains("please report", StringComparison.Ordinal))
                Bugs.Add(line);
        }
    }
}
