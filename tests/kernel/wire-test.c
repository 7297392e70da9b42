/*
 * Tests of the kernel's LOOKUP_HANDLE, by the bytes: a server that speaks raw FUSE, can lie and can be restarted, and beside it
 * the process that uses its mount and compares. What a well-behaved server never sends is sent here.
 *
 * The server shares its little world (files, handles, counts of requests) with the test, which changes it as it likes.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MNT "/mnt/wire"
#define FOREVER 1000000000u
#define PAGE 4096
#define SECONDS 30 /* of a test */

/* --- The protocol, as far as it is used here. --- */

enum {
	LOOKUP = 1, FORGET = 2, GETATTR = 3, READLINK = 5, SYMLINK = 6, MKNOD = 8, MKDIR = 9, LINK = 13, OPEN = 14, READ = 15,
	STATFS = 17, RELEASE = 18, FLUSH = 25, INIT = 26, OPENDIR = 27, READDIR = 28, RELEASEDIR = 29, CREATE = 35, INTERRUPT = 36,
	DESTROY = 38, BATCH_FORGET = 42, READDIRPLUS = 44, TMPFILE = 51, LOOKUP_HANDLE = 54, OPCODES = 64
};
enum { NOTIFY_RESEND = 7, NOTIFY_RESTARTED = 10 };
#define INIT_EXPORT_SUPPORT (1u << 4)
#define INIT_AUTO_INVAL (1u << 12)
#define INIT_READDIRPLUS (1u << 13)
#define INIT_PARALLEL_DIROPS (1u << 18)
#define INIT_CACHE_SYMLINKS (1u << 23)
#define INIT_EXT (1u << 30)
#define INIT2_SUPP_GROUP (1u << 2)
#define INIT2_HANDLES (1u << 11)

struct in_header { uint32_t len, opcode; uint64_t unique, nodeid; uint32_t uid, gid, pid; uint16_t extlen, padding; };
struct out_header { uint32_t len; int32_t error; uint64_t unique; };
struct attr {
	uint64_t ino, size, blocks, atime, mtime, ctime;
	uint32_t atimensec, mtimensec, ctimensec, mode, nlink, uid, gid, rdev, blksize, flags;
};
struct entry { uint64_t nodeid, generation, entry_valid, attr_valid; uint32_t entry_nsec, attr_nsec; struct attr attr; };
struct handle { uint32_t size, type; unsigned char bytes[160]; };
#define HANDLE_HEADER 8
#define ALIGN8(n) (((n) + 7) & ~(size_t)7)

/* --- The world. --- */

struct node {
	int used, gone, parent;
	char name[64], other_name[64]; /* the second one is a hard link, in the same directory */
	uint64_t nodeid, generation, size, mtime, ctime;
	uint32_t mode;
	char fill; /* its contents */
	struct handle handle;
	long lookups; /* counted by the kernel and not forgotten */
};

enum lie { TRUTH, SIZE_ZERO, SIZE_TOO_LARGE, TRUNCATED, TRAILING, NO_HANDLE };

static struct world {
	/* what the server is to do: announce handles, and send them */
	int announces, handles;
	unsigned int max_handle_sz, flags, entry_valid, attr_valid;
	enum lie lie; /* in the next entries for liar */
	int liar, hang, delay, gid;
	int negative; /* what is not there is answered with nodeid 0, to be cached */
	int refuse; /* the error that answers LOOKUP_HANDLE of "." */
	/* what came */
	uint32_t offered, offered2;
	unsigned long asked[OPCODES], resent;
	struct { uint64_t nodeid; char name[64]; /* cut off */ int sent; struct handle handle; uint16_t extlen; } last[OPCODES];
	uint64_t last_fh;
	/* of the storm */
	int stop;
	unsigned long done, wrong;
	char what[200];
	struct node node[32];
} *w;

enum { ROOT, A, B, DIR_, INNER, LINK_, BIG, FREE };

static void name_handle(struct node *n, unsigned int size, unsigned int type, unsigned char seed)
{
	n->handle.size = size;
	n->handle.type = type;
	for (unsigned int i = 0; i < size && i < sizeof(n->handle.bytes); i++)
		n->handle.bytes[i] = seed + i;
}

static void add(int index, int parent, const char *name, uint32_t mode, uint64_t size, char fill, unsigned int handle_size)
{
	struct node *n = &w->node[index];

	memset(n, 0, sizeof(*n));
	n->used = 1;
	n->parent = parent;
	strcpy(n->name, name);
	n->nodeid = index == ROOT ? 1 : 100 + index;
	n->generation = index == ROOT ? 0 : 7;
	n->mode = mode;
	n->size = size;
	n->mtime = n->ctime = 1000 + index;
	n->fill = fill;
	name_handle(n, handle_size, 0x1000 + index, index * 16);
}

static void make_world(unsigned int handle_size)
{
	memset(w, 0, sizeof(*w));
	w->announces = w->handles = handle_size > 0;
	w->max_handle_sz = handle_size;
	w->entry_valid = w->attr_valid = FOREVER;
	w->flags = INIT_PARALLEL_DIROPS | INIT_READDIRPLUS | INIT_CACHE_SYMLINKS;
	w->liar = -1;
	add(ROOT, ROOT, "", S_IFDIR | 0755, 4096, 0, handle_size);
	add(A, ROOT, "a", S_IFREG | 0644, 4 * PAGE, 'a', handle_size);
	add(B, ROOT, "b", S_IFREG | 0644, 64 * PAGE, 'b', handle_size);
	add(DIR_, ROOT, "dir", S_IFDIR | 0755, 4096, 0, handle_size);
	add(INNER, DIR_, "inner", S_IFREG | 0644, PAGE, 'i', handle_size);
	add(LINK_, ROOT, "link", S_IFLNK | 0777, 8, 't', handle_size);
}

/* --- The server. It must not allocate: a test may wait in a page fault for it. --- */

static int device;
static unsigned char request[1 << 17], answer[1 << 17];

static struct node *by_id(uint64_t nodeid)
{
	for (int i = 0; i < 32; i++)
		if (w->node[i].used && !w->node[i].gone && w->node[i].nodeid == nodeid)
			return &w->node[i];
	return NULL;
}

static struct node *by_name(struct node *dir, const char *name)
{
	if (!strcmp(name, "."))
		return dir;
	if (!strcmp(name, ".."))
		return &w->node[dir->parent];
	for (int i = 1; i < 32; i++) {
		struct node *n = &w->node[i];

		if (n->used && !n->gone && &w->node[n->parent] == dir && (!strcmp(n->name, name) || !strcmp(n->other_name, name)))
			return n;
	}
	return NULL;
}

