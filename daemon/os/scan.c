/* SPDX-License-Identifier: MIT */
/* All processes of the machine, and which unit each belongs to.
 *
 * A session that a unit's main process leads is the unit's, whoever is in it: one system call a process tells that. Of
 * another session the leader's parent is read from /proc, and the chain of parents leads to a unit or to nobody; that
 * goes for all who are in it, for one is in a session by descent from its leader alone. Where the leader is gone each
 * one's parent is read. Kernel threads have no session, and neither has a process, to our eyes, whose session began
 * outside of our PID namespace; no unit's process is among them unless effd is itself.
 *
 * When hundreds of units stop at once they share one walk, which is brought up to date by those who were born since: the
 * kernel tells the last number that it gave away, and gives them in order. Who has ended meanwhile is still in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eff/clock.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

/* What a process costs in a walk, about, how deep a chain of parents may be, and how many may be born since a walk. */
enum { ENTRY_US = 2, CHAIN_MOST = 256, BORN_MOST = 256 };

/* Within this time all numbers cannot have been given away once. */
#define KEPT_FOR EFF_MS(500)

static int by_pid(const void *a, const void *b)
{
	pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;

	return (one > other) - (one < other);
}

static int entry_by_pid(const void *a, const void *b)
{
	return by_pid(&((const struct scan_entry *)a)->pid, &((const struct scan_entry *)b)->pid);
}

static int by_owner(const void *a, const void *b)
{
	const struct scan_entry *one = a, *other = b;
	int r = by_pid(&one->owner, &other->owner);

	return r ? r : entry_by_pid(a, b);
}

/* Among the first `n`, by pid. */
static const struct scan_entry *find_among(const struct scan_list *list, size_t n, pid_t pid)
{
	struct scan_entry key = {.pid = pid};

	return n ? bsearch(&key, list->entries, n, sizeof(key), entry_by_pid) : NULL;
}

const struct scan_entry *os_scan_find(const struct scan *scan, pid_t pid)
{
	return find_among(&scan->all, scan->all.n, pid);
}

static bool list_add(struct scan_list *list, const struct scan_entry *entry)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 128;
		struct scan_entry *entries = alloc_grow(list->entries, room * sizeof(*entries));

		if (!entries)
			return false;
		list->entries = entries;
		list->room = room;
	}
	list->entries[list->n++] = *entry;
	return true;
}

static void sort_by_pid(struct scan *scan)
{
	for (size_t i = 1; i < scan->all.n; i++) {
		if (scan->all.entries[i - 1].pid < scan->all.entries[i].pid)
			continue;
		qsort(scan->all.entries, scan->all.n, sizeof(*scan->all.entries), entry_by_pid);
		return;
	}
}

/* False: no memory. */
static bool add_process(struct scan *scan, pid_t pid)
{
	struct scan_entry entry = {.pid = pid, .sid = getsid(pid), .is_new = true};

	if (entry.sid < 0 || (!entry.sid && !scan->outside))
		return true;
	return list_add(&scan->all, &entry);
}

static void list_processes(struct scan *scan)
{
	auto_closedir DIR *dir = opendir("/proc");
	struct dirent *entry;

	scan->outside = getsid(0) == 0;
	scan->all.n = 0;
	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (!*end && pid > 0 && !add_process(scan, (pid_t)pid))
			break;
	}
	sort_by_pid(scan);
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

/* Is there another process that leads its session? */
static bool is_led(const struct scan *scan, const struct scan_entry *entry)
{
	return entry->sid != entry->pid && os_scan_find(scan, entry->sid);
}

/* Up the chain of leaders and parents of one that is in no unit's session. */
static pid_t owner_by_descent(const struct scan *scan, const struct scan_entry *entry)
{
	for (int i = 0; entry && i < CHAIN_MOST; i++) {
		pid_t above = is_led(scan, entry) ? entry->sid : entry->ppid;

		if (entry->owner || above <= 1)
			return entry->owner;
		entry = os_scan_find(scan, above);
	}
	return 0;
}

