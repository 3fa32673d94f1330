/* SPDX-License-Identifier: MIT */
/* The whole of a unit that has a control group: whoever is in it, wherever its session, group and parents are. A program that
 * may do so can have left it, so the main process is told by itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <eff/clock.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "os/internal.h"

/* For how long those who are beside the main process wait for their signal, unless it ends before. */
#define MAIN_FIRST EFF_MS(10)

bool os_is_held(const struct os_child *child)
{
	return child->cgroup && child->cgroup->whole;
}

/* Why a group cannot be had, in words that the seam keeps. */
static int fault_tell(struct os_linux *os, int r, struct os_fault *ret_fault)
{
	const struct cgroups *all = &os->cgroups;
	const char *folder = all->folder ? all->folder : "they were not asked for";

	if (all->home_fd < 0 && (r == -EOPNOTSUPP || r == -EXDEV))
		(void)snprintf(os->fault_what, sizeof(os->fault_what), "%s", folder);
	else
		(void)snprintf(os->fault_what, sizeof(os->fault_what),
			"none can be made in %.300s; under systemd effd needs Delegate=yes",
			folder);
	*ret_fault = (struct os_fault){.stage = "cgroup", .error = -r, .what = os->fault_what};
	return -ECHILD;
}

static int limits_set(struct os_child *child, const struct terms *terms, struct os_fault *ret_fault)
{
	struct os_linux *os = child->os;
	enum terms_cgroup_limit which;
	int r = os_cgroup_limit(child->cgroup, terms, &which);

	if (r >= 0)
		return 0;
	os_cgroup_limit_words(&os->cgroups, which, -r, os->fault_what, sizeof(os->fault_what));
	*ret_fault = (struct os_fault){.stage = "cgroup", .error = -r, .what = os->fault_what};
	return -ECHILD;
}

/* ── kept ── */

/* What is left of the last run, if its group does for this one. */
static struct os_kept *kept_take(const struct os_spawn *spawn, bool wanted, bool whole)
{
	struct os_kept *kept = spawn->kept ? *spawn->kept : NULL;

	if (!kept || (wanted && kept->group->whole == whole && os_cgroup_renew(kept->group)))
		return kept;
	linux_close_kept(kept);
	*spawn->kept = NULL;
	return NULL;
}

/* Without memory its group goes with the child. */
static void kept_make(struct os_child *child, const struct os_spawn *spawn)
{
	struct os_kept *kept = alloc_new(sizeof(*kept));

	if (!kept)
		return;
	kept->group = child->cgroup;
	for (int i = 0; i < 2; i++)
		kept->pipes[i].ours = kept->pipes[i].theirs = -1;
	child->cgroup->kept = true;
	child->kept = *spawn->kept = kept;
}

void linux_close_kept(struct os_kept *kept)
{
	if (!kept)
		return;
	os_streams_close_kept(kept);
	os_cgroup_release(kept->group);
	free(kept);
}

/* That its group can be removed tells then that nobody is in it: a look at it is saved. */
void linux_keep_no_more(struct os_child *child, struct os_kept **kept)
{
	if (!child->kept)
		return;
	/* What was empty while it was kept is still there. */
	child->cgroup->kept = child->cgroup->empty = false;
	child->kept = NULL;
	os_streams_close_kept(*kept);
	free(*kept);
	*kept = NULL;
}

/* ── made ── */

int os_held_make(struct os_child *child, const struct os_spawn *spawn, struct os_fault *ret_fault)
{
	struct os_linux *os = child->os;
	bool is_limited = terms_limit_a_cgroup(spawn->terms), whole = spawn->all != OS_ALL_KIN;
	bool wanted = whole || is_limited;
	int r = 0;

	child->kept = kept_take(spawn, wanted, whole);
	child->cgroup = child->kept ? child->kept->group : NULL;
	if (wanted && !child->cgroup)
		r = os_cgroup_new(&os->cgroups, spawn->unit, whole, &child->cgroup);
	if (r < 0)
		return spawn->all == OS_ALL_CGROUP || is_limited ? fault_tell(os, r, ret_fault) : 0;
	if (child->cgroup && spawn->kept && !child->kept)
		kept_make(child, spawn);
	/* One that was limited for the last run may be so no more. */
	return is_limited || (child->cgroup && child->cgroup->limits)
		? limits_set(child, spawn->terms, ret_fault)
		: 0;
}