static void reply(const struct in_header *in, int error, size_t size)
{
	struct out_header out = { sizeof(out) + (error ? 0 : size), -error, in->unique };
	struct iovec parts[] = { { &out, sizeof(out) }, { answer, size } };

	if (writev(device, parts, error ? 1 : 2) < 0 && errno != ENOENT)
		fprintf(stderr, "# server: reply to %u refused: %s\n", in->opcode, strerror(errno));
}

static void fill_attr(struct attr *a, const struct node *n)
{
	*a = (struct attr){ .ino = n->nodeid, .size = n->size, .mtime = n->mtime, .ctime = n->ctime, .atime = n->mtime, .mode = n->mode,
			    .gid = w->gid, .nlink = 1, .blksize = PAGE };
}

/* An entry with its handle; returns its length. */
static size_t put_entry(unsigned char *at, struct node *n, int aligned)
{
	struct entry *e = (struct entry *)at;
	struct handle *h = (struct handle *)(at + sizeof(*e));
	size_t size = sizeof(*e);

	memset(at, 0, sizeof(*e) + sizeof(*h));
	e->nodeid = n->nodeid;
	e->generation = n->generation;
	e->entry_valid = w->entry_valid;
	e->attr_valid = w->attr_valid;
	fill_attr(&e->attr, n);
	n->lookups++;
	if (!w->handles || aligned)
		return size;
	memcpy(h, &n->handle, HANDLE_HEADER + n->handle.size);
	size += HANDLE_HEADER + n->handle.size;
	if (w->liar == n - w->node) {
		switch (w->lie) {
		case SIZE_ZERO: h->size = 0; size = sizeof(*e) + HANDLE_HEADER; break;
		case SIZE_TOO_LARGE: h->size = w->max_handle_sz + 1; size = sizeof(*e) + HANDLE_HEADER + w->max_handle_sz; break;
		case TRUNCATED: size -= 1; break;
		case TRAILING: h->size -= 1; break;
		case NO_HANDLE: size = sizeof(*e); break;
		default: break;
		}
	}
	return size;
}

static size_t put_open(unsigned char *at)
{
	memset(at, 0, 16);
	*(uint64_t *)at = 0x1234567890ab;
	*(uint32_t *)(at + 8) = 2 | 8 | 32; /* KEEP_CACHE, CACHE_DIR, NOFLUSH */
	return 16;
}

/* Where the names of a request begin, and how many there are. */
static void names_of(uint32_t opcode, size_t *start, int *count)
{
	*count = opcode == SYMLINK ? 2 : 1;
	*start = sizeof(struct in_header);
	switch (opcode) {
	case CREATE: case TMPFILE: case MKNOD: *start += 16; break;
	case MKDIR: case LINK: *start += 8; break;
	}
}

/* Notes the trailing handle, and says whether it is that of the node. */
static int trailing_is_wrong(const struct in_header *in, struct node *n, const char **name)
{
	size_t at, end = in->len - in->extlen * 8;
	int names;

	names_of(in->opcode, &at, &names);
	*name = (const char *)request + at;
	while (names--)
		at += strlen((const char *)request + at) + 1;
	w->last[in->opcode].nodeid = in->nodeid;
	w->last[in->opcode].extlen = in->extlen;
	memcpy(w->last[in->opcode].name, *name, strlen(*name) < 63 ? strlen(*name) + 1 : 63);
	w->last[in->opcode].sent = end > at;
	memset(&w->last[in->opcode].handle, 0, sizeof(struct handle));
	if (end <= at)
		return 0;
	if (end - at > sizeof(struct handle))
		return 1;
	memcpy(&w->last[in->opcode].handle, request + at, end - at);
	if (w->last[in->opcode].handle.size != end - at - HANDLE_HEADER)
		w->last[in->opcode].sent = -1;
	return memcmp(&w->last[in->opcode].handle, &n->handle, HANDLE_HEADER + n->handle.size);
}

static size_t put_dirent(unsigned char *at, uint64_t ino, uint64_t off, uint32_t mode, const char *name)
{
	size_t length = strlen(name);

	memset(at, 0, ALIGN8(24 + length));
	*(uint64_t *)at = ino;
	*(uint64_t *)(at + 8) = off;
	*(uint32_t *)(at + 16) = length;
	*(uint32_t *)(at + 20) = mode >> 12;
	memcpy(at + 24, name, length);
	return ALIGN8(24 + length);
}

static size_t list(struct node *dir, uint64_t from, int plus)
{
	size_t size = 0;

	for (int i = from; i < 32; i++) {
		struct node *n = &w->node[i];
		struct handle *h;

		if (!n->used || n->gone || i == ROOT || &w->node[n->parent] != dir)
			continue;
		if (plus)
			size += put_entry(answer + size, n, 1);
		size += put_dirent(answer + size, n->nodeid, i + 1, n->mode, n->name);
		if (!plus || !w->handles)
			continue;
		h = (struct handle *)(answer + size);
		memset(h, 0, sizeof(*h));
		memcpy(h, &n->handle, HANDLE_HEADER + n->handle.size);
		if (w->liar == i && w->lie == SIZE_ZERO)
			h->size = 0;
		size += ALIGN8(HANDLE_HEADER + h->size);
		if (w->liar == i && w->lie == SIZE_TOO_LARGE)
			h->size = w->max_handle_sz + 1;
		if (w->liar == i && w->lie == TRUNCATED)
			size -= 8;
	}
	return size;
}

static void forget(uint64_t nodeid, uint64_t count)
{
	for (int i = 0; i < 32; i++)
		if (w->node[i].used && w->node[i].nodeid == nodeid && w->node[i].lookups) {
			w->node[i].lookups -= count;
			return;
		}
}

