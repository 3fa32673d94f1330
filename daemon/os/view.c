/* SPDX-License-Identifier: MIT */
/* A view of the files: a mount namespace that the processes of one run share, in which /tmp is another,
 * or something cannot be written. It is as effd's own at first, what is mounted later is there too, and nothing of it is seen from outside; with its last process and effd's
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
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/arena.h"
#include "base/auto.h"
#include "os/internal.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* What the thread works on: nothing of it is anybody else's. */
struct making {
	struct arena *arena;
	const char *root;       /* NULL: effd's own */
	const char **read_only; /* NULL: none */
	const char **own;       /* folders of the unit's, which stay as they are */
	int *kept;              /* those, as they were before */
	size_t n_own;
	bool private_tmp;
	int fd;                   /* of the namespace; -1: not yet */
	const char *stage, *what; /* of a failure */
	int error;
};

/* ── on the thread: calls that libc may not have ── */

static int tree_clone(int fd)
{
	unsigned flags = AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int tree = (int)syscall(SYS_open_tree, fd, "", flags);

	return tree < 0 ? -errno : tree;
}

/* Upon whatever is there. */
static int tree_put(int tree, int fd)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return syscall(SYS_move_mount, tree, "", fd, "", flags) < 0 ? -errno : 0;
}

/* All that is mounted in it as well. */
static int tree_forbid(int tree)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	unsigned flags = AT_EMPTY_PATH | AT_RECURSIVE;

	return syscall(SYS_mount_setattr, tree, "", flags, &attr, sizeof(attr)) < 0 ? -errno : 0;
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
	return fault(m, "security", m->private_tmp ? "private_tmp" : "read_only_paths", error);
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

static int read_only_set(struct making *m, const char *path)
{
	bool may_be_missing = *path == '?';
	auto_close int root = root_open(m);
	auto_close int at = -1;
	auto_close int tree = -1;
	int r;

	path += may_be_missing;
	if (root < 0)
		return root;
	at = path_open(root, path);
	if (at == -ENOENT && may_be_missing)
		return 0;
	if (at < 0)
		return fault(m, "security", path, at);
	tree = tree_clone(at);
	r = tree < 0 ? tree : tree_forbid(tree);
	if (r >= 0)
		r = tree_put(tree, at);
	return r < 0 ? fault(m, "security", path, r) : 0;
}

/* What the unit was given for its own is kept as it is before all around it changes. */
static int own_keep(struct making *m)
{
	for (size_t i = 0; i < m->n_own; i++) {
		auto_close int at = open(m->own[i], O_PATH | O_CLOEXEC);

		m->kept[i] = at < 0 ? -errno : tree_clone(at);
		if (m->kept[i] < 0)
			return fault(m, "security", m->own[i], m->kept[i]);
	}
	return 0;
}

static int own_put(struct making *m)
{
	auto_close int root = root_open(m);

	if (root < 0)
		return root;
	for (size_t i = 0; i < m->n_own; i++) {
		auto_close int at = open(m->own[i], O_PATH | O_CLOEXEC);
		int r = at < 0 ? -errno : tree_put(m->kept[i], at);

		if (r < 0)
			return fault(m, "security", m->own[i], r);
	}
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

/* Its /tmp is put upon what cannot be written: whoever has both means that. */
static void view_make(struct making *m)
{
	int r = part(m);

	if (r >= 0 && m->read_only)
		r = own_keep(m);
	for (size_t i = 0; r >= 0 && m->read_only && m->read_only[i]; i++)
		r = read_only_set(m, m->read_only[i]);
	if (r >= 0 && m->read_only && m->n_own > 0)
		r = own_put(m);
	if (r >= 0 && m->private_tmp)
		r = tmp_put(m, "/tmp", false);
	if (r >= 0 && m->private_tmp)
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
	for (size_t i = 0; i < m->n_own; i++)
		if (m->kept[i] >= 0)
			(void)close(m->kept[i]);
	if (m->fd >= 0)
		(void)close(m->fd);
	arena_free(m->arena);
}

static size_t own_count(const struct os_spawn *spawn)
{
	size_t n = 0;

	for (int place = 0; place < OS_N_PLACES; place++)
		for (size_t i = 0; spawn->directories[place] && spawn->directories[place][i]; i++)
			n++;
	return n;
}

/* False: no memory. They lie outside of a root of the unit's own. */
static bool own_take(struct making *m, const struct os_linux *os, const struct os_spawn *spawn)
{
	size_t n = spawn->root_dir ? 0 : own_count(spawn);

	m->own = arena_alloc(m->arena, (n + 1) * sizeof(*m->own));
	m->kept = arena_alloc(m->arena, (n + 1) * sizeof(*m->kept));
	if (!m->own || !m->kept)
		return false;
	for (int place = 0; place < OS_N_PLACES && n > 0; place++) {
		const char *const *name = spawn->directories[place];

		for (; name && *name; name++) {
			m->own[m->n_own] = arena_printf(m->arena, "%s/%s", os->places[place], *name);
			m->kept[m->n_own] = -1;
			if (!m->own[m->n_own])
				return false;
			m->n_own++;
		}
	}
	return true;
}

static struct making *making_new(const struct os_linux *os, const struct os_spawn *spawn)
{
	struct arena *arena = arena_new();
	struct making *m = arena ? arena_alloc(arena, sizeof(*m)) : NULL;
	bool done = m != NULL;

	if (m)
		*m = (struct making){.arena = arena, .fd = -1, .private_tmp = spawn->private_tmp};
	if (done && spawn->root_dir)
		done = (m->root = arena_strdup(arena, spawn->root_dir)) != NULL;
	if (done && spawn->read_only)
		done = (m->read_only = os_strings_copy(arena, spawn->read_only, 0)) != NULL;
	if (done && own_take(m, os, spawn))
		return m;
	arena_free(arena);
	return NULL;
}

/* Two may have begun at once: the first counts. */
static void view_keep(struct making *m, struct os_view *view)
{
	if (view->fd >= 0)
		return;
	view->fd = eff_fd_raise(m->fd);
	m->fd = -1;
}

int os_view_make(struct os_linux *os, const struct os_spawn *spawn, struct os_fault *ret_fault)
{
	bool wanted = spawn->private_tmp || spawn->read_only;
	struct making *m;
	int r;

	if (!wanted || !spawn->view || (*spawn->view && (*spawn->view)->fd >= 0))
		return 0;
	m = making_new(os, spawn);
	r = m ? eff_blocking(make_and_join, m, making_free) : -ENOMEM;
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	if (r >= 0 && !m->error) {
		/* The one that was there may have been closed meanwhile, by the end of a run that this does not belong to. */
		r = os_view_hold(os, spawn);
		if (r >= 0 && *spawn->view)
			view_keep(m, *spawn->view);
	}
	*ret_fault = (struct os_fault){.stage = "security", .error = -r, .what = spawn->argv[0]};
	if (r >= 0 && m->error) {
		(void)snprintf(os->fault_what, sizeof(os->fault_what), "%s", m->what);
		*ret_fault = (struct os_fault){m->stage, m->error, os->fault_what};
	}
	making_free(m);
	return ret_fault->error ? -ECHILD : 0;
}
