/* SPDX-License-Identifier: MIT */
/* The whole of a unit that has no control group: it is signalled, waited for, and told of. Who is of it family.c knows.
 *
 * The group is one system call away, and nothing forks out of a signal to it. No event of the kernel tells that a group is
 * empty: who waits for it looks again when orphans were reaped, and by a timer that doubles. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/scope.h>

#include "os/internal.h"

#define LOOK_FIRST EFF_MS(1)
#define LOOK_MOST EFF_MS(100)

/* ── signals ── */

static int group_signal(struct os_child *child, int sig)
{
	struct family *family = &child->family;
	bool reached = false;
	bool there = os_family_has_group(child);

	if (sig == SIGKILL)
		family->killing = true;
	/* Who has no group yet is the main process alone. */
	if ((there && kill(-child->pid, sig) == 0) || eff_proc_signal(child->proc, sig) == 0)
		reached = true;
	for (size_t i = 0; i < family->n; i++) {
		if (there && getpgid(family->members[i].pid) == child->pid)
			continue;
		if (os_family_signal(&family->members[i], sig) == 0)
			reached = true;
	}
	return reached ? 0 : -ESRCH;
}

int linux_signal(struct os_child *child, int sig, enum os_whom whom)
{
	if (os_is_held(child))
		return whom == OS_MAIN ? os_main_signal(child, sig) : os_held_signal(child, sig);
	/* Also when it is for the main process alone: once that has ended nobody can tell who came from it. What only lets
	 * it go on ends nobody. */
	if (sig != SIGCONT)
		(void)os_family_look(child, os_scan_take(child->os));
	return whom == OS_MAIN ? os_main_signal(child, sig) : group_signal(child, sig);
}

int linux_signal_and_wake(struct os_child *child, int sig, enum os_whom whom)
{
	int r;

	if (os_is_held(child) && whom == OS_GROUP)
		return os_held_signal_and_wake(child, sig);
	r = linux_signal(child, sig, whom);
	(void)linux_signal(child, SIGCONT, whom);
	return r;
}

/* ── the wait for its end ── */

static void scan_judge(struct os_child *child, const struct scan *scan)
{
	struct family *family = &child->family;
	size_t n_session = os_family_look(child, scan);

	family->scanned = true;
	family->look_since = 0;
	/* Without /proc there is only the group. */
	if (scan->all.n && !n_session)
		family->session_empty = true;
	if (scan->all.n && !family->n)
		family->n_quiet++;
	else
		family->n_quiet = 0;
}

/* Is nobody left? When only a scan could tell and it is too early for one, *ret_look_at is when it is due. */
static bool is_gone(struct os_child *child, eff_ns *ret_look_at)
{
	struct family *family = &child->family;
	const struct scan *scan;
	bool died;

	if (os_family_left_nobody(child))
		return true;
	died = os_family_note_deaths(family);
	/* What a member left behind is found by that member's number, so before it is forgotten. Who is still in the
	 * group without being known may be a zombie whose parent does not care: that is gone, too. */
	if (!family->look_since &&
		(!family->scanned || died || (os_family_has_group(child) && !family->n)))
		family->look_since = eff_now();
	if (family->look_since) {
		scan = os_scan_since(child->os, family->look_since, ret_look_at);
		if (!scan)
			return false;
		scan_judge(child, scan);
	}
	if (family->n)
		return false;
	/* Twice, for one may have forked behind the scan's back. */
	return !os_family_has_group(child) || family->n_quiet >= 2;
}

/* Until orphans were reaped, or the time has come. */
static int await_change(struct os_linux *os, eff_ns at)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, at);
	(void)eff_pulse_await(&os->orphans);
	(void)eff_scope_close(&within);
	return eff_check();
}

int linux_await_gone(struct os_child *child)
{
	eff_ns delay = LOOK_FIRST;
	int r = eff_proc_await_end(child->proc, NULL);

	if (r >= 0 && os_is_held(child))
		return os_cgroup_await_empty(child->cgroup);
	while (r >= 0) {
		eff_ns at = eff_ns_add(eff_now(), delay);

		if (is_gone(child, &at))
			return 0;
		r = await_change(child->os, at);
		if (delay < LOOK_MOST)
			delay *= 2;
	}
	return r;
}

/* ── who is left ── */

size_t linux_left(struct os_child *child, struct os_left *ret_left, size_t n)
{
	const struct family *family = &child->family;
	const struct scan *scan;
	size_t count = 0;

	if (os_is_held(child))
		return os_held_left(child, ret_left, n);
	if (os_family_left_nobody(child))
		return 0;
	scan = os_scan_take(child->os);
	(void)os_family_look(child, scan);
	if (!eff_proc_ended(child->proc, NULL)) {
		if (count < n)
			os_procfs_left(child->pid, &ret_left[count]);
		count++;
	}
	for (size_t i = 0; i < family->n; i++) {
		if (family->members[i].died_at)
			continue;
		if (count < n)
			os_procfs_left(family->members[i].pid, &ret_left[count]);
		count++;
	}
	/* Without /proc nobody of it has a name, and it has to be ended all the same. */
	if (!count && !scan->all.n && os_family_has_group(child)) {
		if (n > 0)
			ret_left[0] = (struct os_left){.pid = child->pid, .command = "its group"};
		count = 1;
	}
	return count;
}
