using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fuse4fs.Protocol;
using Fuse4fs.Protocol.Dialects;
using Xunit;

namespace Fuse4fs.Tests;

/// <summary>Sizes and offsets of include/uapi/linux/fuse.h, protocol 7.45: the kernel refuses a message that differs by a byte.</summary>
public class WireLayoutTests
{
    [Fact]
    public void Every_structure_has_the_size_that_the_kernel_expects()
    {
        Assert.Equal(40, Unsafe.SizeOf<InHeader>());
        Assert.Equal(16, Unsafe.SizeOf<InitIn>());
        Assert.Equal(8, Unsafe.SizeOf<ForgetIn>());
        Assert.Equal(16, Unsafe.SizeOf<GetAttrIn>());
        Assert.Equal(24, Unsafe.SizeOf<StatxIn>());
        Assert.Equal(40, Unsafe.SizeOf<ReadIn>());
        Assert.Equal(8, Unsafe.SizeOf<GetXattrIn>());
        Assert.Equal(8, Unsafe.SizeOf<AccessIn>());
        Assert.Equal(24, Unsafe.SizeOf<LSeekIn>());
        Assert.Equal(32, Unsafe.SizeOf<IoctlIn>());
        Assert.Equal(16, Unsafe.SizeOf<OutHeader>());
        Assert.Equal(64, Unsafe.SizeOf<InitOut>());
        Assert.Equal(88, Unsafe.SizeOf<Attr>());
        Assert.Equal(128, Unsafe.SizeOf<EntryOut>());
        Assert.Equal(104, Unsafe.SizeOf<AttrOut>());
        Assert.Equal(256, Unsafe.SizeOf<Statx>());
        Assert.Equal(288, Unsafe.SizeOf<StatxOut>());
        Assert.Equal(16, Unsafe.SizeOf<OpenOut>());
        Assert.Equal(80, Unsafe.SizeOf<StatFsOut>());
        Assert.Equal(8, Unsafe.SizeOf<GetXattrOut>());
        Assert.Equal(8, Unsafe.SizeOf<LSeekOut>());
        Assert.Equal(16, Unsafe.SizeOf<IoctlOut>());
        Assert.Equal(24, Unsafe.SizeOf<Dirent>());
        Assert.Equal(40, Unsafe.SizeOf<Entry2Out>());
        Assert.Equal(24, Unsafe.SizeOf<CompoundIn>());
        Assert.Equal(16, Unsafe.SizeOf<CompoundOut>());
    }

    [Fact]
    public void Fields_are_where_the_kernel_looks_for_them()
    {
        Assert.Equal(36, Offset<InHeader>(nameof(InHeader.TotalExtLength)));
        Assert.Equal(32, Offset<InitOut>(nameof(InitOut.Flags2)));
        Assert.Equal(40, Offset<InitOut>(nameof(InitOut.RequestTimeout)));
        Assert.Equal(42, Offset<InitOut>(nameof(InitOut.MaxHandleSize)));
        Assert.Equal(28, Offset<InitOut>(nameof(InitOut.MaxPages)));
        Assert.Equal(24, Offset<Entry2Out>(nameof(Entry2Out.EntryValidNanoseconds)));
        Assert.Equal(8, Offset<CompoundIn>(nameof(CompoundIn.ResultSize)));
        Assert.Equal(40, Offset<EntryOut>(nameof(EntryOut.Attr)));
        Assert.Equal(60, Offset<Attr>(nameof(Attr.Mode)));
        Assert.Equal(76, Offset<Attr>(nameof(Attr.Device)));
        Assert.Equal(28, Offset<Statx>(nameof(Statx.Mode)));
        Assert.Equal(80, Offset<Statx>(nameof(Statx.BirthTime)));
        Assert.Equal(112, Offset<Statx>(nameof(Statx.ModificationTime)));
        Assert.Equal(128, Offset<Statx>(nameof(Statx.DeviceMajor)));
        Assert.Equal(32, Offset<StatxOut>(nameof(StatxOut.Stat)));
        Assert.Equal(48, Offset<StatFsOut>(nameof(StatFsOut.FragmentSize)));
        Assert.Equal(16, Offset<ReadIn>(nameof(ReadIn.Size)));
        Assert.Equal(24, Offset<IoctlIn>(nameof(IoctlIn.InSize)));
    }

    private static int Offset<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
