/*
 * An application that uses a mount while its server comes and goes: it holds descriptors, mappings and a working
 * directory, does what the lines of its standard input say, and answers each with one line. Static, so that a guest
 * needs nothing else.
 *
 *   open ID PATH [dir]        hold PATH open as ID (a small number)
 *   close ID
 *   read ID OFFSET LENGTH     "ok COUNT HASH" of what read(2) gives there
 *   stat ID | stat PATH       "ok inode=… size=… mode=… mtime=…"; an ID is a number
 *   map ID                    map all of the file, read-only, as the mapping ID
 *   touch ID OFFSET           "ok BYTE", or SIGBUS
 *   list ID                   "ok NAMES" in order, from the start of the directory ID
 *   names PATH               the directory's names as they come, a line each, and then "ok"
 *   cd PATH | cwd             "ok PATH" as getcwd(2) has it
 *   handle PATH [BYTES]       "ok TYPE HEX" of name_to_handle_at(2), with so large a buffer
 *   byhandle ID MOUNT TYPE HEX   open_by_handle_at(2) as ID
 *
 * What fails is answered with the name of the error.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HELD 64

static int descriptors[HELD];
static struct { const volatile unsigned char *at; size_t length; } mappings[HELD];
static sigjmp_buf bus;

static void on_bus(int signal) { siglongjmp(bus, signal); }

static void fails(void) { printf("%s\n", strerrorname_np(errno)); }

static int id_of(const char *word)
{
	char *end;
	long id = word ? strtol(word, &end, 10) : -1;

	if (id < 0 || id >= HELD || *end) {
		fprintf(stderr, "client: not a small number: %s\n", word ? word : "(nothing)");
		exit(2);
	}
	return id;
}

static uint64_t hash(const unsigned char *bytes, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325;

	while (length--)
		sum = (sum ^ *bytes++) * 0x100000001b3;
	return sum;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void list(int fd)
{
	static char buffer[1 << 16], *names[4096];
	size_t count = 0;
	long length;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return fails();
	while ((length = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length; at += ((struct dirent64 *)at)->d_reclen)
			if (count < 4096)
				names[count++] = strdup(((struct dirent64 *)at)->d_name);
	if (length < 0)
		return fails();
	qsort(names, count, sizeof(names[0]), by_name);
	printf("ok");
	for (size_t i = 0; i < count; i++) {
		printf(" %s", names[i]);
		free(names[i]);
	}
	putchar('\n');
}

static void names(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder)
		return fails();
	while (errno = 0, (entry = readdir(folder)))
		printf("%s\n", entry->d_name);
	if (errno)
		fails();
	else
		printf("ok\n");
	closedir(folder);
}

static void show(const struct stat *st)
{
	printf("ok inode=%llu size=%lld mode=%o mtime=%lld\n", (unsigned long long)st->st_ino, (long long)st->st_size,
	       st->st_mode, (long long)st->st_mtime);
}

static void do_read(char **word)
{
	static unsigned char buffer[1 << 20];
	size_t length = strtoul(word[3], NULL, 0);
	ssize_t count = pread(descriptors[id_of(word[1])], buffer, length < sizeof(buffer) ? length : sizeof(buffer),
			      strtoll(word[2], NULL, 0));

	if (count < 0)
		return fails();
	printf("ok %zd %016llx\n", count, (unsigned long long)hash(buffer, count));
}

static void do_map(int id)
{
	struct stat st;
	void *at;

	if (fstat(descriptors[id], &st))
		return fails();
	at = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, descriptors[id], 0);
	if (at == MAP_FAILED)
		return fails();
	mappings[id].at = at;
	mappings[id].length = st.st_size;
	printf("ok\n");
}

static void do_touch(int id, size_t offset)
{
	if (offset >= mappings[id].length)
		printf("ERANGE\n");
	else if (sigsetjmp(bus, 1))
		printf("SIGBUS\n");
	else
		printf("ok %u\n", mappings[id].at[offset]);
}

static void do_handle(const char *path, const char *size)
{
	struct { struct file_handle h; unsigned char bytes[MAX_HANDLE_SZ]; } handle;
	int mount;

	handle.h.handle_bytes = size ? strtoul(size, NULL, 0) : MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, path, &handle.h, &mount, 0)) {
		int error = errno;

		printf("%s %u\n", strerrorname_np(error), handle.h.handle_bytes);
		return;
	}
	printf("ok %x ", handle.h.handle_type);
	for (unsigned int i = 0; i < handle.h.handle_bytes; i++)
		printf("%02x", handle.bytes[i]);
	putchar('\n');
}

static void do_byhandle(char **word)
{
	struct { struct file_handle h; unsigned char bytes[MAX_HANDLE_SZ]; } handle;
	size_t length = strlen(word[4]) / 2;
	int mount = open(word[2], O_RDONLY | O_DIRECTORY), id = id_of(word[1]);

	if (mount < 0)
		return fails();
	handle.h.handle_type = strtol(word[3], NULL, 16);
	handle.h.handle_bytes = length;
	for (size_t i = 0; i < length && i < MAX_HANDLE_SZ; i++) {
		unsigned int byte;

		sscanf(word[4] + 2 * i, "%2x", &byte);
		handle.bytes[i] = byte;
	}
	descriptors[id] = open_by_handle_at(mount, &handle.h, O_RDONLY);
	if (descriptors[id] < 0)
		fails();
	else
		printf("ok\n");
	close(mount);
}

static void obey(char **word, int words)
{
	char text[4096];
	struct stat st;
	int fd;

	if (!strcmp(word[0], "open") && words >= 3) {
		fd = open(word[2], O_RDONLY | (words > 3 ? O_DIRECTORY : 0));
		if (fd < 0)
			return fails();
		descriptors[id_of(word[1])] = fd;
		printf("ok\n");
	} else if (!strcmp(word[0], "close") && words == 2) {
		if (close(descriptors[id_of(word[1])]))
			return fails();
		printf("ok\n");
	} else if (!strcmp(word[0], "read") && words == 4) {
		do_read(word);
	} else if (!strcmp(word[0], "stat") && words == 2) {
		int failed = strspn(word[1], "0123456789") == strlen(word[1])
			   ? fstat(descriptors[id_of(word[1])], &st) : lstat(word[1], &st);

		if (failed)
			return fails();
		show(&st);
	} else if (!strcmp(word[0], "map") && words == 2) {
		do_map(id_of(word[1]));
	} else if (!strcmp(word[0], "touch") && words == 3) {
		do_touch(id_of(word[1]), strtoul(word[2], NULL, 0));
	} else if (!strcmp(word[0], "list") && words == 2) {
		list(descriptors[id_of(word[1])]);
	} else if (!strcmp(word[0], "names") && words == 2) {
		names(word[1]);
	} else if (!strcmp(word[0], "cd") && words == 2) {
		if (chdir(word[1]))
			return fails();
		printf("ok\n");
	} else if (!strcmp(word[0], "cwd")) {
		if (!getcwd(text, sizeof(text)))
			return fails();
		printf("ok %s\n", text);
	} else if (!strcmp(word[0], "handle") && words >= 2) {
		do_handle(word[1], words > 2 ? word[2] : NULL);
	} else if (!strcmp(word[0], "byhandle") && words == 5) {
		do_byhandle(word);
	} else {
		fprintf(stderr, "client: what is %s?\n", word[0]);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	char line[8192];

	signal(SIGBUS, on_bus);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1) { /* one command, from the arguments */
		obey(argv + 1, argc - 1);
		return 0;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *word[8] = { 0 };
		int words = 0;

		for (char *part = strtok(line, " \n"); part && words < 8; part = strtok(NULL, " \n"))
			word[words++] = part;
		if (words)
			obey(word, words);
	}
	return 0;
}
