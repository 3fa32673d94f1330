/* SPDX-License-Identifier: MIT */
/* The real kernel behind the seam, and what main needs of it besides: adopting and reaping orphans. */
#ifndef EFFD_OS_LINUX_H
#define EFFD_OS_LINUX_H

#include <stdbool.h>

#include "os/os.h"

struct os_linux_opts {
	/* For notify sockets: made 0700 when first needed (0711 once a unit has another user, who must pass through it), and
	 * removed with what is in it at the end. */
	const char *runtime_dir;
	const char *places[OS_N_PLACES]; /* where folders of units are made; NULL: nowhere */
	bool subreaper;
	/* The soft limit of descriptors that effd was started with: its children get it back. -1: leave it. */
	int64_t nofile_soft;
};

/* Must be called inside a runtime, before the first child. Returns 0 and the seam, or -errno. */
int os_linux_new(const struct os_linux_opts *opts, struct os **ret_os);
/* No child may be left. */
void os_linux_free(struct os *os);
/* From now on what is spawned gets a control group, where one can be had and it asks for it; and what effds that were killed
 * have left in theirs is killed first. Suspends until that is gone, for 5 s at most; what takes longer holds up its own unit
 * alone. Returns 0, or -errno: there are none for us. */
EFF_SUSPENDS int os_linux_hold(struct os *os);
/* To be called when SIGCHLD came: reaps at most `most` orphans that effd has adopted, gives known pids to their own wait,
 * and wakes who waits for a group to be gone. Returns true when there may be more. Does not suspend. */
bool os_linux_reap(struct os *os, unsigned most);
/* Whom effd has adopted and who still runs: at most `n`; returns how many there are in all. Does not suspend. */
size_t os_linux_strays(struct os_left *ret_left, size_t n);
/* Strangers reaped since the start. */
uint64_t os_linux_reaped(const struct os *os);

#endif
