/* SPDX-License-Identifier: MIT */
/* One control group: what a process of effd's begins in, with all that comes of it.
 *
 * Once its main process has ended nobody comes to it but from it, so that it can be removed proves that nobody is left, in
 * one system call; and where it cannot the kernel tells when it can, by a file of events. Those that are waited for are in
 * one epoll, for such a file is always readable and only by its priority new. A group that is released before it is empty
 * is kept here until it is. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/text.h"
#include "os/cgroup.h"

enum { MOST_TRIES = 16, EVENTS_A_TURN = 16, LIST_FIRST = 16 };

#define LOOK_FIRST EFF_MS(1)
#define LOOK_MOST EFF_MS(100)

/* ── made and given back ── */

struct cgroup *os_cgroup_open(struct cgroups *all, const char *name)
{
	struct cgroup *group = alloc_new(sizeof(*group) + strlen(name) + 1);

	if (!group)
		return NULL;
	group->fd = eff_fd_raise(
		openat(all->base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (group->fd < 0) {
		free(group);
		return NULL;
	}
	group->all = all;
	group->events_fd = -1;
	memcpy(group->name, name, strlen(name) + 1);
	group->began_at = eff_now();
	eff_pulse_init(&group->emptied);
	eff_list_append(&all->all, &group->link);
	return group;
}

int os_cgroup_new(struct cgroups *all, const char *unit, bool whole, struct cgroup **ret_group)
{
	char name[CGROUP_NAME];
	size_t len;
	int r;

	if (all->base_fd < 0)
		return all->error;
	os_cgroup_name(name, whole ? "unit:" : "keep:", unit);
	len = strlen(name);
	r = mkdirat(all->base_fd, name, 0755) < 0 ? -errno : 0;
	/* There may be another of it: a command beside it, or what was left on purpose. */
	for (int i = 0; i < MOST_TRIES && r == -EEXIST; i++) {
		name[len] = '+';
		*number_write(name + len + 1, ++all->n_made) = '\0';
		r = mkdirat(all->base_fd, name, 0755) < 0 ? -errno : 0;
	}
	if (r < 0)
		return r;
	*ret_group = os_cgroup_open(all, name);
	if (*ret_group) {
		(*ret_group)->whole = whole;
		return 0;
	}
	(void)unlinkat(all->base_fd, name, AT_REMOVEDIR);
	return -EMFILE;
}

/* A group that is asked again at the end of each run keeps its file, unless descriptors are dear. */
static bool events_open(struct cgroup *group)
{
	if (group->events_fd < 0)
		group->events_fd = eff_fd_raise(
			openat(group->fd, "cgroup.events", O_RDONLY | O_CLOEXEC));
	return group->events_fd >= 0;
}

static void events_close(struct cgroup *group)
{
	if (group->waited) {
		(void)epoll_ctl(group->all->wait_fd, EPOLL_CTL_DEL, group->events_fd, NULL);
		group->all->n_waited--;
		group->waited = false;
	}
	if (group->kept && group->events_fd < group->all->spare_below)
		return;
	if (group->events_fd >= 0)
		(void)close(group->events_fd);
	group->events_fd = -1;
}

void os_cgroup_free(struct cgroup *group)
{
	group->kept = false;
	events_close(group);
	eff_fd_close(group->fd);
	eff_list_remove(&group->link);
	if (group->former) {
		group->all->n_former--;
		eff_pulse_send(&group->all->cleared);
	}
	free(group);
}

/* ── is anybody there? ── */

/* Whether its folder is gone. */
static bool try_remove(const struct cgroup *group)
{
	int r = os_cgroup_remove(group->all->base_fd, group->name);

	return r == 0 || r == -ENOENT;
}

/* It may be empty and stay, for what was made below it. */
static bool is_unpopulated(struct cgroup *group)
{
	bool populated = true;

	if (events_open(group))
		(void)os_cgroup_events(group->events_fd, &populated, &group->frozen);
	if (!group->waited)
		events_close(group);
	group->empty_at = eff_now();
	return !populated;
}

bool os_cgroup_is_empty(struct cgroup *group)
{
	if (group->empty)
		return true;
	if (!group->kept && try_remove(group)) {
		group->empty = true;
	} else if (is_unpopulated(group)) {
		/* The last may have ended in between. */
		if (!group->kept)
			(void)try_remove(group);
		group->empty = true;
	}
	return group->empty;
}

static void on_events(struct eff_watch *watch);

/* False: it cannot be waited for. */
static bool waits_begin(struct cgroups *all)
{
	if (all->wait_fd < 0)
		all->wait_fd = eff_fd_raise(epoll_create1(EPOLL_CLOEXEC));
	all->watch.fn = on_events;
	return all->wait_fd >= 0 && eff_fd_watch(all->wait_fd, EFF_READ, &all->watch) == 0;
}

/* Be told when it is empty. False: that cannot be had. */
static bool events_wait(struct cgroup *group)
{
	struct epoll_event event = {.events = EPOLLPRI, .data = {.ptr = group}};
	struct cgroups *all = group->all;

	if (group->waited)
		return true;
	if (!events_open(group))
		return false;
	if (!waits_begin(all) ||
		epoll_ctl(all->wait_fd, EPOLL_CTL_ADD, group->events_fd, &event) < 0) {
		events_close(group);
		return false;
	}
	group->waited = true;
	all->n_waited++;
	return true;
}

/* It may have been emptied: returns whether it is. */
static bool group_look(struct cgroup *group)
{
	bool populated = false, frozen;
	int r = group->waited ? os_cgroup_events(group->events_fd, &populated, &frozen) : 0;

	/* Where another has removed it there is no such file; for want of memory there may be somebody. */
	if (populated || (r < 0 && r != -ENODEV))
		return false;
	if (!group->kept)
		(void)try_remove(group);
	group->empty = true;
	events_close(group);
	eff_pulse_send(&group->emptied);
	return true;
}

static void on_events(struct eff_watch *watch)
{
	struct cgroups *all = eff_container(watch, struct cgroups, watch);
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(all->wait_fd, events, EVENTS_A_TURN, 0);

	for (int i = 0; i < n; i++) {
		struct cgroup *group = events[i].data.ptr;

		if (group_look(group) && group->released)
			os_cgroup_free(group);
	}
	if (all->n_waited)
		(void)eff_fd_watch(all->wait_fd, EFF_READ, &all->watch);
}

void os_cgroup_release(struct cgroup *group)
{
	if (!group)
		return;
	group->released = true;
	if (group->kept)
		group->kept = group->empty = false;
	if (os_cgroup_is_empty(group) || (events_wait(group) && group_look(group)))
		os_cgroup_free(group);
}

/* ── signals ── */

bool os_cgroup_has(const struct cgroup *group, pid_t pid)
{
	const struct cgroups *all = group->all;
	const char *const parts[] = {all->own, "/", all->base, "/", group->name};
	auto_fclose FILE *file = NULL;
	auto_free char *line = NULL;
	char path[64];
	const char *at = NULL;
	size_t room = 0, n;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	file = fopen(path, "re");
	/* Those of version 1 come first, and each may be as long as a path. */
	while (file && !at && getline(&line, &room, file) >= 0)
		at = os_cgroup_own(line, &n);
	for (size_t i = 0; at && i < sizeof(parts) / sizeof(parts[0]); i++) {
		n = strlen(parts[i]);
		at = strncmp(at, parts[i], n) == 0 ? at + n : NULL;
	}
	return at && (*at == '\0' || *at == '\n' || *at == '/');
}

/* The number may be another's by now; through the pidfd it cannot become that any more. */
static bool signal_one(const struct cgroup *group, int sig, pid_t pid)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd >= 0 && os_cgroup_has(group, pid) &&
		syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0) == 0;
}

