/* SPDX-License-Identifier: MIT */
/* `daemon: {watch: true}`. Something happens in a folder of the tree's: that wakes, and when nothing of the files differs any
 * more for half a second, and something does from what was read, the tree is reloaded as by SIGHUP. Whatever else goes on in
 * these folders costs a look at the files. All that may block is done on a thread. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "effd/effd.h"

#define QUIET EFF_MS(500)
/* What goes on beside the files costs no more looks than so often one. */
#define PACE EFF_MS(50)

struct watch {
	struct effd *e;
	struct watched watched;
	uint64_t generation;      /* of the tree whose files are watched */
	uint64_t read;            /* the print of what was read last */
	eff_ns read_at;           /* what has changed since then was perhaps not read */
	bool has_reloaded;        /* so `read` is older than what is watched now */
	struct eff_event stirred; /* something happened, or the tree is another one */
};

static bool is_wanted(const struct effd *e)
{
	return !e->options.command && plan_daemon(e->tree->plan)->watch;
}

static void begin_on_thread(void *arg)
{
	watched_begin(arg);
}

static void look_on_thread(void *arg)
{
	watched_look(arg);
}

/* The wait is not cut short: what is looked at is in this fiber's frame. */
static int look_await(struct watch *w, void (*how)(void *arg))
{
	struct plan *plan = plan_ref(w->e->tree->plan);
	eff_masked before = eff_mask();
	int r;

	w->watched.plan = plan;
	r = eff_blocking(how, &w->watched, NULL);
	eff_unmask(before);
	plan_unref(plan);
	return r < 0 ? r : eff_check();
}

static eff_exit await_stir(void *arg)
{
	struct watch *w = arg;

	if (eff_wait_fd(w->watched.fd, EFF_READ) < 0)
		return eff_interrupted();
	eff_event_set(&w->stirred);
	return eff_ok(NULL);
}

static eff_exit await_reload(void *arg)
{
	struct watch *w = arg;

	while (w->e->tree->generation == w->generation)
		if (eff_pulse_await(&w->e->tree->reloaded) < 0)
			return eff_interrupted();
	eff_event_set(&w->stirred);
	return eff_ok(NULL);
}

/* Until something happens that may matter. */
static int stir_await(struct watch *w)
{
	struct eff_scope within;
	int r;

	eff_event_reset(&w->stirred);
	eff_scope_open(&within);
	r = w->watched.fd < 0 ? 0 : eff_fork(EFF(await_stir, w), NULL);
	if (r == 0)
		r = eff_fork(EFF(await_reload, w), NULL);
	if (r == 0)
		r = eff_event_await(&w->stirred);
	(void)eff_scope_close(&within);
	return r;
}

static void drain(int fd)
{
	char events[1024];

	while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
		continue;
}

/* Until the files are the same for a while; what happens beside them does not put that off. */
static int quiet_await(struct watch *w)
{
	uint64_t before = w->watched.print + 1;
	int r = look_await(w, look_on_thread);

	while (r == 0 && w->watched.print != before && w->watched.print != w->read) {
		before = w->watched.print;
		r = eff_sleep(QUIET);
		if (r == 0)
			r = look_await(w, look_on_thread);
	}
	return r;
}

static void reload(struct watch *w)
{
	struct asker by = {.pid = getpid(), .uid = getuid(), .command = "watch"};
	struct reload_outcome outcome;

	w->read = w->watched.print;
	w->read_at = w->watched.looked_at;
	w->has_reloaded = true;
	/* What came of it is in the log. */
	(void)control_reload(w->e->control, &by, NULL, &outcome);
	reload_outcome_done(&outcome);
}

/* The kernel's words for its limits speak of a device and of files. */
static const char *reason_of(int error)
{
	if (error == ENOSPC)
		return "no more folders can be watched: see fs.inotify.max_user_watches";
	if (error == EMFILE)
		return "no more can be watched: see fs.inotify.max_user_instances, and the limit of open files";
	return strerror(error);
}

/* The files of one tree, until it is another one. */
static int watch_tree(struct watch *w)
{
	int r;

	w->generation = w->e->tree->generation;
	if (w->read_at < plan_read_at(w->e->tree->plan))
		w->read_at = plan_read_at(w->e->tree->plan);
	r = look_await(w, begin_on_thread);
	w->watched.fd = eff_fd_raise(w->watched.fd);
	if (r < 0)
		return r;
	if (w->watched.error)
		log_warn("watch: not all changes of the tree's files will be seen: %s",
			reason_of(-w->watched.error));
	/* What has changed since a reload of ours began was perhaps not read; nor was what has since another began, or effd. */
	if (!w->has_reloaded)
		w->read = w->watched.print + (w->watched.changed_at >= w->read_at);
	w->has_reloaded = false;
	while (r == 0 && w->e->tree->generation == w->generation && is_wanted(w->e)) {
		r = quiet_await(w);
		if (r == 0 && w->watched.print != w->read)
			reload(w);
		else if (r == 0)
			r = stir_await(w);
		if (r == 0)
			r = eff_sleep(PACE);
		drain(w->watched.fd);
	}
	return r;
}

eff_exit watch_run(void *arg)
{
	struct watch w = {.e = arg, .watched.fd = -1};
	int r = 0;

	eff_event_init(&w.stirred);
	while (r == 0) {
		if (!is_wanted(w.e)) {
			w.has_reloaded = false;
			r = eff_pulse_await(&w.e->tree->reloaded);
			continue;
		}
		r = watch_tree(&w);
		eff_fd_close(w.watched.fd);
		w.watched.fd = -1;
	}
	return eff_interrupted();
}
