/* SPDX-License-Identifier: MIT */
/* The files of a tree, as they look from outside. Folders are watched and not files: an editor puts a new file in the place of
 * the old one, and a name may begin to exist. What happens in a folder is only a reason to look: whether a file of the tree is
 * another one says its identity, its size and its times; whether one came or went, the names. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/auto.h"
#include "effd/effd.h"
#include "plan/source_files.h"
#include "plan/table.h"

#define STIRS \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
		IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* One look, or the beginning of it. */
struct look {
	struct watched *to;
	struct arena *arena;
	struct table folders; /* (NULL, path): seen */
	bool begins;
};

/* FNV-1a. */
static uint64_t mixed(uint64_t print, const void *bytes, size_t size)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i++)
		print = (print ^ b[i]) * 0x100000001b3u;
	return print;
}

/* When what is there has changed, or came. */
static void changed_look(struct look *look, const struct stat *st)
{
	eff_ns at = EFF_S(st->st_ctim.tv_sec) + st->st_ctim.tv_nsec;

	if (at > look->to->changed_at)
		look->to->changed_at = at;
}

static bool file_look(struct look *look, const char *path)
{
	uint64_t *print = &look->to->print;
	struct stat st;

	if (stat(path, &st) < 0) {
		*print = mixed(*print, "-", 1);
		return false;
	}
	changed_look(look, &st);
	*print = mixed(*print, &st.st_dev, sizeof(st.st_dev));
	*print = mixed(*print, &st.st_ino, sizeof(st.st_ino));
	*print = mixed(*print, &st.st_size, sizeof(st.st_size));
	*print = mixed(*print, &st.st_mtim, sizeof(st.st_mtim));
	*print = mixed(*print, &st.st_ctim, sizeof(st.st_ctim));
	return true;
}

/* The names that a tree may be made of, in whatever order. */
static void names_look(struct look *look, const char *folder)
{
	auto_closedir DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint64_t sum = 0;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n <= 5 || strcmp(entry->d_name + n - 5, ".yaml") != 0)
			continue;
		sum += mixed(1, entry->d_name, n);
		if (look->begins && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0)
			changed_look(look, &st);
	}
	look->to->print = mixed(look->to->print, &sum, sizeof(sum));
}

/* The folder that a path is in, once. */
static void folder_look(struct look *look, const char *path, bool with_names)
{
	const char *slash = strrchr(path, '/');
	const char *folder = slash
		? arena_strndup(look->arena, path, slash == path ? 1 : (size_t)(slash - path))
		: NULL;
	void **seen = folder ? table_at(&look->folders, NULL, folder) : NULL;

	if (!seen) {
		look->to->error = -ENOMEM;
		return;
	}
	if (*seen)
		return;
	if (with_names)
		names_look(look, folder);
	if (look->begins && look->to->fd >= 0 &&
		inotify_add_watch(look->to->fd, folder, STIRS) < 0 && errno != ENOENT)
		look->to->error = -errno;
	*seen = look;
}

/* A file, and where it is when it is a link to somewhere else. False: there is none. */
static bool path_look(struct look *look, const char *path)
{
	auto_free char *real = realpath(path, NULL);
	bool there = file_look(look, path);

	folder_look(look, path, true);
	if (real && strcmp(real, path) != 0)
		folder_look(look, real, false);
	return there;
}

static void look_run(struct look *look)
{
	look->to->print = 0xcbf29ce484222325u;
	look->to->error = 0;
	look->to->changed_at = 0;
	look->to->looked_at = source_now();
	look->arena = arena_new();
	if (!look->arena) {
		look->to->error = -ENOMEM;
		return;
	}
	for (plan_strv path = plan_files(look->to->plan); path && *path; path++)
		if (!path_look(look, *path))
			look->to->changed_at = INT64_MAX; /* it was read */
	for (plan_strv path = plan_absent_files(look->to->plan); path && *path; path++)
		(void)path_look(look, *path);
	table_done(&look->folders);
	arena_free(look->arena);
}

void watched_begin(struct watched *watched)
{
	struct look look = {.to = watched, .begins = true};
	int error;

	watched->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	error = watched->fd < 0 ? -errno : 0;
	look_run(&look);
	if (error)
		watched->error = error;
}

void watched_look(struct watched *watched)
{
	struct look look = {.to = watched};

	look_run(&look);
}
