/* SPDX-License-Identifier: MIT */
/* Who waits for which descriptor.
 *
 * Every descriptor that was ever waited for has an entry with its waiters and with the events that the loop watches for
 * it. Those are taken lazily in both directions: a second wait finds them there already, and only when an event comes
 * that nobody awaits they are given up. So a fiber that reads again and again costs no epoll_ctl at all. A hook is a
 * callback in place of fibers, for what the library itself watches; a watch is one for others, called once. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "slots.h"

/* Below RAISED is room for what lives shortly: a few descriptors for each of some dozens of children that have not parted
 * yet; and below LOW for what lives long, while there is little of it. */
enum { LOW = 32, RAISED = 128 };

/* How long the loop does without a descriptor that the kernel does not take for now. */
#define TAKE_AGAIN EFF_MS(10)

/* There are two for each process that runs: what it takes is small. */
struct entry {
	struct eff_list waiters;
	struct eff__hook *hook;
	struct eff_watch *watch;
	uint8_t watch_events;
	uint8_t hook_events, hook_armed;
	uint8_t armed; /* what the loop watches for */
	bool is_there;
	bool refused; /* the kernel has refused to watch it: it is asked again */
};

struct eff__fds {
	struct eff__slots entries; /* lists hold their addresses */
	struct eff_rt *rt;
	struct eff_timer again; /* armed while some are refused */
	int n_refused;
};

struct fd_wait {
	struct eff__wait wait;
	int events;
};

static void on_again(struct eff_timer *timer);

static struct eff__fds *fds_of(struct eff_rt *rt)
{
	if (rt->fds)
		return rt->fds;
	rt->fds = calloc(1, sizeof *rt->fds);
	if (!rt->fds)
		return NULL;
	rt->fds->entries.size = sizeof(struct entry);
	rt->fds->rt = rt;
	rt->fds->again.fire = on_again;
	return rt->fds;
}

/* `was` is what is watched so far. */
static int watch_for(struct eff_rt *rt, int fd, int was, int events)
{
	int r = rt->backend->watch(rt->loop, fd, events);

	if (r < 0 || !rt->host)
		return r;
	r = eff__host_watch(rt->host, fd, events);
	if (r < 0)
		(void)rt->backend->watch(rt->loop, fd, was);
	return r;
}

static struct entry *entry_find(const struct eff_rt *rt, int fd)
{
	struct entry *entry = rt->fds ? eff__slot(&rt->fds->entries, fd) : NULL;

	return entry && entry->is_there ? entry : NULL;
}