static void serve_one(const struct in_header *in)
{
	unsigned char *body = request + sizeof(*in);
	struct node *n = by_id(in->nodeid), *found;
	const char *name;
	size_t size;

	if (in->opcode < OPCODES) {
		__atomic_add_fetch(&w->asked[in->opcode], 1, __ATOMIC_SEQ_CST);
		if (in->unique >> 63)
			w->resent++;
	}
	if (w->delay)
		usleep(w->delay);
	switch (in->opcode) {
	case INIT: {
		uint32_t *out = (uint32_t *)answer;

		w->offered = ((uint32_t *)body)[3];
		w->offered2 = ((uint32_t *)body)[4];
		memset(answer, 0, 64);
		out[0] = 7;
		out[1] = 45;
		out[2] = 131072;
		out[3] = w->flags | INIT_EXT;
		out[5] = 65536;
		out[6] = 1;
		out[8] = (w->announces ? INIT2_HANDLES : 0) | (w->gid ? INIT2_SUPP_GROUP : 0);
		*(uint16_t *)(answer + 42) = w->max_handle_sz;
		return reply(in, 0, 64);
	}
	case FORGET:
		return forget(in->nodeid, *(uint64_t *)body);
	case BATCH_FORGET:
		for (uint32_t i = 0; i < *(uint32_t *)body; i++)
			forget(((uint64_t *)(body + 8))[2 * i], ((uint64_t *)(body + 8))[2 * i + 1]);
		return;
	case INTERRUPT:
		return;
	case DESTROY:
		return reply(in, 0, 0);
	}
	if (!n)
		return reply(in, ESTALE, 0);
	switch (in->opcode) {
	case LOOKUP:
	case LOOKUP_HANDLE:
		if (trailing_is_wrong(in, n, &name))
			return reply(in, ESTALE, 0);
		if (w->refuse && !strcmp(name, "."))
			return reply(in, w->refuse, 0);
		found = by_name(n, name);
		if (!found && w->negative) {
			memset(answer, 0, sizeof(struct entry));
			((struct entry *)answer)->entry_valid = FOREVER;
			return reply(in, 0, sizeof(struct entry));
		}
		return found ? reply(in, 0, put_entry(answer, found, 0)) : reply(in, ENOENT, 0);
	case CREATE: case TMPFILE: case MKNOD: case MKDIR: case SYMLINK: case LINK:
		if (trailing_is_wrong(in, n, &name))
			return reply(in, ESTALE, 0);
		if (in->opcode == LINK) {
			found = by_id(*(uint64_t *)body);
			strcpy(found->other_name, name);
		} else {
			int index = FREE;

			while (w->node[index].used)
				index++;
			found = &w->node[index];
			add(index, n - w->node, in->opcode == TMPFILE ? "" : name,
			    in->opcode == MKDIR ? S_IFDIR | 0755 : in->opcode == SYMLINK ? S_IFLNK | 0777 : S_IFREG | 0644, 10, 'n',
			    w->node[ROOT].handle.size);
		}
		size = put_entry(answer, found, 0);
		if (in->opcode == CREATE || in->opcode == TMPFILE)
			size += put_open(answer + size);
		return reply(in, 0, size);
	case GETATTR:
		memset(answer, 0, 16);
		*(uint64_t *)answer = w->attr_valid;
		fill_attr((struct attr *)(answer + 16), n);
		return reply(in, 0, 16 + sizeof(struct attr));
	case OPEN: case OPENDIR:
		return reply(in, 0, put_open(answer));
	case RELEASE: case RELEASEDIR:
		return reply(in, 0, 0);
	case STATFS:
		memset(answer, 0, 80);
		*(uint32_t *)(answer + 40) = PAGE;
		*(uint32_t *)(answer + 44) = 255;
		return reply(in, 0, 80);
	case READLINK:
		memset(answer, n->fill, n->size);
		return reply(in, 0, n->size);
	case READ: {
		uint64_t offset = *(uint64_t *)(body + 8);
		uint32_t length = *(uint32_t *)(body + 16);

		w->last_fh = *(uint64_t *)body;
		while (w->hang)
			usleep(10000);
		size = offset >= n->size ? 0 : n->size - offset < length ? n->size - offset : length;
		memset(answer, n->fill, size);
		return reply(in, 0, size);
	}
	case READDIR: case READDIRPLUS:
		return reply(in, 0, list(n, *(uint64_t *)(body + 8), in->opcode == READDIRPLUS));
	default:
		return reply(in, ENOSYS, 0);
	}
}

static pid_t server;

