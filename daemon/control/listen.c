/* SPDX-License-Identifier: MIT */
/* The control socket's place in the file system.
 *
 * Whose it is, a lock decides: flock(2) on PATH.lock, which the kernel gives back whatever becomes of its holder. Whoever
 * holds it may replace a socket that nobody listens on; anything else at the path was put there by somebody and is left
 * as it is. The socket is bound with umask 077 and opened to others only afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/endpoint.h"
#include "base/text.h"
#include "base/trust.h"
#include "control/listen.h"

enum { BACKLOG = 128, LOCK_TRIES = 16 };

static int explain(struct text *why, int error, const char *what, const char *path)
{
	text_printf(why, "cannot %s %s: %s", what, path, strerror(error));
	return -error;
}

/* Make the folder and what is missing above it. */
static int folder_make(char *path, mode_t mode)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0755);
		*slash = '/';
		if (r < 0 && errno != EEXIST)
			return -errno;
	}
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* Whatever the umask is. */
	return chmod(path, mode) < 0 ? -errno : 0;
}

int folders_make(const char *folder, mode_t mode)
{
	auto_free char *path = strdup(folder);

	return path ? folder_make(path, mode) : -ENOMEM;
}

/* As root the folder must be one in which no one else can put something in the socket's place, or the folder's: what is
 * done to the socket is done by its path. */
static int folder_check(const char *folder, struct text *why)
{
	int r = geteuid() == 0 ? trust_folder(folder) : 0;

	if (r == -EPERM) {
		text_printf(why,
			"cannot listen in %s: it is to be root's, with all that is above it, and nobody else's to write",
			folder);
		return r;
	}
	return r < 0 ? explain(why, -r, "listen in", folder) : 0;
}

/* `path` is cut to its folder. */
static int folder_prepare(char *path, const struct listen_opts *opts, struct text *why)
{
	char *folder = dirname(path);
	/* Units of other users than root pass through it, to where they say that they are ready. */
	mode_t closed = geteuid() == 0 ? 0711 : 0700;
	mode_t mode = (opts->mode & 077) || strcmp(folder, "/run/effd") == 0 ? 0755 : closed;
	int r = folder_check(folder, why);

	if (r < 0)
		return r;
	r = strcmp(folder, "/") == 0 ? 0 : folder_make(folder, mode);
	return r < 0 ? explain(why, -r, "make the folder", folder) : 0;
}

/* Is the file behind `fd` still the one at `path`? Its last holder may have removed it. */
static bool lock_is_current(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int lock_take(const char *path, int *ret_fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		int r;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			r = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
			(void)close(fd);
			return r;
		}
		if (lock_is_current(fd, path)) {
			*ret_fd = fd;
			return 0;
		}
		(void)close(fd);
	}
	return -EADDRINUSE;
}

/* Under the lock: make room for the socket, or say who is in its place. */
static int place_clear(const struct sockaddr_un *address, struct text *why)
{
	const char *path = address->sun_path;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : explain(why, errno, "look at", path);
	if (!S_ISSOCK(st.st_mode)) {
		text_printf(why,
			"cannot listen at %s: %s is in its place, and is left as it is", path,
			S_ISLNK(st.st_mode)           ? "a link"
				: S_ISDIR(st.st_mode) ? "a folder"
						      : "another file");
		return -EEXIST;
	}
	if (!endpoint_is_stale(address)) {
		text_printf(why, "cannot listen at %s: another program listens there", path);
		return -EEXIST;
	}
	return unlink(path) < 0 ? explain(why, errno, "remove the stale socket", path) : 0;
}

/* Bind and listen; open to others only when all is set. */
static int socket_place(int fd, const struct sockaddr_un *address, const struct listen_opts *opts)
{
	mode_t umask_before = umask(077);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	(void)umask(umask_before);
	if (r < 0)
		return r;
	if ((opts->group != (gid_t)-1 && lchown(opts->path, (uid_t)-1, opts->group) < 0) ||
		chmod(opts->path, opts->mode) < 0 || listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)unlink(opts->path);
	}
	return r;
}

static int socket_bind(const struct sockaddr_un *address, const struct listen_opts *opts, int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = socket_place(fd, address, opts);
	if (r < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return r;
}

/* What whoever made it has said about it holds: its mode, its group, how many may wait. */
static int socket_take(struct listener *l, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	l->fd = fd;
	l->is_given = true;
	return 0;
}

static int place_take(const struct listen_opts *opts, struct listener *l, struct text *why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char folder[sizeof(address.sun_path)];
	auto_free char *lock = NULL;
	int r;

	if (strlen(opts->path) >= sizeof(address.sun_path)) {
		text_printf(why, "cannot listen at %s: a socket's path has at most %zu bytes",
			opts->path, sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, opts->path, strlen(opts->path) + 1);
	memcpy(folder, opts->path, strlen(opts->path) + 1);
	r = folder_prepare(folder, opts, why);
	if (r < 0)
		return r;
	if (asprintf(&lock, "%s.lock", opts->path) < 0) {
		lock = NULL;
		return -ENOMEM;
	}
	r = lock_take(lock, &l->lock_fd);
	if (r == -EADDRINUSE)
		text_printf(why, "another effd has the socket %s", opts->path);
	else if (r < 0)
		return explain(why, -r, "lock", lock);
	if (r == 0 && opts->given_fd == 0)
		r = place_clear(&address, why);
	if (r < 0)
		return r;
	r = opts->given_fd > 0 ? socket_take(l, opts->given_fd)
			       : socket_bind(&address, opts, &l->fd);
	return r < 0 ? explain(why, -r, "listen at", opts->path) : 0;
}

int listen_open(const struct listen_opts *opts, struct listener *ret, struct text *why)
{
	struct listener l = {.fd = -1, .lock_fd = -1, .path = strdup(opts->path)};
	int r = l.path ? place_take(opts, &l, why) : -ENOMEM;

	if (r < 0) {
		listen_close(&l);
		return r;
	}
	*ret = l;
	return 0;
}

/* Of the socket, and nothing else: by now who may write to its folder may have put a link in its place. */
int listen_change(const struct listener *l, mode_t mode)
{
	char name[32];
	struct stat st;
	int fd, r = 0;

	if (!l->path || l->is_given)
		return 0;
	fd = open(l->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		r = -ENOTSOCK;
	else if ((st.st_mode & ALLPERMS) != mode && chmod(name, mode) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

void listen_close(struct listener *l)
{
	auto_free char *lock = NULL;

	if (!l->path)
		return;
	if (l->fd >= 0 && !l->is_given)
		(void)unlink(l->path);
	if (l->fd >= 0)
		(void)close(l->fd);
	/* The lock's file goes while it is held: who waits for it looks whether it is still there. */
	if (l->lock_fd >= 0) {
		if (asprintf(&lock, "%s.lock", l->path) < 0)
			lock = NULL;
		else
			(void)unlink(lock);
		(void)close(l->lock_fd);
	}
	free(l->path);
	*l = (struct listener){.fd = -1, .lock_fd = -1};
}
