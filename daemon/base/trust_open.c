/* SPDX-License-Identifier: MIT */
/* To go along a path step by step, each looked at by its descriptor before the next is taken from there: what has been looked
 * at is what is gone through, whatever is put in a place meanwhile. A link is read where it is, and what it says is gone along
 * in the same way; whose it is tells whether somebody else has chosen. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/trust.h"

/* As many as the kernel follows; and what is no errno: there is more to be gone. */
enum { LINKS_MOST = 40, GO_ON = -4096 };

struct walk {
	int folder; /* where it is: looked at; -1 */
	int flags;  /* of what is to be opened */
	unsigned n_links;
	char rest[PATH_MAX]; /* what is still to be gone */
	char target[PATH_MAX];
	char at[2 * PATH_MAX]; /* where it is without links, and what it is about to look at */
};

/* What is fit to go through; takes `fd`. */
static int walk_enter(struct walk *w, int fd)
{
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISDIR(st.st_mode))
		r = -ENOTDIR;
	else if (!trust_stat(&st) && !(st.st_uid == 0 && trust_mount(fd)))
		r = -EPERM;
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	if (w->folder >= 0)
		(void)close(w->folder);
	w->folder = fd;
	return 0;
}

static int walk_from_root(struct walk *w)
{
	memcpy(w->at, "/", 2);
	return walk_enter(w, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static void at_leave(struct walk *w)
{
	char *slash = strrchr(w->at, '/');

	slash[slash == w->at] = '\0';
}

/* Both names are in a buffer that their path was in. */
static int at_go(struct walk *w, const char *name)
{
	size_t len = strlen(w->at);

	if (len + strlen(name) + 2 > sizeof(w->at))
		return -ENAMETOOLONG;
	(void)stpcpy(stpcpy(w->at + len, len > 1 ? "/" : ""), name);
	return 0;
}

/* What a link says stands before what is still to be gone. */
static int walk_link(struct walk *w, int fd, const struct stat *st, const char *rest)
{
	ssize_t n;

	if (!trust_stat(st))
		return -EPERM;
	n = readlinkat(fd, "", w->target, sizeof(w->target));
	if (n < 0)
		return -errno;
	if (++w->n_links > LINKS_MOST)
		return -ELOOP;
	if ((size_t)n + strlen(rest) >= sizeof(w->rest))
		return -ENAMETOOLONG;
	memmove(w->rest + n, rest, strlen(rest) + 1);
	memcpy(w->rest, w->target, (size_t)n);
	at_leave(w);
	return *w->rest == '/' ? walk_from_root(w) : 0;
}

/* The last of the names. What was no link a moment ago and is one now is looked at again. */
static int walk_open(struct walk *w, const char *name)
{
	int fd = openat(w->folder, name, w->flags | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno != ELOOP || ++w->n_links > LINKS_MOST)
		return -errno;
	at_leave(w);
	return GO_ON;
}

/* Look at a name where it is, following nothing; *ret_fd is the caller's, whatever is returned. */
static int walk_look(struct walk *w, const char *name, int *ret_fd, struct stat *ret_st)
{
	int r = at_go(w, name);

	if (r < 0)
		return r;
	*ret_fd = openat(w->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd < 0)
		return -errno;
	return fstat(*ret_fd, ret_st) < 0 ? -errno : 0;
}

/* One name: `name` stands in `rest`, whose end it is cut from. Returns a descriptor of the end, GO_ON while there is more to
 * be gone, -errno. */
static int walk_step(struct walk *w, char *name, char *rest)
{
	auto_close int fd = -1;
	struct stat st = {0};
	char after = *rest;
	int r, folder;

	*rest = '\0';
	r = walk_look(w, name, &fd, &st);
	if (r == 0 && !S_ISLNK(st.st_mode) && !after)
		return walk_open(w, name);
	*rest = after;
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode)) {
		r = walk_link(w, fd, &st, rest);
		return r < 0 ? r : GO_ON;
	}
	folder = fd;
	fd = -1;
	memmove(w->rest, rest, strlen(rest) + 1);
	r = walk_enter(w, folder);
	return r < 0 ? r : GO_ON;
}

static int walk_up(struct walk *w, const char *rest)
{
	int r = walk_enter(w, openat(w->folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC));

	if (r < 0)
		return r;
	at_leave(w);
	memmove(w->rest, rest, strlen(rest) + 1);
	return GO_ON;
}

static int walk_on(struct walk *w)
{
	char *name = w->rest + strspn(w->rest, "/");
	char *rest = name + strcspn(name, "/");
	int fd;

	if (!*name) {
		fd = openat(w->folder, ".", w->flags | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	if (strncmp(name, "..", 2) == 0 && rest - name == 2)
		return walk_up(w, rest);
	if (*name == '.' && rest - name == 1) {
		memmove(w->rest, rest, strlen(rest) + 1);
		return GO_ON;
	}
	return walk_step(w, name, rest);
}

static int walk_begin(struct walk *w, const char *path, int flags)
{
	size_t len = strlen(path);
	int r;

	w->folder = -1;
	w->flags = flags;
	if (*path != '/' || len >= sizeof(w->rest))
		return *path == '/' ? -ENAMETOOLONG : -EINVAL;
	memcpy(w->rest, path, len + 1);
	r = walk_from_root(w);
	return r < 0 ? r : GO_ON;
}

int trust_open(const char *path, int flags, char **ret_at)
{
	struct walk *w = alloc_new(sizeof(*w));
	int r = w ? walk_begin(w, path, flags) : -ENOMEM;

	while (r == GO_ON)
		r = walk_on(w);
	if (ret_at)
		*ret_at = w ? strdup(w->at) : NULL;
	if (w && w->folder >= 0)
		(void)close(w->folder);
	free(w);
	return r;
}