static void start_server(void)
{
	server = fork();
	if (server)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A request that is copied to or from a page that is not there, at the moment of death, is lost. */
	memset(request, 0, sizeof(request));
	memset(answer, 0, sizeof(answer));
	/* It must not hold what it serves. */
	if (chdir("/") || (device > 3 && close_range(3, device - 1, 0)) || close_range(device + 1, ~0u, 0))
		fprintf(stderr, "# server: %s\n", strerror(errno));
	for (;;) {
		ssize_t length = read(device, request, sizeof(request));

		if (length >= (ssize_t)sizeof(struct in_header))
			serve_one((struct in_header *)request);
		else if (length < 0 && errno == EPERM)
			usleep(1000); /* not mounted yet */
		else if (length < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			_exit(errno == ENODEV ? 0 : errno);
	}
}

static void stop_server(void)
{
	int status;

	kill(server, SIGKILL);
	waitpid(server, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		printf("# the server had ended before, with %x\n", status);
}

static int notify(int code)
{
	struct out_header out = { sizeof(out), code, 0 };

	return write(device, &out, sizeof(out)) < 0 ? errno : 0;
}

/* Another process takes over, and says so. */
static void restart(void)
{
	stop_server();
	w->hang = 0;
	notify(NOTIFY_RESTARTED);
	notify(NOTIFY_RESEND);
	start_server();
}

/* --- The tests. --- */

static const char *test_name;

__attribute__((format(printf, 2, 3))) static void check(int good, const char *format, ...)
{
	va_list arguments;

	printf("%s - wire: %s: ", good ? "ok" : "not ok", test_name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

static void is(const char *what, long got, long wanted)
{
	if (got == wanted)
		check(1, "%s", what);
	else
		check(0, "%s: %ld, not %ld", what, got, wanted);
}

static unsigned long messages(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < OPCODES; i++)
		if (i != FORGET && i != BATCH_FORGET && i != INTERRUPT && i != RELEASE && i != RELEASEDIR) /* which come when they like */
			sum += w->asked[i];
	return sum;
}

static void count_anew(void) { memset(w->asked, 0, sizeof(w->asked)); }

static void mount_it(void)
{
	char options[200];

	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	start_server();
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (mount("wire", MNT, "fuse.wire", MS_NOSUID | MS_NODEV, options))
		check(0, "mount: %s", strerror(errno));
	while (!w->asked[INIT])
		usleep(1000);
	usleep(10000);
}

static int stat_error(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno : 0;
}

static int fstat_error(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? errno : 0;
}

/* The byte at an offset, or minus the error. */
static int byte_at(int fd, off_t offset)
{
	unsigned char byte;
	ssize_t count = pread(fd, &byte, 1, offset);

	return count < 0 ? -errno : count == 0 ? 0 : byte;
}

static int open_it(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		check(0, "open %s: %s", path, strerror(errno));
	return fd;
}

static int names_in(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	if (!dir)
		return -errno;
	errno = 0;
	while (readdir(dir))
		count++;
	if (errno)
		count = -errno;
	closedir(dir);
	return count;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	/* 4: without a line in the log. What was used of late is spared once. */
	for (int i = 0; i < 4; i++)
		if (pwrite(fd, i ? "2" : "4", 1, 0) != 1)
			check(0, "drop_caches");
	close(fd);
}

/* After everything was closed and dropped the kernel has forgotten what it counted. */
static void is_balanced(void)
{
	long sum = 0;

	for (int tries = 0; tries < 20; tries++) {
		drop_caches();
		sum = 0;
		for (int i = 1; i < 32; i++)
			sum += labs(w->node[i].lookups);
		if (!sum)
			break;
		usleep(50000);
	}
	is("all that was counted is forgotten", sum, 0);
	if (sum)
		for (int i = 1; i < 32; i++)
			if (w->node[i].lookups)
				printf("# %s: %ld\n", w->node[i].name, w->node[i].lookups);
}

static sigjmp_buf bus;
static void on_bus(int signal) { siglongjmp(bus, signal); }
static int touch(const volatile unsigned char *at)
{
	return sigsetjmp(bus, 1) ? -SIGBUS : *at;
}

static int sent_handle_of(int opcode, int index)
{
	return w->last[opcode].sent == 1 && w->last[opcode].nodeid == w->node[index].nodeid &&
	       !memcmp(&w->last[opcode].handle, &w->node[index].handle, HANDLE_HEADER + w->node[index].handle.size);
}

struct fid { struct file_handle h; unsigned char bytes[MAX_HANDLE_SZ]; };

/* The type, or minus the error. */
static int get_fid(const char *path, struct fid *fid, unsigned int room, int flags)
{
	int mount;

	fid->h.handle_bytes = room;
	return name_to_handle_at(AT_FDCWD, path, &fid->h, &mount, flags) ? -errno : fid->h.handle_type;
}

static int open_fid(const struct fid *fid)
{
	int mount = open(MNT, O_RDONLY | O_DIRECTORY), fd;

	fd = open_by_handle_at(mount, (struct file_handle *)&fid->h, O_RDONLY);
	if (fd < 0)
		fd = -errno;
	close(mount);
	return fd;
}

static void off(void)
{
	struct fid fid;

	make_world(0);
	w->flags |= INIT_EXPORT_SUPPORT;
	mount_it();
	is("a file is found", stat_error(MNT "/a"), 0);
	is("the feature is offered", w->offered2 & INIT2_HANDLES, INIT2_HANDLES);
	is("LOOKUP is sent", w->asked[LOOKUP], 1);
	is("LOOKUP_HANDLE is not", w->asked[LOOKUP_HANDLE], 0);
	is("without a handle", w->last[LOOKUP].sent, 0);
	is("file ids are the old ones", get_fid(MNT "/a", &fid, MAX_HANDLE_SZ, 0), 0x81);
	is("of 12 bytes", fid.h.handle_bytes, 12);
	is("READDIRPLUS is understood", names_in(MNT), 4);
	is("CREATE is understood", close(open(MNT "/new", O_CREAT | O_RDWR, 0600)), 0);
	is("a restart cannot be told", notify(NOTIFY_RESTARTED), EINVAL);
	is_balanced();
}

static void sizes(void)
{
	for (unsigned int size = 0; size <= 129; size += 129) {
		if (size) {
			stop_server();
			close(device);
			umount2(MNT, MNT_DETACH);
		}
		make_world(16);
		w->max_handle_sz = size;
		w->handles = 0;
		mount_it();
		check(stat_error(MNT "/a") == 0 && w->asked[LOOKUP] == 1 && !w->asked[LOOKUP_HANDLE],
		      "max_handle_sz %u: the feature is off", size);
	}
}

static void sends(unsigned int size)
{
	struct fid fid;
	char what[64];
	int fd, words = 5 + (size + 3) / 4;

	make_world(size);
	w->flags |= INIT_EXPORT_SUPPORT;
	mount_it();
	count_anew();
	snprintf(what, sizeof(what), "handles of %u bytes: a file is found", size);
	is(what, stat_error(MNT "/a"), 0);
	is("by two LOOKUP_HANDLEs, the first of the root", w->asked[LOOKUP_HANDLE], 2);
	is("and nothing else", messages(), 2);
	check(sent_handle_of(LOOKUP_HANDLE, ROOT), "the second has the root's handle");
	is("a file in a directory is found", stat_error(MNT "/dir/inner"), 0);
	check(sent_handle_of(LOOKUP_HANDLE, DIR_) && !strcmp(w->last[LOOKUP_HANDLE].name, "inner"), "with the directory's handle");
	count_anew();
	is("again", stat_error(MNT "/dir/inner"), 0);
	is("without a message", messages(), 0);
	if (words * 4 <= MAX_HANDLE_SZ) {
		uint32_t *raw = (uint32_t *)fid.bytes;

		is("file ids have the handle", get_fid(MNT "/a", &fid, MAX_HANDLE_SZ, 0), 0x91);
		is("and its size", fid.h.handle_bytes, words * 4);
		check(raw[0] == 0 && raw[1] == 100 + A && raw[2] == 7 && raw[3] == size && raw[4] == 0x1000 + A &&
		      !memcmp(raw + 5, w->node[A].handle.bytes, size), "and are {nodeid, generation, size, type, bytes}");
		is("the room for it is asked for", get_fid(MNT "/a", &fid, 0, 0), -EOVERFLOW);
		is("in bytes", fid.h.handle_bytes, words * 4);
	}
	is("in a small buffer they are the old ones", get_fid(MNT "/a", &fid, 12, 0), 0x81);
	if (words * 4 > MAX_HANDLE_SZ)
		is("and in a large one, too", get_fid(MNT "/a", &fid, MAX_HANDLE_SZ, 0), 0x81);
	is("create", (fd = open(MNT "/dir/new", O_CREAT | O_RDWR, 0600)) < 0, 0);
	check(sent_handle_of(CREATE, DIR_), "CREATE has the directory's handle");
	is("its open file is used", byte_at(fd, 0), 'n');
	check(w->last_fh == 0x1234567890ab, "with the number behind the handle");
	close(fd);
	is("mkdir", mkdir(MNT "/dir/d", 0700), 0);
	check(sent_handle_of(MKDIR, DIR_), "MKDIR has the directory's handle");
	is("mknod", mknod(MNT "/dir/n", S_IFREG | 0600, 0), 0);
	check(sent_handle_of(MKNOD, DIR_), "MKNOD has the directory's handle");
	is("symlink", symlink("t", MNT "/dir/s"), 0);
	check(sent_handle_of(SYMLINK, DIR_), "SYMLINK has the directory's handle");
	is("link", link(MNT "/dir/inner", MNT "/dir/l"), 0);
	check(sent_handle_of(LINK, DIR_), "LINK has the directory's handle");
	is("tmpfile", (fd = open(MNT "/dir", O_TMPFILE | O_RDWR, 0600)) < 0, 0);
	check(sent_handle_of(TMPFILE, DIR_), "TMPFILE has the directory's handle");
	close(fd);
	count_anew();
	is("what was made is known", stat_error(MNT "/dir/d") | stat_error(MNT "/dir/s") | stat_error(MNT "/dir/l"), 0);
	is("without a message", messages(), 0);
	is_balanced();
}

static void inline_handles(void) { sends(16); }
static void inline_limit(void) { sends(24); }
static void odd_handles(void) { sends(25); }
static void tiny_handles(void) { sends(1); }
static void large_handles(void) { sends(128); }

static void lies(void)
{
	static const char *const names[] = { "", "size 0", "size too large", "truncated", "bytes behind it", "no handle" };
	int fd;

	make_world(16);
	mount_it();
	stat_error(MNT "/dir");
	for (enum lie lie = SIZE_ZERO; lie <= NO_HANDLE; lie++) {
		w->lie = lie;
		w->liar = A;
		check(stat_error(MNT "/a") == EIO, "LOOKUP_HANDLE, %s: EIO", names[lie]);
		w->liar = FREE;
		fd = open(MNT "/new", O_CREAT | O_RDWR, 0600);
		check(fd < 0 && errno == EIO, "CREATE, %s: EIO", names[lie]);
		w->node[FREE].gone = 1;
		w->liar = -1;
		check(stat_error(MNT "/new") == ENOENT, "and there is nothing");
		for (int tries = 0; tries < 20 && w->node[FREE].lookups; tries++)
			usleep(50000);
		check(w->node[FREE].lookups == 0, "what it counted is forgotten");
		w->node[FREE].used = w->node[FREE].gone = 0;
	}
	is("the truth is taken", stat_error(MNT "/a"), 0);
	is_balanced();
}

static void listing(void)
{
	make_world(16);
	mount_it();
	is("READDIRPLUS: all names", names_in(MNT), 4);
	is("one request", w->asked[READDIRPLUS] >= 1, 1);
	count_anew();
	is("what was listed is known", stat_error(MNT "/a") | stat_error(MNT "/dir") | stat_error(MNT "/link"), 0);
	is("without a message", messages(), 0);
	is("a name in a listed directory", stat_error(MNT "/dir/inner"), 0);
	check(sent_handle_of(LOOKUP_HANDLE, DIR_), "is asked for with the handle from the listing");
	is_balanced();
}

static void listing_lies(void)
{
	make_world(16);
	w->lie = SIZE_ZERO;
	w->liar = B;
	mount_it();
	is("an entry without a handle is listed", names_in(MNT), 4);
	count_anew();
	w->liar = -1;
	is("and found", stat_error(MNT "/b"), 0);
	is("by a lookup", w->asked[LOOKUP_HANDLE], 1);
	is_balanced();
	w->node[ROOT].mtime++;
	w->lie = SIZE_TOO_LARGE;
	w->liar = B;
	restart();
	is("a handle that is too large fails the listing", names_in(MNT), -EIO);
	w->lie = TRUNCATED;
	w->liar = LINK_;
	restart();
	is("a record that is cut off is not listed", names_in(MNT), 3);
	w->liar = -1;
}

static void mismatch(int what)
{
	struct node *a = &w->node[A];
	int fd;

	make_world(16);
	w->entry_valid = 0;
	w->attr_valid = FOREVER;
	mount_it();
	fd = open_it(MNT "/a");
	is("contents", byte_at(fd, 0), 'a');
	count_anew();
	is("a name that has run out is asked for", stat_error(MNT "/a"), 0);
	is("by one LOOKUP_HANDLE", w->asked[LOOKUP_HANDLE], 1);
	is("and nothing else", messages(), 1);
	is("and the file goes on", byte_at(fd, PAGE), 'a');
	if (what == 0)
		a->handle.bytes[15] ^= 1;
	else if (what == 1)
		a->handle.type++;
	else if (what == 2)
		a->handle.size--;
	else
		a->generation++;
	a->fill = 'A';
	is("another file has its node id now: it is found", stat_error(MNT "/a"), 0);
	is("the old one is stale", fstat_error(fd), ESTALE);
	is("and so are its contents", byte_at(fd, 0), -ESTALE);
	close(fd);
	fd = open_it(MNT "/a");
	is("the new one has its own", byte_at(fd, 0), 'A');
	close(fd);
	is_balanced();
}

static void other_bytes(void) { mismatch(0); }
static void other_type(void) { mismatch(1); }
static void other_size(void) { mismatch(2); }
static void other_generation(void) { mismatch(3); }

static void mismatch_elsewhere(void)
{
	int fd, other;

	make_world(16);
	strcpy(w->node[A].other_name, "a2");
	mount_it();
	fd = open_it(MNT "/a");
	is("contents", byte_at(fd, 0), 'a');
	w->node[A].handle.bytes[0]++;
	w->node[A].fill = 'A';
	other = open_it(MNT "/a2");
	is("a second name leads to another file", byte_at(other, 0), 'A');
	is("the first file is stale", byte_at(fd, 0), -ESTALE);
	w->node[A].handle.bytes[0]++;
	is("a listing shows another one again", names_in(MNT) > 0, 1);
	is("that makes the second stale", fstat_error(other), ESTALE);
	close(fd);
	close(other);
	is_balanced();
}

static void file_ids(void)
{
	struct fid fid, parent, forged;
	int fd;

	make_world(16);
	w->flags |= INIT_EXPORT_SUPPORT;
	mount_it();
	is("a file's", get_fid(MNT "/dir/inner", &fid, MAX_HANDLE_SZ, 0), 0x91);
	is("one with the parent", get_fid(MNT "/dir/inner", &parent, MAX_HANDLE_SZ, 2) & 0xff, 0x92);
	is("is twice as long", parent.h.handle_bytes, 72);
	drop_caches();
	count_anew();
	fd = open_fid(&fid);
	is("opens the file", byte_at(fd, 0), 'i');
	check(sent_handle_of(LOOKUP_HANDLE, INNER) && !strcmp(w->last[LOOKUP_HANDLE].name, "."), "by LOOKUP_HANDLE of \".\" with the handle");
	close(fd);
	drop_caches();
	fd = open_fid(&parent);
	is("and so does that with the parent", byte_at(fd, 0), 'i');
	close(fd);
	for (int cached = 0; cached < 2; cached++) {
		forged = fid;
		forged.bytes[35] ^= 1;
		if (cached)
			stat_error(MNT "/dir/inner");
		else
			drop_caches();
		is("other bytes: stale", open_fid(&forged), -ESTALE);
		forged = fid;
		((uint32_t *)forged.bytes)[4]++;
		is("another type: stale", open_fid(&forged), -ESTALE);
		forged = fid;
		((uint32_t *)forged.bytes)[3] = 0;
		is("size 0: stale", open_fid(&forged), -ESTALE);
		((uint32_t *)forged.bytes)[3] = 17;
		is("a size beyond its end: stale", open_fid(&forged), -ESTALE);
		((uint32_t *)forged.bytes)[3] = 0xfffffff0;
		is("a size that wraps: stale", open_fid(&forged), -ESTALE);
		forged = fid;
		forged.h.handle_bytes = 16;
		is("too short: stale", open_fid(&forged), -ESTALE);
	}
	drop_caches();
	w->node[INNER].handle.bytes[3]++;
	is("recycled: stale", open_fid(&fid), -ESTALE);
	is_balanced();
}

static void file_ids_without_export(void)
{
	struct fid fid;
	int fd;

	make_world(16);
	mount_it();
	is("a file's", get_fid(MNT "/a", &fid, MAX_HANDLE_SZ, 0), 0x91);
	drop_caches();
	fd = open_fid(&fid);
	is("opens the file without FUSE_EXPORT_SUPPORT", byte_at(fd, 0), 'a');
	close(fd);
}

static void restarts(void)
{
	int a, b, dir;

	make_world(16);
	mount_it();
	a = open_it(MNT "/a");
	b = open_it(MNT "/b");
	dir = open_it(MNT "/dir");
	byte_at(a, 0);
	byte_at(b, 0);
	names_in(MNT);
	names_in(MNT "/dir");
	names_in(MNT "/dir");
	if (chdir(MNT "/dir"))
		check(0, "chdir");
	restart();
	count_anew();
	usleep(200000);
	is("it sends nothing", messages(), 0);
	is("an open file goes on", byte_at(a, 0), 'a');
	is("after one question", w->asked[LOOKUP_HANDLE], 1);
	is("and nothing else", messages(), 1);
	check(sent_handle_of(LOOKUP_HANDLE, A) && !strcmp(w->last[LOOKUP_HANDLE].name, "."), "LOOKUP_HANDLE of \".\" with its handle");
	count_anew();
	is("again", byte_at(a, PAGE) | fstat_error(a), 'a');
	is("without a message", messages(), 0);
	is("the working directory is asked for once", stat_error("."), 0);
	is("by one question", messages(), 1);
	is("and still has its name", strcmp(getcwd((char[200]){ 0 }, 200) ?: "", MNT "/dir"), 0);
	count_anew();
	is("a name in it is looked up", stat_error("inner"), 0);
	is("by one request", w->asked[LOOKUP_HANDLE], 1);
	is("and nothing else", messages(), 1);
	count_anew();
	is("a directory is listed anew", names_in("."), 1);
	check(w->asked[READDIRPLUS] > 0, "by READDIRPLUS");
	count_anew();
	is("a path is asked for, name by name", stat_error(MNT "/b"), 0);
	is("with the root before it", w->asked[LOOKUP_HANDLE], 2);
	is("and nothing else", messages(), 2);
	count_anew();
	is("what the path confirmed is not asked for again", byte_at(b, 0), 'b');
	is("not at all", messages(), 0);
	is("twice in a row", (restart(), restart(), byte_at(a, 0)), 'a');
	close(a);
	close(b);
	close(dir);
	if (chdir("/"))
		check(0, "chdir");
	is_balanced();
}

static void with_extension(void)
{
	gid_t group = 1000;

	make_world(25);
	w->gid = group;
	if (setgroups(1, &group))
		check(0, "setgroups");
	mount_it();
	is("symlink", symlink("t", MNT "/dir/s"), 0);
	check(w->last[SYMLINK].extlen > 0, "SYMLINK has an extension");
	check(sent_handle_of(SYMLINK, DIR_), "and the directory's handle before it");
	is("create", close(open(MNT "/dir/new", O_CREAT | O_RDWR, 0600)), 0);
	check(w->last[CREATE].extlen > 0 && sent_handle_of(CREATE, DIR_), "CREATE has both, too");
	is("mkdir", mkdir(MNT "/dir/d", 0700), 0);
	check(w->last[MKDIR].extlen > 0 && sent_handle_of(MKDIR, DIR_), "and MKDIR");
	is_balanced();
}

static void absent(void)
{
	make_world(16);
	w->negative = 1;
	mount_it();
	is("what is not there is not there", stat_error(MNT "/no"), ENOENT);
	count_anew();
	is("again", stat_error(MNT "/no"), ENOENT);
	is("without a message", messages(), 0);
	add(FREE, ROOT, "no", S_IFREG | 0644, 1, 'x', 16);
	restart();
	is("after a restart it is there", stat_error(MNT "/no"), 0);
	is_balanced();
}

static void refused(void)
{
	int fd;

	make_world(16);
	mount_it();
	fd = open_it(MNT "/a");
	byte_at(fd, 0);
	w->refuse = EREMOTEIO;
	restart();
	count_anew();
	is("an error is passed on", byte_at(fd, 0), -EREMOTEIO);
	is("and the question asked again", byte_at(fd, 0), -EREMOTEIO);
	is("each time", messages(), 2);
	w->refuse = 0;
	is("until it is answered", byte_at(fd, 0), 'a');
	close(fd);
	is_balanced();
}

/* The ways to use a file that is held open. Each is tried on one that is gone and on one that is there. */
static int try_way(int way, int fd, const unsigned char *map)
{
	static int pipes[2];
	char text[64];
	struct stat st;
	int result;

	errno = 0;
	switch (way) {
	case 0: return byte_at(fd, 0) < 0 ? -byte_at(fd, 0) : 0;
	case 1: return fstat_error(fd);
	case 2: return lseek(fd, 0, SEEK_DATA) < 0 ? errno : 0;
	case 3: return flistxattr(fd, text, sizeof(text)) < 0 ? errno : 0;
	case 4: return fgetxattr(fd, "user.x", text, sizeof(text)) < 0 ? errno : 0;
	case 5:
		if (pipe(pipes))
			return -1;
		result = splice(fd, &(loff_t){ 0 }, pipes[1], NULL, 1, 0) < 0 ? errno : 0;
		close(pipes[0]);
		close(pipes[1]);
		return result;
	case 6: return fchmod(fd, 0600) ? errno : 0;
	case 7: return fsync(fd) ? errno : 0;
	case 8: /* of a page that is cached, but not mapped */
		madvise((void *)map, 64 * PAGE, MADV_DONTNEED);
		return touch(map + 48 * PAGE) < 0 ? ESTALE : 0;
	case 9: return flock(fd, LOCK_SH) ? errno : 0;
	case 10: snprintf(text, sizeof(text), "/proc/self/fd/%d", fd); return stat(text, &st) ? errno : 0;
	case 11: snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
		result = open(text, O_RDONLY);
		return result < 0 ? errno : close(result);
	case 12: snprintf(text, sizeof(text), "/proc/self/fd/%d", fd); return access(text, R_OK) ? errno : 0;
	default: return -1;
	}
}
static const char *const ways[] = { "read", "fstat", "lseek", "listxattr", "getxattr", "splice", "fchmod", "fsync", "page fault", "flock",
				    "stat by descriptor", "open by descriptor", "access" };

static void all_ways(void)
{
	for (int way = 0; way < 13; way++) {
		const unsigned char *map;
		int fd, result;

		if (way) {
			stop_server();
			close(device);
			umount2(MNT, MNT_DETACH);
		}
		make_world(16);
		mount_it();
		fd = open_it(MNT "/b");
		map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
		madvise((void *)map, 64 * PAGE, MADV_DONTFORK);
		touch(map);
		for (int i = 0; i < 64; i++)
			byte_at(fd, i * PAGE);
		restart();
		count_anew();
		result = try_way(way, fd, map);
		check(result != ESTALE && w->asked[LOOKUP_HANDLE] == 1 && !strcmp(w->last[LOOKUP_HANDLE].name, "."),
		      "%s of a file that is there: one question (%d, %lu)", ways[way], result, w->asked[LOOKUP_HANDLE]);
		w->node[B].handle.bytes[9]++;
		restart();
		result = try_way(way, fd, map);
		check(result == ESTALE, "%s of another file by its node id: stale (%d)", ways[way], result);
		munmap((void *)map, 64 * PAGE);
		close(fd);
	}
}

static void mounts_stay(void)
{
	struct stat st;

	make_world(16);
	mount_it();
	is("a mount on a directory", mount("tmp", MNT "/dir", "tmpfs", 0, NULL), 0);
	is("with a file", close(open(MNT "/dir/file", O_CREAT | O_WRONLY, 0600)), 0);
	restart();
	is("is there after a restart", stat(MNT "/dir/file", &st) ? errno : 0, 0);
	umount2(MNT "/dir", MNT_DETACH);
	mkdir("/tmp/upper", 0755);
	mkdir("/tmp/scratch", 0755);
	mkdir("/tmp/merged", 0755);
	is("an overlay on the mount", mount("o", "/tmp/merged", "overlay", 0, "lowerdir=" MNT ",upperdir=/tmp/upper,workdir=/tmp/scratch"), 0);
	is("shows its files", stat_error("/tmp/merged/dir/inner"), 0);
	restart();
	is("and does so after a restart", stat_error("/tmp/merged/dir/inner"), 0);
	is("reads them, too", byte_at(open_it("/tmp/merged/a"), 0), 'a');
	umount2("/tmp/merged", MNT_DETACH);
}

/* Many who use the mount while its server is killed again and again; each worker is a process. */
static void wrong(const char *format, int got)
{
	if (!__atomic_fetch_add(&w->wrong, 1, __ATOMIC_SEQ_CST))
		snprintf(w->what, sizeof(w->what), format, got);
}

static void storm_worker(int kind)
{
	int fd = open(MNT "/b", O_RDONLY), own = -1, letter = 0, byte;
	const unsigned char *map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	close(device);
	srand(kind);
	for (int turn = 0; !w->stop; turn++) {
		__atomic_add_fetch(&w->done, 1, __ATOMIC_SEQ_CST);
		switch (kind) {
		case 0: /* a file that stays */
			byte = byte_at(fd, rand() % 64 * PAGE);
			if (byte != 'b')
				wrong("read of a file that stays: %d", byte);
			if (turn % 16 == 0)
				posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			break;
		case 1: /* its mapping */
			madvise((void *)map, 64 * PAGE, MADV_DONTNEED);
			byte = touch(map + rand() % 64 * PAGE);
			if (byte != 'b')
				wrong("page of a file that stays: %d", byte);
			break;
		case 2: /* names */
			byte = stat_error(MNT "/dir/inner");
			if (byte)
				wrong("name of a file that stays: %d", byte);
			byte = names_in(MNT "/dir");
			if (byte != 1)
				wrong("listing: %d", byte);
			break;
		case 3: /* a file that is replaced at each restart */
			if (own < 0) {
				own = open(MNT "/a", O_RDONLY);
				letter = 0;
			}
			byte = own < 0 ? -errno : byte_at(own, rand() % 4 * PAGE);
			if (byte > 0 && !letter)
				letter = byte;
			if (byte > 0 && byte != letter)
				wrong("a descriptor shows another file's contents: %d", byte);
			/* EIO is what the page cache makes of the ESTALE that a READ in flight gets. */
			if (byte < 0 && byte != -ESTALE && byte != -ENOENT && byte != -EIO)
				wrong("read of a replaced file: %d", byte);
			if (byte < 0 && own >= 0) {
				close(own);
				own = -1;
			}
			break;
		case 4: /* memory gets scarce */
			drop_caches();
			usleep(20000);
			break;
		}
	}
	_exit(0);
}

static void storm(void)
{
	pid_t workers[10];

	make_world(16);
	mount_it();
	stat_error(MNT "/b");
	for (int i = 0; i < 10; i++) {
		workers[i] = fork();
		if (!workers[i])
			storm_worker(i % 5);
	}
	for (int round = 0; round < 40; round++) {
		struct node *a = &w->node[A];

		usleep(50000);
		stop_server();
		/* In requests that are in flight there is only the nodeid: no server may use it again. */
		a->nodeid += 1000;
		a->lookups = 0;
		a->handle.bytes[0]++;
		a->fill = 'c' + round % 20;
		notify(NOTIFY_RESTARTED);
		notify(NOTIFY_RESEND);
		start_server();
	}
	w->stop = 1;
	for (int i = 0; i < 10; i++)
		waitpid(workers[i], NULL, 0);
	check(!w->wrong, "40 restarts, %lu uses: nothing wrong%s%s", w->done, w->wrong ? ", but " : "", w->what);
	check(w->resent > 0, "%lu requests were sent again", w->resent);
	/* What a server counts and dies before it has said so, its successor counts again: only too few would be wrong. */
	drop_caches();
	usleep(200000);
	for (int i = 1; i < 32; i++)
		if (w->node[i].lookups < 0)
			check(0, "%s is forgotten more often than it was counted: %ld", w->node[i].name, w->node[i].lookups);
}

static void gone(void)
{
	const unsigned char *map;
	struct fid fid;
	int a, b, inner;

	make_world(16);
	mount_it();
	a = open_it(MNT "/a");
	b = open_it(MNT "/b");
	inner = open_it(MNT "/dir/inner");
	byte_at(inner, 0);
	get_fid(MNT "/a", &fid, MAX_HANDLE_SZ, 0);
	map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, b, 0);
	madvise((void *)map, 64 * PAGE, MADV_DONTFORK);
	is("a file is read", byte_at(a, 0), 'a');
	is("another is mapped", touch(map), 'b');
	is("and cached beyond", byte_at(b, 48 * PAGE), 'b');
	w->node[A].gone = w->node[B].gone = w->node[DIR_].gone = w->node[INNER].gone = 1;
	restart();
	count_anew();
	is("gone: cached contents are stale", byte_at(a, 0), -ESTALE);
	is("after one question", messages(), 1);
	is("and stay so", byte_at(a, 0), -ESTALE);
	is("and its attributes", fstat_error(a), ESTALE);
	is("without another", messages(), 1);
	is("its name is gone", stat_error(MNT "/a"), ENOENT);
	is("its file id is stale", open_fid(&fid), -ESTALE);
	/* Pages that are mapped need no fault; those that are only cached do. */
	is("a page of a mapping that is not mapped yet: SIGBUS", touch(map + 48 * PAGE), -SIGBUS);
	is("a file in a directory that is gone", byte_at(inner, 0), -ESTALE);
	is("seek", lseek(inner, 0, SEEK_END) < 0 ? errno : 0, ESTALE);
	close(a);
	close(b);
	close(inner);
	munmap((void *)map, 64 * PAGE);
	is_balanced();
}

static void recycled(void)
{
	int fd, other;

	make_world(16);
	mount_it();
	fd = open_it(MNT "/a");
	byte_at(fd, 0);
	/* The same node id, generation and type: only the handle tells. */
	w->node[A].handle.bytes[7]++;
	w->node[A].fill = 'X';
	strcpy(w->node[A].name, "x");
	restart();
	is("the descriptor is stale", byte_at(fd, 0), -ESTALE);
	is("the old name is gone", stat_error(MNT "/a"), ENOENT);
	other = open_it(MNT "/x");
	is("the new name has its own contents", byte_at(other, 0), 'X');
	is("the descriptor stays stale", byte_at(fd, 0), -ESTALE);
	close(fd);
	close(other);
	is_balanced();
}

static void changed(void)
{
	const unsigned char *map;
	char target[16] = "";
	int a, b;

	make_world(16);
	mount_it();
	a = open_it(MNT "/a");
	b = open_it(MNT "/b");
	is("contents", byte_at(a, 0), 'a');
	is("contents", byte_at(b, 0), 'b');
	is("the link", readlink(MNT "/link", target, 8), 8);
	map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, b, 0);
	madvise((void *)map, 64 * PAGE, MADV_DONTFORK);
	touch(map + PAGE);
	w->node[A].fill = 'A';
	w->node[A].ctime++;
	w->node[B].fill = 'B';
	w->node[B].size = 2 * PAGE;
	w->node[LINK_].fill = 'u';
	w->node[LINK_].mtime++;
	restart();
	is("another ctime: the contents are read anew", byte_at(a, 0), 'A');
	is("another size: too", byte_at(b, 0), 'B');
	is("and the mapping sees it", touch(map + PAGE), 'B');
	is("another end", byte_at(b, 3 * PAGE), 0);
	is("a link is read anew", readlink(MNT "/link", target, 8) == 8 && target[0] == 'u', 1);
	restart();
	count_anew();
	is("unchanged", byte_at(a, 0), 'A');
	is("nothing is read", w->asked[READ], 0);
	close(a);
	close(b);
	munmap((void *)map, 64 * PAGE);
	is_balanced();
}

static void replaced(void)
{
	int fd;

	make_world(16);
	mount_it();
	fd = open_it(MNT "/a");
	w->node[ROOT].handle.bytes[0]++;
	restart();
	is("another root: its names are stale", stat_error(MNT "/a"), ESTALE);
	is("and it is", stat_error(MNT "/."), ESTALE);
	is("a file goes on", byte_at(fd, 0), 'a');
	close(fd);
}

static int shared;
static void *reader(void *unused) { (void)unused; return (void *)(long)byte_at(shared, 0); }

static void crowd(void)
{
	pthread_t threads[8];
	void *byte;
	int good = 0;

	make_world(16);
	mount_it();
	shared = open_it(MNT "/a");
	byte_at(shared, 0);
	w->delay = 100000;
	restart();
	count_anew();
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &byte);
		good += byte == (void *)'a';
	}
	is("eight readers read", good, 8);
	is("after one question", w->asked[LOOKUP_HANDLE], 1);
	w->delay = 0;
	close(shared);
	is_balanced();
}