/* Of the new ones. */
static void find_owners(const struct os_linux *os, struct scan *scan)
{
	size_t n_units;
	auto_free pid_t *units = units_of(os, &n_units);
	struct scan_entry *end = scan->all.entries + scan->all.n;

	for (struct scan_entry *entry = scan->all.entries; units && entry < end; entry++) {
		struct procfs_stat st;

		if (!entry->is_new)
			continue;
		if (bsearch(&entry->sid, units, n_units, sizeof(*units), by_pid))
			entry->owner = entry->sid;
		/* A child that has not yet come to lead its session is in effd's. */
		else if (bsearch(&entry->pid, units, n_units, sizeof(*units), by_pid))
			entry->owner = entry->pid;
		else if (!is_led(scan, entry) && os_procfs_stat(entry->pid, &st))
			entry->ppid = st.ppid;
	}
	for (struct scan_entry *entry = scan->all.entries; entry < end; entry++) {
		if (entry->is_new)
			entry->owner = owner_by_descent(scan, entry);
		entry->is_new = false;
	}
}

static void sort_by_owner(struct scan_list *list)
{
	if (list->n)
		qsort(list->entries, list->n, sizeof(*list->entries), by_owner);
}

/* So that one unit's are found without looking at all. */
static void sort_out(struct scan *scan)
{
	scan->others.n = scan->led.n = scan->strays.n = 0;
	for (size_t i = 0; i < scan->all.n; i++) {
		struct scan_entry entry = scan->all.entries[i];

		if (entry.owner == entry.pid)
			continue;
		if (entry.owner) {
			(void)list_add(&scan->others, &entry);
		} else if (is_led(scan, &entry)) {
			entry.owner = entry.sid;
			(void)list_add(&scan->led, &entry);
		} else {
			(void)list_add(&scan->strays, &entry);
		}
	}
	sort_by_owner(&scan->others);
	sort_by_owner(&scan->led);
}

const struct scan_entry *os_scan_of(const struct scan_list *list, pid_t owner, size_t *ret_n)
{
	const struct scan_entry *entries = list->entries;
	size_t from = 0, to = list->n, n = 0;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (entries[middle].owner < owner)
			from = middle + 1;
		else
			to = middle;
	}
	while (from + n < list->n && entries[from + n].owner == owner)
		n++;
	*ret_n = n;
	return n ? &entries[from] : NULL;
}

pid_t os_last_born(const struct os_linux *os)
{
	char text[128];
	const char *last;
	ssize_t n = -1;

	if (os->births_fd >= 0)
		n = pread(os->births_fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	last = strrchr(text, ' ');
	return last ? (pid_t)strtol(last, NULL, 10) : -1;
}

bool os_is_born_after(pid_t pid, pid_t last, pid_t now)
{
	return now >= last ? pid > last && pid <= now : pid > last || pid <= now;
}

static void scan_make(struct os_linux *os)
{
	struct scan *scan = &os->scan;

	scan->began_at = eff_now();
	scan->last_born = os_last_born(os); /* who is born during the walk may be missed by it */
	list_processes(scan);
	find_owners(os, scan);
	sort_out(scan);
	scan->ended_at = eff_now();
	scan->made = true;
}

/* Add those who were born since. False: the walk is too old for that. */
static bool catch_up(struct os_linux *os)
{
	struct scan *scan = &os->scan;
	size_t n_before = scan->all.n;
	pid_t last = os_last_born(os);

	if (scan->last_born < 0 || last < scan->last_born ||
		last - scan->last_born > BORN_MOST || eff_now() - scan->ended_at > KEPT_FOR)
		return false;
	for (pid_t pid = scan->last_born + 1; pid <= last; pid++)
		if (!find_among(&scan->all, n_before, pid) && !add_process(scan, pid))
			return false;
	scan->last_born = last;
	if (scan->all.n == n_before)
		return true;
	sort_by_pid(scan);
	find_owners(os, scan);
	sort_out(scan);
	return true;
}

static eff_ns scan_cost(const struct scan *scan)
{
	return EFF_US(ENTRY_US) * (eff_ns)scan->all.n;
}

const struct scan *os_scan_take(struct os_linux *os)
{
	const struct scan *scan = &os->scan;

	if (scan->made && catch_up(os))
		return scan;
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
	free(scan->all.entries);
	free(scan->others.entries);
	free(scan->led.entries);
	free(scan->strays.entries);
	*scan = (struct scan){0};
}
