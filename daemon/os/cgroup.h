/* SPDX-License-Identifier: MIT */
/* Control groups of version 2, for os_linux's files alone. Where they can be had each process that effd starts begins in a
 * group of its own, with all that comes of it, wherever that goes to: it can be killed in one go, and the kernel tells when
 * nobody is left.
 *
 *   HOME             where effd was started; only what was delegated, or root's, may be filled
 *   HOME/effd        the base of one effd, that locks its folder as long as it lives; a second one has effd+2
 *   …/unit:NAME      all of a unit, or of a command beside it (unit:NAME+7)
 *   …/keep:NAME      the same, where only limits are its purpose, and what is left in it is nobody's to kill
 *   …/daemon         effd itself, once it had to leave HOME: a group with processes can give its children no controllers
 *
 * cgroup_files.c knows the kernel's files, cgroup_find.c where HOME is, cgroups.c makes, clears and ends the base,
 * cgroup.c is one group, cgroup_kept.c one that is used again. */
#ifndef EFFD_OS_CGROUP_H
#define EFFD_OS_CGROUP_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff/event.h>
#include <eff/io.h>
#include <eff/list.h>
#include <eff/time.h>

#include "base/terms.h"

struct cgroup;

/* ── cgroup_files.c ── */

enum { CGROUP_NAME = NAME_MAX + 1, CGROUP_BASE = 32 };
/* "unit:workers:index" of "unit:" and "workers/index": a name that no file of the kernel's has, and no other text. */
void os_cgroup_name(char name[static CGROUP_NAME], const char *prefix, const char *text);
/* The beginning of a file in that folder, NUL-terminated: its length, or -errno. */
ssize_t os_cgroup_read(int folder, const char *file, char *buf, size_t size);
/* 0 or -errno. */
int os_cgroup_write(int folder, const char *file, const char *text);
/* Does a file of lines "KEY NUMBER" have that key? Then its number. */
bool os_cgroup_says(const char *text, const char *key, uint64_t *ret_number);
/* What an events file that is open says: is there anybody in it or below, and is it frozen? 0, or -errno when it cannot be told. */
int os_cgroup_events(int events_fd, bool *ret_populated, bool *ret_frozen);
/* A folder to be read, `name` below `parent` and no link; NULL: it cannot be. The caller's to close. */
DIR *os_cgroup_folder(int parent, const char *name);
/* Are there groups below it? The kernel counts them in its folder. */
bool os_cgroup_has_below(int folder);
/* Go through a group and those below it. What is NULL is not called; visit() is for each on the way down. */
struct cgroup_walk {
	void (*visit)(struct cgroup_walk *walk, int folder);
	void (*leave)(struct cgroup_walk *walk, int parent, const char *name);
};
void os_cgroup_walk(int folder, struct cgroup_walk *walk);
/* Call for each process in it and below, but effd itself, and who is in another pid namespace. */
struct cgroup_procs {
	struct cgroup_walk walk;
	void (*each)(struct cgroup_procs *procs, pid_t pid);
};
void os_cgroup_each(int folder, struct cgroup_procs *procs);
/* Remove it with what is below it: 0, -EBUSY when there is somebody, -ENOENT … */
int os_cgroup_remove(int parent, const char *name);

/* ── cgroup_find.c ── */

/* A process's own group, as /proc/PID/cgroup has it: a piece of that text, *ret_len long. NULL: it has none. */
const char *os_cgroup_own(const char *cgroup, size_t *ret_len);
/* The folder in which that is seen, by /proc/self/mountinfo. 0 and a text that is the caller's; -EOPNOTSUPP when there is no
 * such mount, -EXDEV when none shows that group, -ENOMEM. */
int os_cgroup_find(const char *own, size_t len, const char *mounts, char **ret_folder);

/* ── cgroups.c ── */

enum {
	CGROUP_MEMORY = 1,
	CGROUP_CPU = 2,
	CGROUP_PIDS = 4,
	CGROUP_IO = 8,
	CGROUP_N_CONTROLLERS = 4
};

struct cgroups {
	int home_fd, base_fd;           /* -1: none can be had */
	int error;                      /* -errno: why; the words are in `folder` */
	bool moved;                     /* effd is in a group of its own */
	const char *const *controllers; /* their names, in the order of their bits */
	unsigned given; /* controllers that the groups have; those that home gave no group before are in `lent` */
	unsigned lent;
	char *folder; /* of home in the file system; or why there is none */
	char *own;    /* home, as /proc/PID/cgroup has it, without a slash at its end; NULL */
	char base[CGROUP_BASE]; /* its name in there */
	struct eff_list all;
	unsigned n_former;        /* of them, those that a former effd has left */
	struct eff_pulse cleared; /* one less of these is there */
	uint64_t n_made;
	int wait_fd;     /* an epoll of the events files that are waited for; -1 */
	int spare_below; /* descriptors below that number need not be saved */
	unsigned n_waited;
	struct eff_watch watch;
};
void os_cgroups_init(struct cgroups *all);
/* Give the groups that controller. 0 or -errno. */
int os_cgroups_give(struct cgroups *all, unsigned controller);
const char *os_cgroups_controller(const struct cgroups *all, unsigned controller);
/* A child was killed as it was born into that group. The kernel does so, since 6.14, to whom it was not meant for: it counts how
 * often a group was killed as a whole, and compares the count of the group of a child with that of its parent's. So a group that was
 * killed and is to be used again is to be a new one; and where effd's own was killed before effd came, effd leaves it for a
 * group that was never. Returns whether that has changed anything: then another child may live. */