/* `is_known`: it is a pipe, a socket or the like, for sure. */
static int entry_make(struct eff_rt *rt, int fd, bool is_known, struct entry **ret_entry)
{
	struct eff__fds *fds = fds_of(rt);
	struct entry *entry;
	struct stat st;
	int r = eff__rt_loop(rt);

	if (r < 0)
		return r;
	/* epoll refuses these, and a loop that calls them always ready would spin. */
	if (!is_known && fstat(fd, &st) < 0)
		return -EBADF;
	if (!is_known && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return -EPERM;
	entry = fds ? eff__slot_make(&fds->entries, fd) : NULL;
	if (!entry)
		return -ENOMEM;
	eff_list_init(&entry->waiters);
	entry->is_there = true;
	*ret_entry = entry;
	return 0;
}

/* Have it watched for at least `events`. */
static int entry_arm(struct eff_rt *rt, struct entry *entry, int fd, int events)
{
	int r;

	if ((entry->armed & events) != events) {
		r = watch_for(rt, fd, entry->armed, entry->armed | events);
		if (r < 0)
			return r;
		entry->armed |= (uint8_t)events;
	}
	return 0;
}

static void wake_all(struct entry *entry, int result)
{
	while (!eff_list_empty(&entry->waiters))
		eff__wake(eff_container(entry->waiters.next, struct eff__wait, link), result);
}

/* Wake who awaits one of `events`; returns those that somebody awaited. */
static int wake_some(struct entry *entry, int events)
{
	struct eff_list *link, *next;
	int awaited = 0;

	for (link = entry->waiters.next; link != &entry->waiters; link = next) {
		struct fd_wait *w = eff_container(
			eff_container(link, struct eff__wait, link), struct fd_wait, wait);
		int there = w->events & events;

		next = link->next;
		awaited |= there;
		if (there)
			eff__wake(&w->wait, there);
	}
	return awaited;
}

/* The watch that is to be called because of `events`; NULL: none. It is over then. */
static struct eff_watch *watch_due(struct eff_rt *rt, struct entry *entry, int events)
{
	struct eff_watch *watch = entry->watch;

	if (!watch || (events && !(entry->watch_events & events)))
		return NULL;
	entry->watch = NULL;
	rt->external--;
	return watch;
}

static int entry_wanted(const struct entry *entry)
{
	int events = entry->watch ? entry->watch_events : 0;

	for (const struct eff_list *link = entry->waiters.next; link != &entry->waiters;
		link = link->next)
		events |= eff_container(
			eff_container(link, struct eff__wait, link), struct fd_wait, wait)
				  ->events;
	return events;
}

static void take_later(struct eff__fds *fds)
{
	eff__timer_arm(&fds->rt->timers, &fds->again, eff_ns_add(eff__now(fds->rt), TAKE_AGAIN));
	eff__stir(fds->rt);
}

static void take_again(struct eff__fds *fds, struct entry *entry)
{
	fds->n_refused += !entry->refused;
	entry->refused = true;
	if (!fds->again.armed)
		take_later(fds);
}

/* It is asked no more. */
static void take_settle(struct eff__fds *fds, struct entry *entry)
{
	fds->n_refused -= entry->refused;
	entry->refused = false;
	if (fds->n_refused == 0)
		eff__timer_disarm(&fds->rt->timers, &fds->again);
}

static void on_again(struct eff_timer *timer)
{
	struct eff__fds *fds = eff_container(timer, struct eff__fds, again);

	for (int fd = 0; fds->n_refused > 0 && fd < fds->entries.n; fd++) {
		struct entry *entry = entry_find(fds->rt, fd);
		int wanted;

		if (!entry || !entry->refused)
			continue;
		wanted = entry_wanted(entry);
		if (!wanted || entry_arm(fds->rt, entry, fd, wanted) == 0)
			take_settle(fds, entry);
	}
	if (fds->n_refused > 0)
		take_later(fds);
}

/* It cannot be watched (any more). Who waits for what is closed is told. That the kernel has no memory, or lets nobody watch
 * more, passes: who waits then goes on waiting, and it is tried again. Returns whether that is so. */
static bool entry_break(struct eff_rt *rt, struct entry *entry, int fd)
{
	bool is_open = fcntl(fd, F_GETFD) >= 0;

	(void)watch_for(rt, fd, 0, 0);
	entry->armed = 0;
	if (is_open && entry_wanted(entry))
		take_again(rt->fds, entry);
	else if (!is_open)
		wake_all(entry, -EBADF);
	return is_open;
}

/* Watch for no more than somebody wants. What hangs up is said to be readable and writable, whatever was asked for; so a
 * hook is not woken for what it did not ask for unless what it did comes with it: then the descriptor can be written to
 * all the time, as an eventfd, and the loop would turn for ever. */
static void entry_calm(struct eff_rt *rt, struct entry *entry, int fd, int events)
{
	int idle = events & entry->armed & ~wake_some(entry, events);

	if (entry->hook && !(events & entry->hook_events))
		entry->hook_armed = entry->hook_events;
	if (entry->hook)
		idle &= ~entry->hook_armed;
	/* The one that is due now may ask again. */
	if (entry->watch)
		idle &= ~entry->watch_events;
	/* What nobody awaits at all is let go of whole: a pipe tells each write to who watches it, whatever for. */
	if (idle && !entry->hook && !entry_wanted(entry))
		idle = entry->armed;
	if (idle && watch_for(rt, fd, entry->armed, entry->armed & ~idle) == 0)
		entry->armed &= (uint8_t)~idle;
}

void eff__fd_ready(struct eff_rt *rt, int fd, int events)
{
	struct entry *entry = entry_find(rt, fd);
	struct eff__hook *hook;
	struct eff_watch *watch = NULL;

	if (!entry)
		return;
	hook = entry->hook;
	if (events)
		entry_calm(rt, entry, fd, events);
	if (events || !entry_break(rt, entry, fd))
		watch = watch_due(rt, entry, events);
	/* Each may take the entry away. The hook, which does so when what it is for has ended, comes last. */
	if (watch)
		watch->fn(watch);
	entry = entry_find(rt, fd);
	if (hook && entry && entry->hook == hook && (!events || (events & entry->hook_events)))
		hook->fn(hook, events & entry->hook_events);
}

int eff_fd_watch(int fd, int events, struct eff_watch *watch)
{
	struct eff_rt *rt = eff__in_runtime("eff_fd_watch");
	struct entry *entry = entry_find(rt, fd);
	int r = 0;

	if (watch && !entry)
		r = entry_make(rt, fd, false, &entry);
	if (watch && r >= 0)
		r = entry_arm(rt, entry, fd, events);
	if (r < 0 || !entry)
		return r;
	rt->external += (watch != NULL) - (entry->watch != NULL);
	entry->watch = watch;
	entry->watch_events = (uint8_t)(watch ? events : 0);
	return 0;
}

int eff__fd_hook(struct eff_rt *rt, int fd, int events, struct eff__hook *hook)
{
	/* What is hooked for reading is a pipe's end, a pidfd or a signalfd, none of which is ever written to: asking for both
	 * costs nothing, and when it hangs up, which counts as both, the loop need not tell epoll again what it had asked for.
	 * What can be written to after all is found out when it says so: entry_calm(). */
	int armed = EFF_READ | EFF_WRITE;
	struct entry *entry = entry_find(rt, fd);
	int r = entry ? 0 : entry_make(rt, fd, true, &entry);

	if (r >= 0)
		r = entry_arm(rt, entry, fd, armed);
	if (r < 0)
		return r;
	entry->hook_armed = armed;
	entry->hook = hook;
	entry->hook_events = (uint8_t)events;
	return 0;
}

void eff__fd_forget(struct eff_rt *rt, int fd)
{
	struct entry *entry = entry_find(rt, fd);

	if (!entry)
		return;
	wake_all(entry, -EBADF);
	if (entry->watch)
		rt->external--;
	take_settle(rt->fds, entry);
	if (entry->armed)
		(void)watch_for(rt, fd, 0, 0); /* takes away, so it needs nothing */
	*entry = (struct entry){.is_there = false};
}

void eff__fd_drop(struct eff_rt *rt, int *fd)
{
	eff__fd_forget(rt, *fd);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int eff__fds_host(struct eff_rt *rt)
{
	int r = 0;

	for (int fd = 0; rt->fds && r >= 0 && fd < rt->fds->entries.n; fd++) {
		const struct entry *entry = entry_find(rt, fd);

		if (entry && entry->armed)
			r = eff__host_watch(rt->host, fd, entry->armed);
	}
	return r;
}

void eff__fds_free(struct eff_rt *rt)
{
	if (!rt->fds)
		return;
	for (int fd = 0; fd < rt->fds->entries.n; fd++)
		eff__fd_forget(rt, fd);
	eff__slots_done(&rt->fds->entries);
	free(rt->fds);
	rt->fds = NULL;
}

int eff_wait_fd(int fd, int events)
{
	struct eff_rt *rt = eff__in_fiber("eff_wait_fd")->rt;
	struct fd_wait w = {
		.wait = {.fiber = rt->current, .what = "fd", .on = EFF__ON_NUMBER, .number = fd},
		.events = events};
	struct entry *entry = entry_find(rt, fd);
	int r = entry ? 0 : entry_make(rt, fd, false, &entry);

	if (r >= 0)
		r = entry_arm(rt, entry, fd, events);
	if (r < 0)
		return r;
	rt->io_burst = 0;
	eff_list_append(&entry->waiters, &w.wait.link);
	rt->external++;
	r = eff__park(&w.wait);
	rt->external--;
	return r;
}

void eff_fd_forget(int fd)
{
	if (eff__rt)
		eff__fd_forget(eff__rt, fd);
}

void eff_fd_close(int fd)
{
	if (fd < 0)
		return;
	eff_fd_forget(fd);
	close(fd);
}

int eff_fd_raise(int fd)
{
	/* As long as there are few all of them are low. */
	int raised = fd < LOW || fd >= RAISED ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, RAISED);

	if (raised < 0)
		return fd;
	close(fd);
	return raised;
}
