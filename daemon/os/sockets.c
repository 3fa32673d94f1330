/* SPDX-License-Identifier: MIT */
/* Sockets that effd holds for units, over their restarts and stops. They block, as who gets them expects that has not asked
 * for anything else; effd itself only waits for somebody to come.
 *
 * One in the file system is made on a thread. It is nobody's but effd's from its first moment and becomes its user's before
 * its mode does; as root that is done in a folder alone in which nobody else could put something in its place. What lies
 * there already is left as it is, but for a socket on which nobody listens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/endpoint.h"
#include "base/trust.h"
#include "os/internal.h"

enum { FOLDER_MODE = 0755 };

struct os_socket {
	int fd;
	char *path; /* of its file; NULL: none */
	dev_t dev;
	ino_t ino;
};

/* What the thread works on: nothing of it is anybody else's. */
struct opening {
	struct os_socket *socket;
	struct endpoint at;
	int backlog;
	mode_t mode;
	uid_t uid;
	gid_t gid; /* -1 both: as it comes */
	bool reuse_port;
	int error;
};

static bool has_file(const struct opening *o)
{
	return o->at.address.any.sa_family == AF_UNIX;
}

static void socket_free(struct os_socket *s)
{
	struct stat st;

	if (!s)
		return;
	if (s->path && s->ino && lstat(s->path, &st) == 0 && st.st_dev == s->dev &&
		st.st_ino == s->ino)
		(void)unlink(s->path);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	free(s);
}

/* ── a place in the file system, on the thread ── */

/* `path` is cut to its folder and whole again. */
static int folder_prepare(char *path)
{
	char *slash = strrchr(path, '/');
	const char *folder = slash == path ? "/" : path;
	int r = 0;

	if (slash != path)
		*slash = '\0';
	if (geteuid() == 0)
		r = trust_folder(folder);
	if (r >= 0)
		r = os_folders_make(folder, FOLDER_MODE, true);
	*slash = '/';
	return r;
}

static int place_clear(const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EEXIST;
	if (!endpoint_is_stale(address))
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int file_bind(struct opening *o)
{
	struct os_socket *s = o->socket;
	struct stat st;

	/* What the mode is before, it has from its first moment. */
	if (fchmod(s->fd, 0600) < 0 || bind(s->fd, &o->at.address.any, o->at.len) < 0 ||
		lstat(s->path, &st) < 0)
		return -errno;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	if ((o->uid != (uid_t)-1 || o->gid != (gid_t)-1) && lchown(s->path, o->uid, o->gid) < 0)
		return -errno;
	return chmod(s->path, o->mode) < 0 ? -errno : 0;
}

static int file_place(struct opening *o)
{
	int r = folder_prepare(o->socket->path);

	if (r >= 0)
		r = place_clear(&o->at.address.un);
	return r < 0 ? r : file_bind(o);
}

/* ── anywhere ── */

static int port_bind(const struct opening *o)
{
	int fd = o->socket->fd, on = 1;

	/* Of datagrams it would let others take them. */
	if (o->at.type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (o->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return -errno;
	return bind(fd, &o->at.address.any, o->at.len) < 0 ? -errno : 0;
}

static void open_now(void *arg)
{
	struct opening *o = arg;
	int r = o->socket->fd = endpoint_socket(&o->at, 0);

	if (r >= 0)
		r = has_file(o) ? file_place(o) : port_bind(o);
	if (r >= 0 && o->at.type == SOCK_STREAM && listen(o->socket->fd, o->backlog) < 0)
		r = -errno;
	o->error = r < 0 ? -r : 0;
}

static void opening_free(void *arg)
{
	struct opening *o = arg;

	if (!o)
		return;
	socket_free(o->socket);
	free(o);
}

/* ── on the loop ── */

static struct opening *opening_new(const struct os_listen *wanted, const struct ids *ids)
{
	struct opening *o = alloc_new(sizeof(*o));

	if (!o)
		return NULL;
	*o = (struct opening){.socket = alloc_new(sizeof(*o->socket)),
		.backlog = (int)wanted->backlog,
		.mode = wanted->mode,
		.uid = wanted->user ? ids->uid : (uid_t)-1,
		.gid = ids ? ids->gid : (gid_t)-1,
		.reuse_port = wanted->reuse_port};
	if (!o->socket) {
		free(o);
		return NULL;
	}
	o->socket->fd = -1;
	o->error = -endpoint_parse_any(wanted->listen, &o->at);
	if (!o->error && has_file(o)) {
		o->socket->path = alloc_text(o->at.address.un.sun_path);
		o->error = o->socket->path ? 0 : ENOMEM;
	}
	return o;
}

/* 0; -ECANCELED, -ETIMEDOUT, and `o` is somebody else's. */
static int open_await(struct opening *o)
{
	int r = 0;

	if (has_file(o))
		r = eff_blocking(open_now, o, opening_free);
	else
		open_now(o);
	if (r < 0 && r != -ECANCELED && r != -ETIMEDOUT) {
		o->error = -r;
		r = 0;
	}
	return r;
}

int linux_listen(struct os *os, const struct os_listen *wanted, struct os_socket **ret_socket,
	struct os_fault *ret_fault)
{
	const struct os_spawn who = {.user = wanted->user, .group = wanted->group};
	struct ids *ids = NULL;
	struct opening *o;
	int r = 0;

	(void)os;
	if (wanted->user || wanted->group)
		r = os_ids_find(&who, &ids, ret_fault);
	if (r < 0)
		return r;
	o = opening_new(wanted, ids);
	os_ids_free(ids);
	if (o && !o->error)
		r = open_await(o);
	if (r < 0)
		return r;
	if (!o || o->error) {
		*ret_fault = (struct os_fault){
			.stage = "socket", .error = o ? o->error : ENOMEM, .what = wanted->listen};
		opening_free(o);
		return -ECHILD;
	}
	o->socket->fd = eff_fd_raise(o->socket->fd);
	*ret_socket = o->socket;
	free(o);
	return 0;
}

bool linux_watch_socket(struct os_socket *socket, struct eff_watch *watch)
{
	return eff_fd_watch(socket->fd, EFF_READ, watch) < 0;
}

void linux_close_socket(struct os_socket *socket)
{
	eff_fd_forget(socket->fd);
	socket_free(socket);
}

int os_socket_fd(const struct os_socket *socket)
{
	return socket->fd;
}