static void in_flight(void)
{
	pthread_t thread;
	void *byte;

	make_world(16);
	mount_it();
	shared = open_it(MNT "/a");
	w->hang = 1;
	pthread_create(&thread, NULL, reader, NULL);
	while (!w->asked[READ])
		usleep(10000);
	restart();
	pthread_join(thread, &byte);
	is("a read that the old server had taken is answered by the new one", (long)byte, 'a');
	check(w->resent > 0, "because it was sent again");
	close(shared);
	is_balanced();
}

static void *finder(void *unused) { (void)unused; return (void *)(long)stat_error(MNT "/a"); }

static void before_init(void)
{
	char options[200];
	pthread_t thread;
	void *error;

	make_world(16);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (mount("wire", MNT, "fuse.wire", MS_NOSUID | MS_NODEV, options))
		check(0, "mount: %s", strerror(errno));
	pthread_create(&thread, NULL, finder, NULL);
	usleep(300000);
	start_server();
	pthread_join(thread, &error);
	is("a name is looked up", (long)error, 0);
	is("as was negotiated", w->asked[LOOKUP], 0);
	is("while it waited", w->asked[LOOKUP_HANDLE] > 0, 1);
	is_balanced();
}

static const struct { const char *name; void (*run)(void); } tests[] = {
	{ "without handles", off },
	{ "invalid sizes", sizes },
	{ "16 bytes", inline_handles },
	{ "24 bytes", inline_limit },
	{ "25 bytes", odd_handles },
	{ "1 byte", tiny_handles },
	{ "128 bytes", large_handles },
	{ "lies", lies },
	{ "listing", listing },
	{ "listing lies", listing_lies },
	{ "other bytes", other_bytes },
	{ "other type", other_type },
	{ "other size", other_size },
	{ "other generation", other_generation },
	{ "mismatch elsewhere", mismatch_elsewhere },
	{ "file ids", file_ids },
	{ "file ids without export", file_ids_without_export },
	{ "restart", restarts },
	{ "gone", gone },
	{ "recycled", recycled },
	{ "changed", changed },
	{ "another root", replaced },
	{ "crowd", crowd },
	{ "in flight", in_flight },
	{ "all ways", all_ways },
	{ "extensions", with_extension },
	{ "absent", absent },
	{ "refused", refused },
	{ "mounts", mounts_stay },
	{ "storm", storm },
	{ "before INIT", before_init },
};

int main(int argc, char **argv)
{
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mkdir(MNT, 0755);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		int status = 0, tries = 0;
		pid_t child;

		if (argc > 1 && strcmp(argv[1], tests[i].name))
			continue;
		test_name = tests[i].name;
		fflush(stdout);
		child = fork();
		if (!child) {
			signal(SIGBUS, on_bus);
			tests[i].run();
			stop_server();
			fflush(stdout);
			_exit(0);
		}
		while (waitpid(child, &status, WNOHANG) == 0) {
			usleep(20000);
			if (++tries < 50 * SECONDS)
				continue;
			/* What waits for a server that does not answer cannot be killed. */
			check(0, "takes too long");
			kill(child, SIGKILL);
			umount2(MNT, MNT_FORCE);
			waitpid(child, &status, 0);
			status = 0;
			break;
		}
		if (status)
			check(0, "ended with %s", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an error");
		umount2(MNT, MNT_DETACH);
	}
	return 0;
}
