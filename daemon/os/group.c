/* SPDX-License-Identifier: MIT */
/* The whole of a unit that has no control group: its main process, the session and group that this leads, and what descends
 * from it.
 *
 * The group is one system call away, and nothing forks out of a signal to it. Who has left it is found by a scan when
 * a signal is about to go out, while the chain of parents still leads to the main process, and is remembered by pid and
 * birth; once more when the main process has ended and left somebody, for what its session still holds. That it has left
 * nobody, as nearly all do, one system call tells, for its number is then free. No event of the kernel tells that a
 * group is empty: who waits for it looks again when orphans were reaped, and by a timer that doubles. Numbers are used
 * again: a remembered process is signalled through a pidfd that was compared with its birth, the group only while its
 * number cannot be anyone else's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

/* More than this are found once some of them are gone. */
enum { MOST_MEMBERS = 4096, MOST_PASSES = 16, MOST_PARENTS = 256 };

#define LOOK_FIRST EFF_MS(1)
#define LOOK_MOST EFF_MS(100)

/* ── who is of it ── */

static bool main_ended(const struct os_child *child)
{
	return eff_proc_ended(child->proc, NULL);
}

/* No process has it as its number, its group's or its session's. Only this call asks for all three. */
static bool number_is_free(const struct os_linux *os, pid_t pid)
{
	const struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = pid};

	return fcntl(os->asking_fd, F_SETOWN_EX, &owner) < 0 && errno == ESRCH;
}

/* A number stays taken while a group or session has it, so one that is free, or a process of that number, once the leader
 * was reaped, means that ours are empty. */
static bool session_is_ours(struct os_child *child)
{
	struct family *family = &child->family;

	if (!main_ended(child))
		return true;
	if (family->session_empty)
		return false;
	if (number_is_free(child->os, child->pid) || kill(child->pid, 0) == 0 || errno == EPERM)
		family->session_empty = family->group_empty = true;
	return !family->session_empty;
}

/* Has the main process ended and left nobody? Who has left its group and session in time is remembered, or was never
 * found: no scan will find them now. */
static bool left_nobody(struct os_child *child)
{
	return main_ended(child) && !child->family.n && !session_is_ours(child) &&
		child->family.group_empty;
}

static bool group_is_there(struct os_child *child)
{
	if (!session_is_ours(child) || child->family.group_empty)
		return false;
	if (kill(-child->pid, 0) == 0 || errno == EPERM)
		return true;
	/* Before the child has come to lead it there is none, and that means nothing. */
	child->family.group_empty = main_ended(child);
	return false;
}

static struct member *family_find(const struct family *family, pid_t pid)
{
	for (size_t i = 0; i < family->n; i++) {
		if (family->members[i].pid == pid)
			return &family->members[i];
	}
	return NULL;
}

static int member_signal(const struct member *member, int sig)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, member->pid, 0);

	if (fd < 0)
		return -errno;
	if (!os_procfs_is(member->pid, member->born))
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* Returns whether it was new. */
static bool family_add(struct family *family, pid_t pid)
{
	const struct member *known = family_find(family, pid);
	struct procfs_stat st;

	if (family->n >= MOST_MEMBERS || (known && !known->died_at))
		return false;
	if (!os_procfs_stat(pid, &st) || !os_procfs_is_there(&st) ||
		(known && known->born == st.born))
		return false;
	if (family->n == family->room) {
		size_t room = family->room ? family->room * 2 : 8;
		struct member *members = alloc_grow(family->members, room * sizeof(*members));

		if (!members)
			return false;
		family->members = members;
		family->room = room;
	}
	family->members[family->n] = (struct member){.pid = pid, .born = st.born};
	if (family->killing)
		(void)member_signal(&family->members[family->n], SIGKILL);
	family->n++;
	return true;
}

/* A member whose number is another's now counts for nothing, not even as a parent. */
static bool member_counts(const struct family *family, const struct scan *scan, pid_t pid)
{
	const struct member *member = family_find(family, pid);
	struct procfs_stat st;

	if (!member)
		return false;
	if (!os_scan_find(scan, pid) || !os_procfs_stat(pid, &st))
		return true; /* dead, and its number still that of a session, or nobody's */
	return st.born == member->born;
}

/* Returns whether any has died that is still remembered. */
static bool family_note_deaths(struct family *family)
{
	bool any = false;

	for (size_t i = 0; i < family->n; i++) {
		struct member *member = &family->members[i];

		if (!member->died_at && !os_procfs_is(member->pid, member->born))
			member->died_at = eff_now();
		any |= member->died_at != 0;
	}
	return any;
}

/* Forget the dead, but not before a scan that began when they were: who a member left behind is found by its number, and
 * may have come behind this scan's back. */
static void family_prune(struct family *family, const struct scan *scan)
{
	size_t n = 0;

	(void)family_note_deaths(family);
	for (size_t i = 0; i < family->n; i++) {
		if (!family->members[i].died_at || scan->began_at < family->members[i].died_at)
			family->members[n++] = family->members[i];
	}
	family->n = n;
}

