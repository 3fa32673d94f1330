/* SPDX-License-Identifier: MIT */
/* Who is of a unit that has no control group: its main process, the session and group that this leads, and what descends from
 * it.
 *
 * Who has left session and group is found by a scan when a signal is about to go out, while the chain of parents still leads
 * to the main process, and is remembered by pid and birth; once more when the main process has ended and left somebody, for
 * what its session still holds. That it has left nobody, as nearly all do, one system call tells, for its number is then
 * free. Numbers are used again: a remembered process is signalled through a pidfd that was compared with its birth, and the
 * group is the unit's only while its number cannot be anyone else's. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eff/clock.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

/* More than this are found once some of them are gone. */
enum { MOST_MEMBERS = 4096, MOST_PASSES = 16, MOST_PARENTS = 256 };

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

bool os_family_left_nobody(struct os_child *child)
{
	return main_ended(child) && !child->family.n && !session_is_ours(child) &&
		child->family.group_empty;
}

bool os_family_has_group(struct os_child *child)
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

/* A kernel without pidfds, and a filter that forbids them. */
static bool is_missing(int error)
{
	return error == ENOSYS || error == EPERM;
}

/* Where there is no pidfd its number could be another's for the moment between a look and the signal: there it is looked at by
 * its birth right before. */
int os_family_signal(const struct member *member, int sig)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, member->pid, 0);

	if (fd < 0 && !is_missing(errno))
		return -errno;
	if (!os_procfs_is(member->pid, member->born))
		return -ESRCH;
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0)
		return 0;
	if (fd >= 0 && !is_missing(errno))
		return -errno;
	return kill(member->pid, sig) < 0 ? -errno : 0;
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
		uint32_t room = family->room ? family->room * 2 : 8;
		struct member *members = alloc_grow(family->members, room * sizeof(*members));

		if (!members)
			return false;
		family->members = members;
		family->room = room;
	}
	family->members[family->n] = (struct member){.pid = pid, .born = st.born};
	if (family->killing)
		(void)os_family_signal(&family->members[family->n], SIGKILL);
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

bool os_family_note_deaths(struct family *family)
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
	uint32_t n = 0;

	(void)os_family_note_deaths(family);
	for (size_t i = 0; i < family->n; i++) {
		if (!family->members[i].died_at || scan->began_at < family->members[i].died_at)
			family->members[n++] = family->members[i];
	}
	family->n = n;
}

static bool follow_each(struct family *family, const struct scan *scan,
	const struct scan_entry *entries, size_t n)
{
	bool more = false;

	for (const struct scan_entry *entry = entries; entry < entries + n; entry++)
		if (!family_find(family, entry->pid) &&
			(member_counts(family, scan, entry->ppid) ||
				member_counts(family, scan, entry->sid)))
			more |= family_add(family, entry->pid);
	return more;
}

/* Remember who came from those that are remembered: their children, and who is in a session that one of them leads, among
 * the `n` of others, too. Returns whether anybody was new. */
static bool family_follow(struct family *family, const struct scan *scan,
	const struct scan_entry *others, size_t n_others)
{
	bool more = follow_each(family, scan, scan->strays.entries, scan->strays.n);

	more |= follow_each(family, scan, others, n_others);
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

size_t os_family_look(struct os_child *child, const struct scan *scan)
{
	struct family *family = &child->family;
	const bool is_ours = session_is_ours(child);
	const struct scan_entry *others;
	size_t n_session = 0, n;

	others = os_scan_of(&scan->others, child->pid, &n);
	for (size_t i = 0; i < n && is_ours; i++) {
		n_session += others[i].sid == child->pid;
		(void)family_add(family, others[i].pid);
	}
	/* A walk from before the main process's end still says so of who came later; of that, what a member proves is true. */
	for (int pass = 0; family->n && pass < MOST_PASSES; pass++)
		if (!family_follow(family, scan, others, is_ours ? 0 : n))
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
