/* SPDX-License-Identifier: MIT */
/* All processes of the machine, and which unit each belongs to.
 *
 * A session that a unit's main process leads is the unit's, whoever is in it: one system call a process tells that. Only
 * of the others the parent must be read from /proc, and the chain of parents leads to a unit or to nobody. Kernel threads
 * have no session, and neither has a process, to our eyes, whose session began outside of our PID namespace; no unit's
 * process is among them unless effd is itself. When hundreds of units stop at once they share one walk: it is taken anew
 * only when the last is older than it cost. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <eff/clock.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

/* What a process costs in a walk, about, and how deep a chain of parents may be. */
enum { ENTRY_US = 2, CHAIN_MOST = 256 };

static int by_pid(const void *a, const void *b)
{
	pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;

	return (one > other) - (one < other);
}

static int entry_by_pid(const void *a, const void *b)
{
	return by_pid(&((const struct scan_entry *)a)->pid, &((const struct scan_entry *)b)->pid);
}

const struct scan_entry *os_scan_find(const struct scan *scan, pid_t pid)
{
	struct scan_entry key = {.pid = pid};

	if (!scan->n)
		return NULL;
	return bsearch(&key, scan->entries, scan->n, sizeof(*scan->entries), entry_by_pid);
}

static bool scan_add(struct scan *scan, pid_t pid, pid_t sid)
{
	if (scan->n == scan->room) {
		size_t room = scan->room ? scan->room * 2 : 128;
		struct scan_entry *entries = alloc_grow(scan->entries, room * sizeof(*entries));

		if (!entries)
			return false;
		scan->entries = entries;
		scan->room = room;
	}
	scan->entries[scan->n++] = (struct scan_entry){.pid = pid, .sid = sid};
	return true;
}

static void list_processes(struct scan *scan)
{
	auto_closedir DIR *dir = opendir("/proc");
	struct dirent *entry;
	const bool outside = getsid(0) == 0;
	bool sorted = true;

	scan->n = 0;
	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		pid_t sid;

		if (*end || pid <= 0)
			continue;
		sid = getsid((pid_t)pid);
		if (sid < 0 || (!sid && !outside))
			continue;
		if (scan->n && scan->entries[scan->n - 1].pid > pid)
			sorted = false;
		if (!scan_add(scan, (pid_t)pid, sid))
			break;
	}
	if (!sorted)
		qsort(scan->entries, scan->n, sizeof(*scan->entries), entry_by_pid);
}

/* The main pids of all units, sorted; NULL when there are none or no memory. */
static pid_t *units_of(const struct os_linux *os, size_t *ret_n)
{
	const struct eff_list *link;
	pid_t *units;
	size_t n = 0;

	*ret_n = 0;
	for (link = os->children.next; link != &os->children; link = link->next)
		n++;
	units = n ? alloc_new(n * sizeof(*units)) : NULL;
	if (!units)
		return NULL;
	n = 0;
	for (link = os->children.next; link != &os->children; link = link->next)
		units[n++] = eff_container(link, const struct os_child, link)->pid;
	qsort(units, n, sizeof(*units), by_pid);
	*ret_n = n;
	return units;
}

/* Up the chain of parents of one that is in no unit's session. */
static pid_t owner_by_parents(const struct scan *scan, const struct scan_entry *entry)
{
	for (int i = 0; entry && i < CHAIN_MOST; i++) {
		if (entry->owner || entry->ppid <= 1)
			return entry->owner;
		entry = os_scan_find(scan, entry->ppid);
	}
	return 0;
}

static void find_owners(const struct os_linux *os, struct scan *scan)
{
	size_t n_units;
	auto_free pid_t *units = units_of(os, &n_units);
	struct scan_entry *end = scan->entries + scan->n;

	if (!units)
		return;
	for (struct scan_entry *entry = scan->entries; entry < end; entry++) {
		struct procfs_stat st;

		if (bsearch(&entry->sid, units, n_units, sizeof(*units), by_pid))
			entry->owner = entry->sid;
		/* A child that has not yet come to lead its session is in effd's. */
		else if (bsearch(&entry->pid, units, n_units, sizeof(*units), by_pid))
			entry->owner = entry->pid;
		else if (os_procfs_stat(entry->pid, &st))
			entry->ppid = st.ppid;
	}
	for (struct scan_entry *entry = scan->entries; entry < end; entry++)
		entry->owner = owner_by_parents(scan, entry);
}

static void scan_make(struct os_linux *os)
{
	struct scan *scan = &os->scan;

	scan->began_at = eff_now();
	list_processes(scan);
	find_owners(os, scan);
	scan->ended_at = eff_now();
	scan->made = true;
}

static eff_ns scan_cost(const struct scan *scan)
{
	return EFF_US(ENTRY_US) * (eff_ns)scan->n;
}

const struct scan *os_scan_take(struct os_linux *os)
{
	const struct scan *scan = &os->scan;

	if (!scan->made || eff_now() - scan->ended_at >= scan_cost(scan))
		scan_make(os);
	return scan;
}

const struct scan *os_scan_since(struct os_linux *os, eff_ns since, eff_ns *ret_due_at)
{
	const struct scan *scan = &os->scan;
	eff_ns due_at = scan->made ? scan->ended_at + 9 * scan_cost(scan) : 0;

	if (scan->made && scan->began_at >= since)
		return scan;
	if (eff_now() < due_at) {
		*ret_due_at = due_at;
		return NULL;
	}
	scan_make(os);
	return scan;
}

void os_scan_done(struct scan *scan)
{
	free(scan->entries);
	*scan = (struct scan){0};
}
