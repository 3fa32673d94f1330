/* SPDX-License-Identifier: MIT */
/* A view of the files: a mount namespace that the processes of one run share, in which /tmp is another. It is as effd's own
 * at first, what is mounted later is there too, and nothing of it is seen from outside; with its last process and effd's
 * descriptor it is gone, and what was in its /tmp with it: nothing is to be cleared away, whoever is killed.
 *
 * It is made by a thread of its own, which has parted from effd's namespace and never comes back. There it goes by
 * descriptors, within the unit's root: the link that a program has put in there leads nowhere else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/auto.h"
#include "os/internal.h"

/* What the thread works on: nothing of it is anybody else's. */
struct making {
	struct arena *arena;
	const char *root;         /* NULL: effd's own */
	int fd;                   /* of the namespace; -1: not yet */
	const char *stage, *what; /* of a failure */
	int error;
};

/* ── on the thread: calls that libc may not have ── */

/* Upon whatever is there. */
static int tree_put(int tree, int fd)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return syscall(SYS_move_mount, tree, "", fd, "", flags) < 0 ? -errno : 0;
}

/* What is at a path below the root that is a descriptor, as the path of a program that has that root. */
static int path_open(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* An empty one, for everybody. */
static int tmpfs_make(void)
{
	auto_close int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	int fd;

	if (context < 0 ||
		syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "1777", 0) < 0 ||
		syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? -errno : fd;
}

/* ── on the thread: what is done by them ── */

static int fault(struct making *m, const char *stage, const char *what, int error)
{
	m->stage = stage;
	m->what = what;
	m->error = error < 0 ? -error : 0;
	return error;
}

static int view_fault(struct making *m, int error)
{
	return fault(m, "security", "private_tmp", error);
}

/* The unit's root as it is now: with what was put upon it. A descriptor or -errno, which has been told. */
static int root_open(struct making *m)
{
	int root;

	if (setns(m->fd, CLONE_NEWNS) < 0)
		return view_fault(m, -errno);
	root = open(m->root ? m->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? fault(m, "root", m->root ? m->root : "/", -errno) : root;
}

/* Parts from effd's. One that lives in a root of its own would find itself outside of that: so would its children. */
static int part(struct making *m)
{
	struct stat before, after;

	if (unshare(CLONE_NEWNS) < 0)
		return view_fault(m, -errno);
	m->fd = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (m->fd < 0 || stat("/", &before) < 0 || setns(m->fd, CLONE_NEWNS) < 0 ||
		stat("/", &after) < 0)
		return view_fault(m, -errno);
	if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
		return view_fault(m, -ENOTSUP);
	if (syscall(SYS_mount, NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return view_fault(m, -errno);
	return 0;
}

static int tmp_put(struct making *m, const char *path, bool may_be_missing)
{
	auto_close int root = root_open(m);
	auto_close int at = -1;
	auto_close int tree = -1;
	int r;

	if (root < 0)
		return root;
	at = path_open(root, path);
	if (at == -ENOENT && may_be_missing)
		return 0;
	tree = at < 0 ? at : tmpfs_make();
	r = tree < 0 ? tree : tree_put(tree, at);
	return r < 0 ? fault(m, "security", path, r) : 0;
}

static void view_make(struct making *m)
{
	int r = part(m);

	if (r >= 0)
		r = tmp_put(m, "/tmp", false);
	if (r >= 0)
		(void)tmp_put(m, "/var/tmp", true);
}

static void *make_apart(void *arg)
{
	view_make(arg);
	return NULL;
}

/* On a thread that others use after it. */
static void make_and_join(void *arg)
{
	struct making *m = arg;
	pthread_t apart;
	int error = pthread_create(&apart, NULL, make_apart, m);

	if (error)
		(void)view_fault(m, -error);
	else
		(void)pthread_join(apart, NULL);
}

/* ── on the loop ── */

static void making_free(void *arg)
{
	struct making *m = arg;

	if (!m)
		return;
	if (m->fd >= 0)
		(void)close(m->fd);
	arena_free(m->arena);
}

static struct making *making_new(const struct os_spawn *spawn)
{
	struct arena *arena = arena_new();
	struct making *m = arena ? arena_alloc(arena, sizeof(*m)) : NULL;

	if (m) {
		*m = (struct making){.arena = arena, .fd = -1};
		m->root = spawn->root_dir ? arena_strdup(arena, spawn->root_dir) : NULL;
	}
	if (m && (m->root || !spawn->root_dir))
		return m;
	arena_free(arena);
	return NULL;
}

/* Two may have begun at once: the first view counts. */
static bool view_keep(struct making *m, struct os_view **to)
{
	if (*to)
		return true;
	*to = alloc_new(sizeof(**to));
	if (!*to)
		return false;
	(*to)->fd = eff_fd_raise(m->fd);
	m->fd = -1;
	return true;
}

int os_view_make(struct os_linux *os, const struct os_spawn *spawn, struct os_fault *ret_fault)
{
	struct making *m;
	int r;

	if (!spawn->view || *spawn->view || !spawn->private_tmp)
		return 0;
	m = making_new(spawn);
	r = m ? eff_blocking(make_and_join, m, making_free) : -ENOMEM;
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	if (r >= 0 && !m->error && !view_keep(m, spawn->view))
		r = -ENOMEM;
	*ret_fault = (struct os_fault){.stage = "security", .error = -r, .what = spawn->argv[0]};
	if (r >= 0 && m->error) {
		(void)snprintf(os->fault_what, sizeof(os->fault_what), "%s", m->what);
		*ret_fault = (struct os_fault){m->stage, m->error, os->fault_what};
	}
	making_free(m);
	return ret_fault->error ? -ECHILD : 0;
}

void linux_close_view(struct os_view *view)
{
	if (!view)
		return;
	(void)close(view->fd);
	free(view);
}