struct killing {
	struct cgroup_procs procs;
	const struct cgroup *group;
	bool reached;
};

static void kill_each(struct cgroup_procs *procs, pid_t pid)
{
	struct killing *k = (struct killing *)procs;

	k->reached |= signal_one(k->group, SIGKILL, pid);
}

bool os_cgroup_kill(struct cgroup *group)
{
	struct killing k = {.procs = {.each = kill_each}, .group = group};

	if (group->empty)
		return false;
	/* An older kernel has no such file; for what else there is to lack there may be room the next time. */
	if (group->unkilled != -ENOENT)
		group->unkilled = os_cgroup_write(group->fd, "cgroup.kill", "1");
	if (group->unkilled == 0) {
		group->killed = true;
		return true;
	}
	os_cgroup_each(group->fd, &k.procs);
	return k.reached;
}

static void list_each(struct cgroup_procs *procs, pid_t pid)
{
	struct cgroup_list *list = (struct cgroup_list *)procs;

	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : LIST_FIRST;
		pid_t *pids = alloc_grow(list->pids, room * sizeof(*pids));

		if (!pids)
			return;
		list->pids = pids;
		list->room = room;
	}
	list->pids[list->n++] = pid;
}

void os_cgroup_list(const struct cgroup *group, struct cgroup_list *ret)
{
	*ret = (struct cgroup_list){.procs = {.each = list_each}};
	if (!group->empty)
		os_cgroup_each(group->fd, &ret->procs);
}

bool os_cgroup_signal(
	const struct cgroup *group, const struct cgroup_list *list, int sig, pid_t except)
{
	bool reached = false;

	for (size_t i = 0; i < list->n; i++)
		if (list->pids[i] != except)
			reached |= signal_one(group, sig, list->pids[i]);
	return reached;
}

/* ── the wait ── */

/* Until it is told of, or the time has come. */
static int await_change(struct cgroup *group, eff_ns at)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, at);
	if (!group->empty)
		(void)eff_pulse_await(&group->emptied);
	(void)eff_scope_close(&within);
	return eff_check();
}

int os_cgroup_await_empty(struct cgroup *group)
{
	eff_ns delay = LOOK_FIRST;
	int r = 0;

	while (r >= 0 && !os_cgroup_is_empty(group)) {
		bool told = events_wait(group);
		eff_ns at = told && !group->unkilled ? EFF_FOREVER : eff_ns_add(eff_now(), delay);

		/* It may have become empty before it was watched. */
		if (told)
			(void)group_look(group);
		r = await_change(group, at);
		if (group->unkilled && !group->empty)
			(void)os_cgroup_kill(group);
		if (delay < LOOK_MOST)
			delay *= 2;
	}
	return r;
}

static struct cgroup *former_of(struct cgroups *all, const char *name)
{
	size_t len = strlen(name);
	struct eff_list *link;

	for (link = all->all.next; link != &all->all; link = link->next) {
		struct cgroup *group = eff_container(link, struct cgroup, link);

		if (group->former && strncmp(group->name, name, len) == 0 &&
			(group->name[len] == '\0' || group->name[len] == '+'))
			return group;
	}
	return NULL;
}

int os_cgroup_await_former(struct cgroups *all, const char *unit)
{
	char name[CGROUP_NAME];
	int r = 0;

	if (!all->n_former)
		return 0;
	os_cgroup_name(name, "unit:", unit);
	while (r >= 0 && former_of(all, name))
		r = eff_pulse_await(&all->cleared);
	return r;
}
