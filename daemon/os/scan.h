/* SPDX-License-Identifier: MIT */
/* What /proc tells of processes: of one, and of all of them, in the order of whose they are. For os_linux's files alone. */
#ifndef EFFD_OS_SCAN_H
#define EFFD_OS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff/time.h>

#include "os/os.h"

struct os_linux;

/* ── procfs.c: one process, as /proc tells it ── */

struct procfs_stat {
	pid_t ppid, sid;
	char state;
	char command[16];
	uint64_t born; /* in ticks since boot: with the pid, who it is */
};
/* False when there is no such process, or no /proc. */
bool os_procfs_stat(pid_t pid, struct procfs_stat *ret_stat);
void os_procfs_waits_in(pid_t pid, char *ret_name, size_t size);
/* What people are told of one that is left. */
void os_procfs_left(pid_t pid, struct os_left *ret_left);
uint64_t os_procfs_memory(pid_t pid);
/* Is there more of it than what its parent has not yet collected? Where the parent is effd, that is to come: then it is. */
bool os_procfs_is_there(const struct procfs_stat *st);
/* Is it there, and the one that was born then? */
bool os_procfs_is(pid_t pid, uint64_t born);

/* ── scan.c: all processes, and whose they are ── */

/* The last number that was given to a process or thread; -1: not to be had. */
pid_t os_last_born(const struct os_linux *os);
/* Was this number given after that one, which was the last then, and no later than the one that is now? They begin anew when they
 * are used up. */
bool os_is_born_after(pid_t pid, pid_t last, pid_t now);

struct scan_entry {
	pid_t pid, sid;
	pid_t ppid;  /* 0 where the session, or who leads it, says enough */
	pid_t owner; /* the main pid of the unit that it belongs to; 0 */
	bool is_new;
};
struct scan_list {
	struct scan_entry *entries;
	size_t n, room;
};
struct scan {
	struct scan_list all;    /* by pid */
	struct scan_list others; /* of units, but no unit's main process; by owner */
	struct scan_list led; /* of nobody, in a session that another leads; `owner` is that one, and the order by it */
	struct scan_list strays; /* of nobody else */
	pid_t last_born;         /* when it was made or brought up to date; -1: not known */
	bool outside;            /* effd's session began outside of its PID namespace */
	eff_ns began_at, ended_at;
	bool made;
};
/* Everybody who is there now, and perhaps some who were; where the kernel does not tell of births the last scan does for as
 * long as it took. No /proc, no memory: an empty one. */
const struct scan *os_scan_take(struct os_linux *os);
/* What was so at `since` or later. So that all scans together cost a tenth of the time at most, a new one may have to
 * wait: then NULL, and *ret_due_at is when to ask again. */
const struct scan *os_scan_since(struct os_linux *os, eff_ns since, eff_ns *ret_due_at);
const struct scan_entry *os_scan_find(const struct scan *scan, pid_t pid);
/* Those of one owner in a list that is in the order of owners: a unit's besides its main process, whose pid it is, or a
 * leader's. NULL: none. */
const struct scan_entry *os_scan_of(const struct scan_list *list, pid_t owner, size_t *ret_n);
void os_scan_done(struct scan *scan);

#endif