bool os_cgroups_mend(struct cgroups *all, struct cgroup *group);
/* Waits for nobody: what is still there stays. */
void os_cgroups_done(struct cgroups *all);

/* ── cgroup.c ── */

struct cgroup {
	struct eff_list link;
	struct cgroups *all;
	int fd;        /* its folder */
	int events_fd; /* -1: not open */
	bool waited;   /* it is in the epoll */
	bool whole;    /* it is what all of a unit is */
	bool kept; /* for a further run, if it is as new then: it is not removed when it is empty */
	bool used;       /* it was kept, and is used again */
	bool killed;     /* as a whole, by the kernel: it is not used again */
	bool frozen;     /* when it was found to be empty */
	eff_ns empty_at; /* then */
	bool empty; /* for good, or until it is used again; if it is not kept it is removed, too */
	int unkilled; /* -errno: why it could not be killed in one go; then who is seen is killed */
	bool released;   /* nobody's any more: it goes when it is empty */
	bool former;     /* of an effd that was killed */
	unsigned limits; /* that were set, bits of enum terms_cgroup_limit */
	uint64_t n_oom; /* whom the kernel had killed in it for want of memory when this run began */
	uint64_t cpu_before_us; /* the processor time of the runs before this one */
	eff_ns began_at;        /* this run */
	eff_ns cpu_told; /* what its main process had used when it had ended, by who waited for it; 0: not known */
	unsigned n_told; /* runs since the kernel's count was read */
	struct eff_pulse emptied;
	char name[];
};
/* Make one for what that unit starts. 0 or -errno. */
int os_cgroup_new(struct cgroups *all, const char *unit, bool whole, struct cgroup **ret_group);
/* One that is there. NULL: no memory, or it is gone. */
struct cgroup *os_cgroup_open(struct cgroups *all, const char *name);
/* It is nobody's any more, and removed as soon as it is empty. NULL is fine. */
void os_cgroup_release(struct cgroup *group);
/* Close it, removed or not. */
void os_cgroup_free(struct cgroup *group);
/* Once its main process has ended: nobody will come. Then it is removed at once, if it is not kept. */
bool os_cgroup_is_empty(struct cgroup *group);
/* Suspends until it is. Returns 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int os_cgroup_await_empty(struct cgroup *group);
/* SIGKILL to all in it, and to who comes later. Returns whether it reached any. */
bool os_cgroup_kill(struct cgroup *group);
/* Who is in it now; those for whom there is no memory are left out. `pids` is the caller's to free. */
struct cgroup_list {
	struct cgroup_procs procs;
	pid_t *pids;
	size_t n, room;
};
void os_cgroup_list(const struct cgroup *group, struct cgroup_list *ret);
/* Another signal, to those of the list that are still in it, but `except` (0: nobody). Who came since then gets none: it may be
 * what the signal itself has begun. Returns whether it reached any. */
bool os_cgroup_signal(
	const struct cgroup *group, const struct cgroup_list *list, int sig, pid_t except);
bool os_cgroup_has(const struct cgroup *group, pid_t pid);
/* How many in it has the kernel ever killed for want of memory? */
uint64_t os_cgroup_oom_kills(const struct cgroup *group);
/* Any of this run? */
bool os_cgroup_oom(const struct cgroup *group);
/* The processor time of all that has ever been in it; 0: it is not known. */
uint64_t os_cgroup_cpu_us(const struct cgroup *group);
/* Set those that were given, and take back what was set before and is not. 0; or -errno and which one it was about. */
int os_cgroup_limit(
	struct cgroup *group, const struct terms *terms, enum terms_cgroup_limit *ret_which);
/* Why that failed, for people. */
void os_cgroup_limit_words(const struct cgroups *all, enum terms_cgroup_limit which, int error,
	char *words, size_t size);
/* Suspends until nothing is left of what a former effd had of that unit. Returns 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int os_cgroup_await_former(struct cgroups *all, const char *unit);

/* ── cgroup_kept.c ── */

/* Another run is to begin in one that was kept. False when that cannot be: somebody is in it, or it is no more as it was made. */
bool os_cgroup_renew(struct cgroup *group);
/* It has begun: what those before it have used is not its own. */
void os_cgroup_renewed(struct cgroup *group);

/* ── usage.c ── */

struct os_usage;
/* What the kernel counts of a group in this run; the rest stays as it is. False: memory is not counted there. */
bool os_usage_of_group(const struct cgroup *group, struct os_usage *usage);

#endif
