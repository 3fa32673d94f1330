/* SPDX-License-Identifier: MIT */
/* The base of all groups of one effd: found, made, taken from an effd that was killed, and taken down.
 *
 * Who holds the lock on a base's folder lives in it; a lock that is free means that its effd was killed, and what it has
 * left there is killed before anything starts. A group can give controllers to those below it only when no process is in it
 * itself: so where there are controllers to give, effd leaves its home for a group in the base, and goes back when it
 * ends. It is asked for memory at once, so that who was killed for want of it is known, and for the others when a
 * unit is to be limited. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

enum { MOST_BASES = 100 };

/* For how long the start is held up by what a killed effd has left and the kernel does not let go. */
#define CLEARED_WITHIN EFF_S(5)

static const char *const controllers[CGROUP_N_CONTROLLERS] = {"memory", "cpu", "pids", "io"};

const char *os_cgroups_controller(const struct cgroups *all, unsigned controller)
{
	unsigned n = 0;

	while (n + 1 < CGROUP_N_CONTROLLERS && !(controller >> n & 1))
		n++;
	return all->controllers[n];
}

void os_cgroups_init(struct cgroups *all)
{
	struct rlimit limit = {.rlim_cur = 0};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	*all = (struct cgroups){.home_fd = -1,
		.base_fd = -1,
		.wait_fd = -1,
		.spare_below = (int)(limit.rlim_cur > INT_MAX ? INT_MAX : limit.rlim_cur) / 2,
		.error = -EOPNOTSUPP,
		.controllers = controllers};
	eff_list_init(&all->all);
	eff_pulse_init(&all->cleared);
}

/* ── home ── */

/* A whole file of the kernel's; NULL. */
static char *text_of(const char *path)
{
	auto_fclose FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	/* There is no NUL in it. */
	if (file && getdelim(&text, &room, '\0', file) >= 0)
		return text;
	free(text);
	return NULL;
}

/* On failure `folder` says why. */
static int home_open(struct cgroups *all)
{
	auto_free char *cgroup = text_of("/proc/self/cgroup");
	auto_free char *mounts = text_of("/proc/self/mountinfo");
	size_t len = 0;
	const char *own = cgroup ? os_cgroup_own(cgroup, &len) : NULL;
	int r = own && mounts ? os_cgroup_find(own, len, mounts, &all->folder) : -EOPNOTSUPP;

	if (r < 0) {
		all->folder = alloc_text(r == -EXDEV ? "effd's own is not in what is mounted here"
						     : "there are none of version 2 here");
		return r;
	}
	all->own = alloc_new(len + 1);
	if (!all->own)
		return -ENOMEM;
	memcpy(all->own, own, len > 1 ? len : 0);
	all->home_fd = open(all->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Whoever may not put a process there may not take one out of it either. */
	if (all->home_fd < 0 || faccessat(all->home_fd, "cgroup.procs", W_OK, AT_EACCESS) < 0)
		return -errno;
	return 0;
}

/* ── a base ── */

static void base_name(char name[static CGROUP_BASE], unsigned n)
{
	(void)snprintf(name, CGROUP_BASE, n > 1 ? "effd+%u" : "effd", n);
}

/* Is the folder that is open still the one of that name? */
static bool is_there(int home, const char *name, int fd)
{
	struct stat one, other;

	return fstat(fd, &one) == 0 && fstatat(home, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
		one.st_ino == other.st_ino;
}

/* Its folder, locked; -EWOULDBLOCK when another has it; -errno. */
static int base_lock(int home, const char *name)
{
	int fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (r == 0 && !is_there(home, name, fd))
		r = -EWOULDBLOCK;
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

/* The first that nobody lives in. */
static int base_take(struct cgroups *all)
{
	char type[32];
	int r = -EWOULDBLOCK;

	for (unsigned n = 1; n <= MOST_BASES && (r == -EWOULDBLOCK || r == -ENOENT); n++) {
		bool made;

		base_name(all->base, n);
		made = mkdirat(all->home_fd, all->base, 0755) == 0;
		if (!made && errno != EEXIST)
			return -errno;
		r = base_lock(all->home_fd, all->base);
		if (r < 0 && r != -EWOULDBLOCK && made)
			(void)unlinkat(all->home_fd, all->base, AT_REMOVEDIR);
	}
	if (r < 0)
		return r;
	all->base_fd = eff_fd_raise(r);
	/* Where threads are told apart no process can be put. */
	r = (int)os_cgroup_read(all->base_fd, "cgroup.type", type, sizeof(type));
	return r < 0 ? r : strcmp(type, "domain\n") == 0 ? 0 : -EOPNOTSUPP;
}

/* ── controllers ── */

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word), n;

	for (; *words; words += n + (words[n] != '\0')) {
		n = strcspn(words, " \n");
		if (n == len && strncmp(words, word, n) == 0)
			return true;
	}
	return false;
}

static bool lists(int folder, const char *file, const char *controller)
{
	char text[512];

	return os_cgroup_read(folder, file, text, sizeof(text)) > 0 && has_word(text, controller);
}

static int set_given(int folder, const char *sign, const char *controller)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%s", sign, controller);
	return os_cgroup_write(folder, "cgroup.subtree_control", text);
}

