/* SPDX-License-Identifier: MIT */
/* Folders that are made for a unit before it starts, on a thread, as disks and networks may take their time.
 *
 * Root makes them, and gives them away: so it goes down by descriptors, follows no link, and goes through no folder in which
 * anybody else could put another in the place of the one that it looks at. What is there already keeps what is in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/arena.h"
#include "base/auto.h"
#include "base/trust.h"
#include "os/internal.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
enum { MODE_BETWEEN = 0755, MODE_PRIVATE = 0700 };

struct folder {
	const char *place;
	char *name; /* cut to pieces on the way */
	const char *path;
};

/* What the thread works on: nothing of it is anybody else's. */
struct making {
	struct arena *arena;
	struct folder *folders;
	size_t n, at; /* the one that is being made */
	uid_t uid;
	gid_t gid;
	mode_t mode;
	bool is_root;
	int error;
};

/* ── on the thread ── */

int os_folder_trust(int fd)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* What comes next in it is ours only if nobody else may write there: sticky is not enough. */
	return trust_stat(&st) && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

/* One folder down. Takes `from`. Returns a descriptor or -errno. */
static int down(int from, const char *name)
{
	auto_close int folder = from;
	bool made = mkdirat(folder, name, MODE_PRIVATE) == 0;
	char byte;
	int fd, r;

	if (!made && errno != EEXIST)
		return -errno;
	fd = openat(folder, name, FOLDER_FLAGS);
	if (fd < 0) {
		r = -errno;
		/* Who is told that it is no folder would look at it and see one. */
		return r == -ENOTDIR && readlinkat(folder, name, &byte, 1) >= 0 ? -ELOOP : r;
	}
	if (made && fchmod(fd, MODE_BETWEEN) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

static int place_open(const struct making *m, const char *place)
{
	int r = place ? os_folders_make(place, m->is_root ? MODE_BETWEEN : MODE_PRIVATE, true)
		      : -ENOENT;
	int fd;

	if (r >= 0 && m->is_root)
		r = trust_folder(place);
	if (r < 0)
		return r;
	/* The place itself may be a link: who put it there is trusted. */
	fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Gives it its owner and its mode, where they are others. */
static int hand_over(int fd, const struct making *m)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (m->is_root && (st.st_uid != m->uid || st.st_gid != m->gid) &&
		fchown(fd, m->uid, m->gid) < 0)
		return -errno;
	if ((st.st_mode & 07777) != m->mode && fchmod(fd, m->mode) < 0)
		return -errno;
	return 0;
}

static int folder_make(const struct making *m, const struct folder *folder)
{
	auto_close int fd = place_open(m, folder->place);
	char *rest = folder->name;
	int r = fd < 0 ? fd : 0;

	while (r >= 0 && rest) {
		const char *name = strsep(&rest, "/");

		r = os_folder_trust(fd);
		if (r < 0)
			break;
		fd = down(fd, name);
		r = fd < 0 ? fd : 0;
	}
	return r < 0 ? r : hand_over(fd, m);
}

static void make_all(void *arg)
{
	struct making *m = arg;
	int r = 0;

	for (; m->at < m->n; m->at++) {
		r = folder_make(m, &m->folders[m->at]);
		if (r < 0)
			break;
	}
	m->error = -r;
}

/* ── on the loop ── */

static void making_free(void *arg)
{
	struct making *m = arg;

	if (m)
		arena_free(m->arena);
}

static bool folder_add(struct making *m, const struct os_linux *os, int place, const char *name)
{
	static const char *const kinds[] = {"runtime", "state", "cache", "logs"};
	struct folder *folder = &m->folders[m->n++];
	const char *at = os->places[place];

	folder->place = at ? arena_strdup(m->arena, at) : NULL;
	folder->name = arena_strdup(m->arena, name);
	folder->path = at
		? arena_printf(m->arena, "%s/%s", at, name)
		: arena_printf(m->arena, "%s, there is no place for %s", name, kinds[place]);
	return folder->name && folder->path && (folder->place || !at);
}

static struct making *making_new(const struct os_linux *os, const struct os_spawn *spawn,
	const struct ids *ids, size_t n)
{
	struct arena *arena = arena_new();
	struct making *m = arena ? arena_alloc(arena, sizeof(*m)) : NULL;
	bool done;

	if (m)
		*m = (struct making){.arena = arena,
			.folders = arena_alloc(arena, n * sizeof(*m->folders)),
			.uid = ids ? ids->uid : geteuid(),
			.gid = ids ? ids->gid : getegid(),
			.mode = spawn->directories_mode,
			.is_root = geteuid() == 0};
	done = m && m->folders;
	for (int place = 0; place < OS_N_PLACES; place++) {
		const char *const *name = spawn->directories[place];

		for (; done && name && *name; name++)
			done = folder_add(m, os, place, *name);
	}
	if (done)
		return m;
	arena_free(arena);
	return NULL;
}

int os_directories_make(struct os_linux *os, const struct os_spawn *spawn,
	const struct ids *ids, struct os_fault *ret_fault)
{
	struct making *m;
	size_t n = 0;
	int r;

	for (int place = 0; place < OS_N_PLACES; place++)
		for (size_t i = 0; spawn->directories[place] && spawn->directories[place][i]; i++)
			n++;
	if (n == 0)
		return 0;
	m = making_new(os, spawn, ids, n);
	r = m ? eff_blocking(make_all, m, making_free) : -ENOMEM;
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	*ret_fault = (struct os_fault){.stage = "directory", .error = -r, .what = spawn->argv[0]};
	if (m) {
		if (r >= 0)
			ret_fault->error = m->error;
		if (m->at < m->n) {
			(void)snprintf(os->fault_what, sizeof(os->fault_what), "%s",
				m->folders[m->at].path);
			ret_fault->what = os->fault_what;
		}
		making_free(m);
	}
	return ret_fault->error ? -ECHILD : 0;
}