/* Suspends until it is reaped. Nobody has been given it yet who could have killed it. */
static bool was_killed_at_birth(const struct os_child *child, const struct os_fault *fault)
{
	int status;

	return !fault->stage && child->cgroup && eff_proc_await_end(child->proc, &status) >= 0 &&
		WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The group that was kept does not take it: a program has given its controllers on. */
static bool is_barred(const struct os_spawn *spawn, const struct os_fault *fault)
{
	return spawn->kept && *spawn->kept && (*spawn->kept)->group->used && fault->stage &&
		strcmp(fault->stage, "cgroup") == 0 && fault->error == EBUSY;
}

bool os_held_mended(struct os_linux *os, const struct os_spawn *spawn,
	const struct os_child *child, const struct os_fault *fault)
{
	if (child && was_killed_at_birth(child, fault))
		return os_cgroups_mend(&os->cgroups, child->cgroup);
	return !child && is_barred(spawn, fault) &&
		os_cgroups_mend(&os->cgroups, (*spawn->kept)->group);
}

int linux_limit(struct os_child *child, const struct terms *terms, struct os_fault *ret_fault)
{
	if (child->cgroup)
		return limits_set(child, terms, ret_fault);
	if (!terms_limit_a_cgroup(terms))
		return 0;
	*ret_fault = (struct os_fault){.stage = "cgroup",
		.error = EOPNOTSUPP,
		.what = "it has no control group before its next start"};
	return -ECHILD;
}

/* The one that effd has made, and who is the main process elsewhere. */
static bool signal_main(struct os_child *child, int sig)
{
	const struct main_proc *main = &child->main;
	bool reached = eff_proc_signal(child->proc, sig) == 0;

	if (main->pid && !os_cgroup_has(child->cgroup, main->pid))
		reached |= os_main_signal(child, sig) == 0;
	return reached;
}

/* To those that were there before the first of them was signalled: what a program does upon a signal, as a handler's child that
 * ends its work, is not disturbed by it. */
static bool signal_all(struct os_child *child, int sig, bool wake)
{
	struct cgroup_list all;
	bool reached;

	os_cgroup_list(child->cgroup, &all);
	reached = signal_main(child, sig);
	reached |= os_cgroup_signal(child->cgroup, &all, sig, child->pid);
	if (wake) {
		(void)signal_main(child, SIGCONT);
		(void)os_cgroup_signal(child->cgroup, &all, SIGCONT, child->pid);
	}
	free(all.pids);
	return reached;
}

/* Leave out whose number was given after that one. */
static void drop_younger(const struct os_linux *os, struct cgroup_list *list, pid_t last)
{
	pid_t now = os_last_born(os);
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (!os_is_born_after(list->pids[i], last, now))
			list->pids[n++] = list->pids[i];
	list->n = n;
}

/* And wake all of them, the main process, too. */
static bool signal_others(struct os_child *child, int sig, pid_t last)
{
	struct cgroup_list others;
	bool reached;

	os_cgroup_list(child->cgroup, &others);
	drop_younger(child->os, &others, last);
	reached = os_cgroup_signal(child->cgroup, &others, sig, child->pid);
	(void)signal_main(child, SIGCONT);
	(void)os_cgroup_signal(child->cgroup, &others, SIGCONT, child->pid);
	free(others.pids);
	return reached;
}

static void await_end_for(struct os_child *child, eff_ns time)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), time));
	/* Where many end at once it may have, and effd has not come to see it. */
	if (eff_proc_await_end(child->proc, NULL) < 0)
		(void)eff_proc_collect(child->pid);
	(void)eff_scope_close(&within);
}

static bool nobody_is_left(struct os_child *child)
{
	return eff_proc_ended(child->proc, NULL) && os_cgroup_is_empty(child->cgroup);
}

static bool kill_all(struct os_child *child)
{
	bool reached = signal_main(child, SIGKILL);

	return os_cgroup_kill(child->cgroup) || reached;
}

int os_held_signal(struct os_child *child, int sig)
{
	if (nobody_is_left(child))
		return -ESRCH;
	return (sig == SIGKILL ? kill_all(child) : signal_all(child, sig, false)) ? 0 : -ESRCH;
}

/* To list a group costs more than all else here, and mostly its main process is all of it, and awake. So that one is told first;
 * who was there before is known by the number that was the last then. */
int os_held_signal_and_wake(struct os_child *child, int sig)
{
	bool is_plain = !child->main.pid && !eff_proc_ended(child->proc, NULL);
	pid_t last = is_plain ? os_last_born(child->os) : -1;
	bool reached;

	if (nobody_is_left(child))
		return -ESRCH;
	if (last < 0)
		return signal_all(child, sig, true) ? 0 : -ESRCH;
	reached = signal_main(child, sig);
	await_end_for(child, MAIN_FIRST);
	if (!nobody_is_left(child))
		reached |= signal_others(child, sig, last);
	return reached ? 0 : -ESRCH;
}

struct listing {
	struct cgroup_procs procs;
	pid_t main; /* which is listed already */
	struct os_left *left;
	size_t n, count;
};

static void list_each(struct cgroup_procs *procs, pid_t pid)
{
	struct listing *listing = (struct listing *)procs;

	if (pid == listing->main)
		return;
	if (listing->count < listing->n)
		os_procfs_left(pid, &listing->left[listing->count]);
	listing->count++;
}

size_t os_held_left(struct os_child *child, struct os_left *ret_left, size_t n)
{
	struct listing listing = {
		.procs = {.each = list_each}, .main = child->pid, .left = ret_left, .n = n};

	if (!eff_proc_ended(child->proc, NULL)) {
		if (n > 0)
			os_procfs_left(child->pid, &ret_left[0]);
		listing.count = 1;
	} else if (os_cgroup_is_empty(child->cgroup)) {
		return 0;
	}
	os_cgroup_each(child->cgroup->fd, &listing.procs);
	return listing.count;
}
