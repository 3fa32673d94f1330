/* SPDX-License-Identifier: MIT */
/* Removing a folder with all that is in it, though it is somebody else's who may be at work in it. It goes down by
 * descriptors, follows no link, stays on one file system, and is done after so many entries whatever comes after them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/internal.h"

enum { LEVELS_MOST = 128, ENTRIES_MOST = 1 << 20 };

struct level {
	DIR *dir;
	char name[NAME_MAX + 1]; /* in the level above */
};

struct removal {
	int parent;
	dev_t dev;
	unsigned depth, n_entries;
	int error; /* the first one; -errno */
	struct level *levels;
};

static void fault_keep(struct removal *r, int error)
{
	if (r->error == 0)
		r->error = error;
}

static int above(const struct removal *r)
{
	return r->depth > 0 ? dirfd(r->levels[r->depth - 1].dir) : r->parent;
}

static int level_open(struct removal *r, const char *name)
{
	struct level *level = &r->levels[r->depth];
	struct stat st;
	int fd, error = 0;

	if (r->depth == LEVELS_MOST)
		return -ELOOP;
	fd = openat(above(r), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	else if (r->depth > 0 && st.st_dev != r->dev)
		error = -EXDEV;
	level->dir = error < 0 ? NULL : fdopendir(fd);
	if (!level->dir) {
		error = error < 0 ? error : -errno;
		(void)close(fd);
		return error;
	}
	r->dev = st.st_dev;
	(void)snprintf(level->name, sizeof(level->name), "%s", name);
	r->depth++;
	return 0;
}

static void level_close(struct removal *r)
{
	struct level *level = &r->levels[--r->depth];

	(void)closedir(level->dir);
	if (unlinkat(above(r), level->name, AT_REMOVEDIR) < 0)
		fault_keep(r, -errno);
}

static void entry_remove(struct removal *r, const char *name)
{
	int error;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (++r->n_entries > ENTRIES_MOST) {
		fault_keep(r, -E2BIG);
		return;
	}
	if (unlinkat(above(r), name, 0) == 0 || errno == ENOENT)
		return;
	error = errno == EISDIR || errno == EPERM ? level_open(r, name) : -errno;
	if (error < 0 && error != -ENOENT)
		fault_keep(r, error);
}

int os_folder_remove(int parent, const char *name)
{
	struct removal r = {.parent = parent, .levels = alloc_new(LEVELS_MOST * sizeof(*r.levels))};
	int error = r.levels ? level_open(&r, name) : -ENOMEM;

	if (error < 0)
		fault_keep(&r, error);
	while (r.depth > 0) {
		const struct dirent *entry = r.n_entries > ENTRIES_MOST
			? NULL
			: readdir(r.levels[r.depth - 1].dir);

		if (entry)
			entry_remove(&r, entry->d_name);
		else
			level_close(&r);
	}
	free(r.levels);
	/* That it is not there is what was wanted. */
	return r.error == -ENOENT ? 0 : r.error;
}
