using Mono.Unix.Native;
using TestSupport;
using TestSupport.Trees;
using Xunit;

namespace EndToEnd.Tests.Recovery;

/// <summary>
/// Inodes are freed by e2fsck and their numbers given to other files by another mount. Whoever held the old file gets an error, never a byte, an attribute or
/// a name of the new one; and by its path the new file is there.
/// </summary>
public sealed class RecycledInodeTests(RecycledInodeTests.Stage stage) : IClassFixture<RecycledInodeTests.Stage>
{
    private static readonly string Foreign = OwnText.Of("foreign");

    private RecycledScene Scene => stage.Scene;

    [OracleFact("setfattr")]
    public void A_descriptor_of_which_nothing_was_read_is_stale()
    {
        Errors.Stale(() => Scene.Cold.Read(0, 100));
        Errors.Stale(() => Scene.Cold.Read(150_000, 100));
        Errors.Stale(() => Scene.Cold.Seek(0, 4)); // SEEK_HOLE
    }

    [OracleFact("setfattr")]
    public void A_descriptor_whose_pages_are_cached_is_stale() => Errors.Stale(() => Scene.Warm.Read(0, 100));

    [OracleFact("setfattr")]
    public void Attributes_of_a_descriptor_are_stale()
    {
        Errors.Stale(() => Scene.Cold.Status());
        Errors.Stale(() => Scene.Warm.Status());
    }

    [OracleFact("setfattr")]
    public void A_read_that_waited_for_the_worker_is_stale()
    {
        CommandResult said = Mounted.End(Scene.Waiter);
        Assert.Equal("", said.Output);
        Assert.Contains("Stale file handle", said.Errors, StringComparison.Ordinal);
    }

    [OracleFact("setfattr")]
    public void A_mapping_is_an_error_wherever_it_is_touched()
    {
        Errors.Are(Errno.EFAULT, () => Scene.Mapping.Touch(0, 100)); // was there
        Errors.Are(Errno.EFAULT, () => Scene.Mapping.Touch(180_000, 100)); // was not
    }

    [OracleFact("setfattr")]
    public void A_process_that_touches_a_mapping_ends_instead_of_seeing_a_byte()
    {
        CommandResult said = Mounted.Read(Scene.Toucher);
        Assert.Equal("", said.Output);
        Assert.InRange(said.ExitCode, 129, 255); // SIGBUS, or what the runtime makes of it
    }

    [OracleFact("setfattr")]
    public void A_descriptor_that_was_opened_by_handle_is_stale()
    {
        Errors.Stale(() => Scene.OpenedByHandle.Read(0, 100));
        Errors.Stale(() => Scene.OpenedByHandle.Status());
    }

    [OracleFact("setfattr")]
    public void A_working_directory_is_stale()
    {
        CommandResult said = Mounted.Read(Scene.InFolder);
        Assert.DoesNotContain("foreign", said.Output, StringComparison.Ordinal);
        Assert.Matches("^listed [12]\nread 1\n", said.Output);
        Assert.Contains("Stale file handle", said.Errors, StringComparison.Ordinal);
    }

    [OracleFact("setfattr")]
    public void A_file_whose_number_is_a_directorys_now_is_stale()
    {
        Errors.Stale(() => Scene.Turncoat.Read(0, 100));
        Errors.Stale(() => Scene.Turncoat.Status());
        Assert.Equal(Foreign, Scene.Mounted.Cat("new-turncoat/inside").OrThrow().Output);
    }

    [OracleFact("setfattr")]
    public void A_directory_whose_number_is_a_files_now_is_stale()
    {
        Scene.Flat.Seek(0, 0);
        Errors.Stale(() => Scene.Flat.List());
        Assert.Equal(Foreign, Scene.Mounted.Cat("new-flat").OrThrow().Output);
    }

    [OracleFact("setfattr")]
    public void A_file_that_is_freed_and_not_reused_is_stale()
    {
        Errors.Stale(() => Scene.Freed.Read(0, 100));
        Errors.Stale(() => Scene.Freed.Read(100_000, 100));
        Errors.Stale(() => Scene.Freed.Status());
    }

    [OracleFact("setfattr")]
    public void A_handle_is_stale_and_other_handles_open_their_files()
    {
        Errors.Stale(() => Scene.Handle.Open(Scene.Mounted.MountPoint).Dispose());
        using OpenDescriptor steady = Scene.SteadyHandle.Open(Scene.Mounted.MountPoint);
        Assert.Equal(OwnText.Of("steady"), OwnText.Text(steady.Read(0, OwnText.Size)));
    }

    [OracleFact("setfattr")]
    public void A_symbolic_link_is_stale_for_its_holder_and_new_by_its_path()
    {
        Errors.Stale(() => Scene.Link.ReadLink());
        Assert.Equal("elsewhere", OwnText.Text(Posix.ReadLink(Scene.Mounted.PathOf("link"))));
    }

    [OracleFact("setfattr")]
    public void Extended_attributes_are_stale_for_the_holder_and_new_by_path()
    {
        Errors.Stale(() => Scene.Tagged.Attribute("user.owner"));
        Assert.Equal("foreign", OwnText.Text(Posix.Attribute(Scene.Mounted.PathOf("new-tagged"), "user.owner")));
    }

    [OracleFact("setfattr")]
    public void A_cached_name_is_gone_and_a_cached_absence_is_there()
    {
        Assert.Contains("No such file", Scene.Mounted.Cat("cold").Errors, StringComparison.Ordinal);
        Assert.Equal(Foreign, Scene.Mounted.Cat("new-cold").OrThrow().Output);
    }

    [OracleFact("setfattr")]
    public void A_cached_name_that_is_another_file_of_the_same_number_now_is_that_file() =>
        Assert.Equal(Foreign, Scene.Mounted.Cat("same").OrThrow().Output);

    [OracleFact("setfattr")]
    public void What_e2fsck_moved_to_lost_and_found_goes_on_for_its_holder()
    {
        Assert.Equal(OwnText.Of("inside"), OwnText.Text(Scene.Inside.Read(0, OwnText.Size)));
        Assert.Equal(Foreign, Scene.Mounted.Cat("folder/inside").OrThrow().Output);
    }

    [OracleFact("setfattr")]
    public void What_nobody_touched_goes_on()
    {
        Assert.Equal(OwnText.Of("steady"), OwnText.Text(Scene.Steady.Read(0, OwnText.Size)));
        Assert.Equal("steady", Mounted.Read(Scene.InRoot).OrThrow().Output);
    }

    /// <summary>The scene, made by the first test that looks at it.</summary>
    public sealed class Stage : IDisposable
    {
        private readonly Lazy<RecycledScene> _scene = new(() => new RecycledScene());

        internal RecycledScene Scene => _scene.Value;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (_scene.IsValueCreated)
                _scene.Value.Dispose();
        }
    }
}