/* From home to a group in the base. */
static int move_out(struct cgroups *all)
{
	auto_close int fd = -1;
	int r;

	if (all->moved)
		return 0;
	if (mkdirat(all->base_fd, "daemon", 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(all->base_fd, "daemon", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : os_cgroup_write(fd, "cgroup.procs", "0");
	all->moved = r == 0;
	return r;
}

static int home_lend(struct cgroups *all, unsigned bit, const char *controller)
{
	int r;

	if (lists(all->home_fd, "cgroup.subtree_control", controller))
		return 0;
	if (!lists(all->home_fd, "cgroup.controllers", controller))
		return -EOPNOTSUPP;
	r = set_given(all->home_fd, "+", controller);
	/* Processes are in it. If effd is all of them, that can be helped. */
	if (r == -EBUSY) {
		r = move_out(all);
		if (r == 0)
			r = set_given(all->home_fd, "+", controller);
	}
	if (r == 0)
		all->lent |= bit;
	return r;
}

int os_cgroups_give(struct cgroups *all, unsigned controller)
{
	const char *name = os_cgroups_controller(all, controller);
	int r;

	if (all->base_fd < 0)
		return all->error;
	if (all->given & controller)
		return 0;
	r = home_lend(all, controller, name);
	if (r == 0)
		r = set_given(all->base_fd, "+", name);
	if (r == 0)
		all->given |= controller;
	return r;
}

static void controllers_take_back(struct cgroups *all)
{
	for (unsigned bit = 1; bit < 1U << CGROUP_N_CONTROLLERS; bit <<= 1) {
		if (all->given & bit)
			(void)set_given(all->base_fd, "-", os_cgroups_controller(all, bit));
		if (all->lent & bit)
			(void)set_given(all->home_fd, "-", os_cgroups_controller(all, bit));
	}
	all->given = all->lent = 0;
}

bool os_cgroups_mend(struct cgroups *all, struct cgroup *group)
{
	bool was_used = group->used;

	group->killed = true;
	return was_used || (!all->moved && move_out(all) == 0);
}

/* ── what a killed effd has left ── */

/* All groups of a base that effd may kill or remove. */
static void base_clear(struct cgroups *all)
{
	auto_closedir DIR *dir = os_cgroup_folder(all->base_fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		bool whole = strncmp(entry->d_name, "unit:", 5) == 0;
		struct cgroup *group = NULL;

		if (whole || strncmp(entry->d_name, "keep:", 5) == 0)
			group = os_cgroup_open(all, entry->d_name);
		if (!group)
			continue;
		group->whole = group->former = whole;
		all->n_former += whole;
		if (whole)
			(void)os_cgroup_kill(group);
		os_cgroup_release(group);
	}
}

static void await_cleared(struct cgroups *all)
{
	struct eff_scope within;
	int r = 0;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), CLEARED_WITHIN));
	while (r >= 0 && all->n_former)
		r = eff_pulse_await(&all->cleared);
	(void)eff_scope_close(&within);
}

/* One that is another's. */
static void other_clear(const struct cgroups *all, const char *name)
{
	struct cgroups other;

	os_cgroups_init(&other);
	other.base_fd = base_lock(all->home_fd, name);
	other.home_fd = other.base_fd < 0 ? -1 : dup(all->home_fd);
	other.own = other.home_fd < 0 ? NULL : alloc_text(all->own);
	(void)snprintf(other.base, sizeof(other.base), "%s", name);
	if (other.own) {
		base_clear(&other);
		await_cleared(&other);
	}
	os_cgroups_done(&other);
}

/* Of others that were killed, too; what lives in theirs is theirs to keep. */
static void others_clear(const struct cgroups *all)
{
	char name[CGROUP_BASE];

	for (unsigned n = 1; n <= MOST_BASES; n++) {
		base_name(name, n);
		/* Of those between them some have ended well. */
		if (strcmp(name, all->base) != 0 &&
			faccessat(all->home_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			other_clear(all, name);
	}
}

/* ── it begins and ends ── */

int os_linux_hold(struct os *os)
{
	struct cgroups *all = &linux_of(os)->cgroups;
	int r = home_open(all);

	if (r == 0)
		r = base_take(all);
	if (r == 0) {
		(void)os_cgroups_give(all, CGROUP_MEMORY);
		base_clear(all);
		others_clear(all);
		await_cleared(all);
	}
	if (r < 0 && all->base_fd >= 0) {
		(void)unlinkat(all->home_fd, all->base, AT_REMOVEDIR);
		eff_fd_close(all->base_fd);
		all->base_fd = -1;
	}
	all->error = r;
	return r;
}

struct moving {
	struct cgroup_procs procs;
	int to;
};

static void move_each(struct cgroup_procs *procs, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	(void)os_cgroup_write(((struct moving *)procs)->to, "cgroup.procs", text);
}

/* Back home, with those that effd has started beside their units' groups. */
static void move_back(struct cgroups *all)
{
	struct moving moving = {.procs = {.each = move_each}, .to = all->home_fd};
	auto_close int fd = openat(all->base_fd, "daemon", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)os_cgroup_write(all->home_fd, "cgroup.procs", "0");
	if (fd >= 0)
		os_cgroup_each(fd, &moving.procs);
	all->moved = false;
}

void os_cgroups_done(struct cgroups *all)
{
	while (!eff_list_empty(&all->all)) {
		struct cgroup *group = eff_container(all->all.next, struct cgroup, link);

		(void)os_cgroup_remove(all->base_fd, group->name);
		os_cgroup_free(group);
	}
	controllers_take_back(all);
	if (all->moved)
		move_back(all);
	if (all->base_fd >= 0) {
		(void)unlinkat(all->base_fd, "daemon", AT_REMOVEDIR);
		(void)unlinkat(all->home_fd, all->base, AT_REMOVEDIR);
	}
	eff_fd_close(all->wait_fd);
	eff_fd_close(all->base_fd);
	eff_fd_close(all->home_fd);
	free(all->folder);
	free(all->own);
	os_cgroups_init(all);
}
