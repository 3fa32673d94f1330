/* SPDX-License-Identifier: MIT */
/* The kernel's files in the folder of a control group, and the groups below it. A program may have made groups of its own
 * in the one that it was given, so what is about a group is about those below it, too. All goes by descriptors of folders:
 * a name is never joined to a path. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/hash.h"
#include "os/cgroup.h"

/* Deeper ones the kernel alone kills. And so much of a name is kept as it is. */
enum { DEEPEST = 16, NAME_KEPT = 160 };

/* ── names ── */

static bool stands_for_itself(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c && strchr("_.-@", c));
}

void os_cgroup_name(char name[static CGROUP_NAME], const char *prefix, const char *text)
{
	uint64_t hash = hash_text(HASH_EMPTY, text);
	size_t len = strlen(prefix);
	bool whole = true;

	memcpy(name, prefix, len);
	for (; *text; text++) {
		whole &= len + 4 < NAME_KEPT;
		if (!whole)
			continue;
		if (*text == '/')
			name[len++] = ':';
		else if (stands_for_itself(*text))
			name[len++] = *text;
		else
			len += (size_t)snprintf(
				name + len, 5, "\\x%02x", (unsigned)(unsigned char)*text);
	}
	name[len] = '\0';
	if (!whole)
		(void)snprintf(name + len, CGROUP_NAME - len, "~%016" PRIx64, hash);
}

/* ── one file ── */

ssize_t os_cgroup_read(int folder, const char *file, char *buf, size_t size)
{
	auto_close int fd = openat(folder, file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

int os_cgroup_write(int folder, const char *file, const char *text)
{
	auto_close int fd = openat(folder, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

bool os_cgroup_says(const char *text, const char *key, uint64_t *ret_number)
{
	size_t len = strlen(key);

	while (text && !(strncmp(text, key, len) == 0 && text[len] == ' ')) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	*ret_number = text ? strtoull(text + len + 1, NULL, 10) : 0;
	return text != NULL;
}

int os_cgroup_events(int events_fd, bool *ret_populated, bool *ret_frozen)
{
	char text[256];
	uint64_t number;
	ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	*ret_frozen = os_cgroup_says(text, "frozen", &number) && number > 0;
	if (!os_cgroup_says(text, "populated", &number))
		return -EINVAL;
	*ret_populated = number > 0;
	return 0;
}

/* ── it and those below ── */

struct level {
	DIR *dir;
	char name[CGROUP_NAME]; /* in the one above */
};

DIR *os_cgroup_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		(void)close(fd);
	return dir;
}

static bool is_below(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		strcmp(entry->d_name, "..") != 0;
}

static DIR *level_enter(struct cgroup_walk *walk, int parent, const char *name)
{
	DIR *dir = os_cgroup_folder(parent, name);

	if (dir && walk->visit)
		walk->visit(walk, dirfd(dir));
	return dir;
}

static void level_leave(struct cgroup_walk *walk, DIR *above, const struct level *level)
{
	(void)closedir(level->dir);
	if (walk->leave)
		walk->leave(walk, dirfd(above), level->name);
}

static void levels_walk(struct cgroup_walk *walk, int folder)
{
	auto_free struct level *levels = alloc_new(DEEPEST * sizeof(*levels));
	struct dirent *entry;
	size_t n = 0;

	if (!levels)
		return;
	levels[0].dir = level_enter(walk, folder, ".");
	if (levels[0].dir)
		n++;
	while (n > 0) {
		struct level *top = &levels[n - 1];

		entry = readdir(top->dir);
		if (!entry && n > 1) {
			level_leave(walk, levels[n - 2].dir, top);
			n--;
		} else if (!entry) {
			(void)closedir(top->dir);
			n--;
		} else if (is_below(entry) && n < DEEPEST) {
			(void)snprintf(levels[n].name, CGROUP_NAME, "%s", entry->d_name);
			levels[n].dir = level_enter(walk, dirfd(top->dir), entry->d_name);
			n += levels[n].dir != NULL;
		}
	}
}

bool os_cgroup_has_below(int folder)
{
	struct stat st;

	return fstat(folder, &st) < 0 || st.st_nlink != 2;
}

/* As nearly all are: then it is seen without being gone through. */
static bool is_alone(struct cgroup_walk *walk, int folder)
{
	if (os_cgroup_has_below(folder))
		return false;
	if (walk->visit)
		walk->visit(walk, folder);
	return true;
}

void os_cgroup_walk(int folder, struct cgroup_walk *walk)
{
	if (!is_alone(walk, folder))
		levels_walk(walk, folder);
}

/* A piece of the list. A number may go on in the next one: *pid is what is known of it. */
static void procs_take(struct cgroup_procs *procs, const char *text, size_t n, pid_t *pid)
{
	const pid_t own = getpid();

	for (size_t i = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			*pid = *pid * 10 + (text[i] - '0');
			continue;
		}
		if (*pid > 0 && *pid != own)
			procs->each(procs, *pid);
		*pid = 0;
	}
}

static void procs_visit(struct cgroup_walk *walk, int folder)
{
	auto_close int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[512];
	pid_t pid = 0;
	ssize_t n;

	/* Less than there was room for is all that there is: the kernel fills it, whatever the length of a line. */
	do {
		n = fd < 0 ? 0 : read(fd, text, sizeof(text));
		if (n > 0)
			procs_take((struct cgroup_procs *)walk, text, (size_t)n, &pid);
	} while (n == (ssize_t)sizeof(text));
}

void os_cgroup_each(int folder, struct cgroup_procs *procs)
{
	procs->walk.visit = procs_visit;
	os_cgroup_walk(folder, &procs->walk);
}

/* ── the end of it ── */

static void level_remove(struct cgroup_walk *walk, int parent, const char *name)
{
	(void)walk;
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

int os_cgroup_remove(int parent, const char *name)
{
	struct cgroup_walk walk = {.leave = level_remove};
	auto_close int fd = -1;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != EBUSY)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	os_cgroup_walk(fd, &walk);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}
