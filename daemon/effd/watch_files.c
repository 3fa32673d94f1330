/* SPDX-License-Identifier: MIT */
/* The files of a tree, as they look from outside. Folders are watched and not files: an editor puts a new file in the place of
 * the old one, and a name may begin to exist. What happens in a folder is only a reason to look: whether a file of the tree is
 * another one says its identity, its size and its times; whether one came or went, the names.
 *
 * Where a path leads is decided on its way, too: by links, whose folders are watched, and by folders, which may be moved
 * away. Of what is missing the folder is watched where it would begin. All that may be another way at each look. */
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
		IN_DELETE_SELF | IN_MOVE_SELF)
/* And of one that a path leads through. */
#define GOES (IN_DELETE_SELF | IN_MOVE_SELF)

/* As many as the kernel follows. */
enum { LINKS_MOST = 40 };

/* One look, or the beginning of it. */
struct look {
	struct watched *to;
	struct arena *arena;
	struct table seen; /* paths that are done with, each by the scope of what was done */
	char *target;      /* of a link */
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

/* ── watching ── */

/* Is this the first time that it is asked in this scope? */
static bool is_first(struct look *look, const void *scope, const char *path)
{
	void **seen = table_at(&look->seen, scope, path);
	bool first = !seen || !*seen;

	if (seen)
		*seen = look;
	else
		look->to->error = -ENOMEM;
	return first;
}

/* The folder that a path is in. NULL: no memory. */
static const char *folder_of(struct look *look, const char *path)
{
	const char *slash = strrchr(path, '/'), *folder;

	if (!slash)
		return ".";
	folder = arena_strndup(look->arena, path, slash == path ? 1 : (size_t)(slash - path));
	if (!folder)
		look->to->error = -ENOMEM;
	return folder;
}

/* What is watched already is not watched twice. */
static int folder_watch(const struct look *look, const char *folder, uint32_t events)
{
	return inotify_add_watch(look->to->fd, folder, events | IN_ONLYDIR | IN_MASK_ADD) < 0
		? -errno
		: 0;
}

/* Where it is, or would be. What is in the place of a folder is in one, too. */
static void place_watch(struct look *look, const char *path)
{
	const char *folder = folder_of(look, path);
	int r = 0;

	while (folder && is_first(look, look, folder) &&
		(r = folder_watch(look, folder, STIRS)) == -ENOTDIR)
		folder = folder_of(look, folder);
	/* What is gone by now has told of it, where it was. */
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		look->to->error = r;
}

/* Where a link leads, until the next is read. -EINVAL: it is none. */
static int link_read(struct look *look, const char *path)
{
	ssize_t n = readlink(path, look->target, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	look->target[n] = '\0';
	return 0;
}

/* `path`, whose first `len` bytes are the link that was read. NULL: no memory. */
static char *path_through(struct look *look, const char *path, size_t len)
{
	const char *target = look->target;
	size_t kept = len;
	char *whole;

	while (kept > 0 && path[kept - 1] != '/')
		kept--;
	if (*target == '/')
		kept = 0;
	whole = arena_alloc(look->arena, kept + strlen(target) + strlen(path + len) + 1);
	if (!whole)
		return NULL;
	memcpy(whole, path, kept);
	(void)stpcpy(stpcpy(whole + kept, target), path + len);
	return whole;
}

/* Along a path up to the first link. Returns the path that it makes of this one; NULL: there is none. */
static const char *way_watch(struct look *look, const char *path)
{
	const char *end = path, *prefix;
	int r = -EINVAL;

	while (r == -EINVAL && *end) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		prefix = arena_strndup(look->arena, path, (size_t)(end - path));
		if (!prefix || (*end && !is_first(look, NULL, prefix)))
			continue;
		r = link_read(look, prefix);
		if (r == -EINVAL && *end)
			(void)folder_watch(look, prefix, GOES);
		else
			place_watch(look, prefix);
	}
	return r == 0 ? path_through(look, path, (size_t)(end - path)) : NULL;
}

/* A file, by whatever links. False: there is none. */
static bool path_look(struct look *look, const char *path)
{
	const char *folder = folder_of(look, path), *way = path;

	for (int links = 0; way && links < LINKS_MOST && look->to->fd >= 0; links++)
		way = way_watch(look, way);
	if (folder && is_first(look, look->to, folder))
		names_look(look, folder);
	return file_look(look, path);
}

static void look_run(struct look *look)
{
	look->to->print = 0xcbf29ce484222325u;
	look->to->error = 0;
	look->to->changed_at = 0;
	look->to->looked_at = source_now();
	look->arena = arena_new();
	look->target = look->arena ? arena_alloc(look->arena, PATH_MAX) : NULL;
	if (!look->target) {
		look->to->error = -ENOMEM;
		arena_free(look->arena);
		return;
	}
	for (plan_strv path = plan_files(look->to->plan); path && *path; path++)
		if (!path_look(look, *path))
			look->to->changed_at = INT64_MAX; /* it was read */
	for (plan_strv path = plan_absent_files(look->to->plan); path && *path; path++)
		(void)path_look(look, *path);
	table_done(&look->seen);
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