/* Remember who came from those that are remembered: their children, and who is in a session that one of them leads. Returns
 * whether anybody was new. */
static bool family_follow(struct family *family, const struct scan *scan)
{
	bool more = false;

	for (size_t i = 0; i < scan->strays.n; i++) {
		const struct scan_entry *entry = &scan->strays.entries[i];

		if (!family_find(family, entry->pid) &&
			(member_counts(family, scan, entry->ppid) ||
				member_counts(family, scan, entry->sid)))
			more |= family_add(family, entry->pid);
	}
	for (size_t i = 0; i < family->n; i++) {
		size_t n;
		const struct scan_entry *led = os_scan_of(&scan->led, family->members[i].pid, &n);

		if (n && !member_counts(family, scan, family->members[i].pid))
			continue;
		for (size_t k = 0; k < n; k++)
			more |= family_add(family, led[k].pid);
	}
	return more;
}

/* Remember who is of the unit. Returns how many its session has besides the main process. */
static size_t family_look(struct os_child *child, const struct scan *scan)
{
	struct family *family = &child->family;
	size_t n_session = 0, n = 0;
	const struct scan_entry *others = NULL;

	if (session_is_ours(child))
		others = os_scan_of(&scan->others, child->pid, &n);
	for (size_t i = 0; i < n; i++) {
		n_session += others[i].sid == child->pid;
		(void)family_add(family, others[i].pid);
	}
	for (int pass = 0; family->n && pass < MOST_PASSES; pass++)
		if (!family_follow(family, scan))
			break;
	if (family->n)
		family_prune(family, scan);
	return n_session;
}

bool os_family_has(struct os_child *child, pid_t pid)
{
	bool by_session = session_is_ours(child);
	struct procfs_stat st;

	if (child->cgroup && os_cgroup_has(child->cgroup, pid))
		return true;
	/* Also when it has been reaped: as long as nobody else has its number. The kernel tells of sessions without /proc, too. */
	if (by_session && (pid == child->pid || (pid > 1 && getsid(pid) == child->pid)))
		return true;
	for (int i = 0; i < MOST_PARENTS && pid > 1 && os_procfs_stat(pid, &st); i++) {
		const struct member *member = family_find(&child->family, pid);

		if (by_session && (st.sid == child->pid || pid == child->pid))
			return true;
		if (member && member->born == st.born)
			return true;
		pid = st.ppid;
	}
	return false;
}

void os_family_join(struct os_child *child, pid_t pid)
{
	(void)family_add(&child->family, pid);
}

void os_family_done(struct family *family)
{
	free(family->members);
	*family = (struct family){0};
}

/* ── signals ── */

static int group_signal(struct os_child *child, int sig)
{
	struct family *family = &child->family;
	bool reached = false;
	bool there = group_is_there(child);

	if (sig == SIGKILL)
		family->killing = true;
	/* Who has no group yet is the main process alone. */
	if ((there && kill(-child->pid, sig) == 0) || eff_proc_signal(child->proc, sig) == 0)
		reached = true;
	for (size_t i = 0; i < family->n; i++) {
		if (there && getpgid(family->members[i].pid) == child->pid)
			continue;
		if (member_signal(&family->members[i], sig) == 0)
			reached = true;
	}
	return reached ? 0 : -ESRCH;
}

int linux_signal(struct os_child *child, int sig, enum os_whom whom)
{
	if (os_is_held(child))
		return whom == OS_MAIN ? os_main_signal(child, sig)
				       : os_held_signal(child, sig, false);
	/* Also when it is for the main process alone: once that has ended nobody can tell who came from it. What only lets
	 * it go on ends nobody. */
	if (sig != SIGCONT)
		(void)family_look(child, os_scan_take(child->os));
	return whom == OS_MAIN ? os_main_signal(child, sig) : group_signal(child, sig);
}

int linux_signal_and_wake(struct os_child *child, int sig, enum os_whom whom)
{
	int r;

	if (os_is_held(child) && whom == OS_GROUP)
		return os_held_signal(child, sig, true);
	r = linux_signal(child, sig, whom);
	(void)linux_signal(child, SIGCONT, whom);
	return r;
}

/* ── the wait for its end ── */

static void scan_judge(struct os_child *child, const struct scan *scan)
{
	struct family *family = &child->family;
	size_t n_session = family_look(child, scan);

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

	if (left_nobody(child))
		return true;
	died = family_note_deaths(family);
	/* What a member left behind is found by that member's number, so before it is forgotten. Who is still in the
	 * group without being known may be a zombie whose parent does not care: that is gone, too. */
	if (!family->look_since &&
		(!family->scanned || died || (group_is_there(child) && !family->n)))
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
	return !group_is_there(child) || family->n_quiet >= 2;
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
	if (left_nobody(child))
		return 0;
	scan = os_scan_take(child->os);
	(void)family_look(child, scan);
	if (!main_ended(child)) {
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
	if (!count && !scan->all.n && group_is_there(child)) {
		if (n > 0)
			ret_left[0] = (struct os_left){.pid = child->pid, .command = "its group"};
		count = 1;
	}
	return count;
}
