namespace Fuse4fs.Protocol;

/// <summary>Linux error numbers, under the names that errno(3) gives them.</summary>
#pragma warning disable CA1008 // the zero value is named for what it says: no error
internal enum Errno
{
    Ok = 0,
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    EBADF = 9,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENOTTY = 25,
    EROFS = 30,
    EPIPE = 32,
    ERANGE = 34,
    ENAMETOOLONG = 36,
    ENOSYS = 38,
    ENODATA = 61,
    EBADMSG = 74,
    EOVERFLOW = 75,
    EOPNOTSUPP = 95,
    ECONNABORTED = 103,
    ENOTCONN = 107,
    ESTALE = 116,
    EUCLEAN = 117,
    ECANCELED = 125,
    ENOKEY = 126,
}
#pragma warning restore CA1008
