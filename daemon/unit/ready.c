/* SPDX-License-Identifier: MIT */
/* When is a unit up? What its type says, then its startup probe, then its readiness probe. While one of them is waited for,
 * an end of the child ends the wait. */
#include <errno.h>
#include <string.h>

#include <eff.h>

#include "base/text.h"
#include "unit/internal.h"

#define LOOK_FIRST EFF_MS(10)
#define LOOK_MOST EFF_S(1)
/* The kernel closes the descriptors of a process a while before it tells of its end. */
#define SHUT_BEFORE_END EFF_MS(200)

/* A oneshot is ready when it has ended clean: 1. */
static int ready_await_clean_end(struct child *c)
{
	struct unit *u = c->unit;
	struct limit within;
	int r;

	limit_open(u, &within, limit_runtime);
	r = child_await_end(c);
	if (limit_close(u, &within) && r < 0)
		unit_fault(u,
			unit_cause(u, CAUSE_MAX_RUNTIME, NULL, "ran for longer than max_runtime"));
	if (r < 0)
		return r;
	return unit_end_is_clean(u->spec, child_cause(c)) ? 1 : -ECHILD;
}

/* One that remains, and what its probes ask for. */
static int ready_await_oneshot(struct child *c)
{
	static probe_of *const probes[] = {probe_startup, probe_readiness};
	struct unit *u = c->unit;
	struct limit within;
	int r = ready_await_clean_end(c);

	c->remains = r == 1 && u->spec->ways->remain_after_exit;
	if (!c->remains)
		return r;
	limit_open(u, &within, limit_remains);
	for (int i = 0; i < 2 && r >= 0; i++)
		if (probes[i](u->spec)->kind != PLAN_PROBE_NONE)
			r = probe_await_pass(u, probes[i]);
	/* A reload took it away: then that end is all that there was to wait for. */
	if (limit_close(u, &within)) {
		c->remains = false;
		return 1;
	}
	return r < 0 ? r : 1;
}

static int ready_await_word(struct child *c)
{
	int r = eff_event_await(&c->ready);

	if (r < 0)
		return r;
	return c->ended ? -ECHILD : 0;
}

struct probing {
	struct unit *unit;
	probe_of *which;
	struct child *child;
	int result;
};

static eff_exit ready_probe(void *arg)
{
	struct probing *p = arg;

	p->result = probe_await_pass(p->unit, p->which);
	if (p->result == 0)
		eff_event_set(&p->child->ready);
	return eff_ok(NULL);
}

/* The probe runs beside; this fiber waits for the child's end or the probe's word, whichever comes. */
static int ready_await_probe(struct child *c, probe_of *which)
{
	struct probing probing = {.unit = c->unit, .which = which, .child = c, .result = -EAGAIN};
	struct eff_scope within;
	int r;

	if (which(c->unit->spec)->kind == PLAN_PROBE_NONE)
		return 0;
	if (c->ended)
		return -ECHILD;
	eff_scope_open(&within);
	eff_event_reset(&c->ready);
	r = eff_fork(EFF(ready_probe, &probing), NULL);
	/* Another READY=1 is no answer of the probe's. */
	while (r == 0 && (r = ready_await_word(c)) == 0 && probing.result == -EAGAIN)
		eff_event_reset(&c->ready);
	(void)eff_scope_close(&within);
	return r;
}

static eff_exit ready_newline(void *arg)
{
	struct child *c = arg;
	struct unit *u = c->unit;
	int r = u->world->os->ops->await_ready(c->process);

	if (r == 0)
		eff_event_set(&c->ready);
	/* Nobody has the descriptor any more: it will never be ready. One that is ending closes it, too, and is judged by that. */
	if (r == -EPIPE && eff_sleep(SHUT_BEFORE_END) == 0 && !c->ended)
		unit_fault(u,
			unit_cause(u, CAUSE_START_TIMEOUT, NULL,
				"never to be ready: it closed descriptor %d without a newline",
				(int)u->spec->ways->notify_fd));
	return eff_ok(NULL);
}

static int ready_await_newline(struct child *c)
{
	int r = eff_fork(EFF(ready_newline, c), NULL);

	return r < 0 ? r : ready_await_word(c);
}

/* The one that was started puts another into the background and goes; a file tells which. Until that is so, of a process of
 * the unit, it is looked at again and again: the file may be a former run's. The row that names it may be another after each wait. */
static int ready_await_background(struct child *c)
{
	struct unit *u = c->unit;
	struct os *os = u->world->os;
	eff_ns pause = LOOK_FIRST;
	struct os_end end;
	pid_t pid;
	int r;

	unit_lacks(u, "its first process has not ended, as a forking one does");
	r = os->ops->await_end(c->process, &end);
	if (r < 0)
		return r;
	if (end.signal != 0 || end.code != 0) {
		(void)child_await_end(c);
		return -ECHILD;
	}
	for (;;) {
		r = os->ops->pid_file(os, u->spec->ways->pid_file, &pid);
		if (eff_check() < 0)
			return eff_check();
		if (r == 0)
			r = os->ops->follow(c->process, pid);
		if (r == 0)
			break;
		unit_lacks(u, "pid_file %s: %s", u->spec->ways->pid_file,
			r == -ESRCH            ? "names no process of the unit"
				: r == -EINVAL ? "its first line is no pid"
					       : errno_name(-r));
		r = eff_sleep(pause);
		if (r < 0)
			return r;
		pause = pause < LOOK_MOST ? pause * 2 : LOOK_MOST;
	}
	unit_lacks(u, NULL);
	unit_set_pid(u, pid);
	return 0;
}

static bool has_probes_to_pass(const struct plan_unit *spec)
{
	return spec->rules->startup.kind != PLAN_PROBE_NONE ||
		spec->rules->readiness.kind != PLAN_PROBE_NONE;
}

/* Notices the child's end while others wait for `ready`. */
static eff_exit ready_watch_end(void *arg)
{
	(void)child_await_end(arg);
	return eff_ok(NULL);
}

/* By its own word, of a type that gives one. */
static int ready_await_type(struct child *c)
{
	struct unit *u = c->unit;
	int r = 0;

	switch (u->spec->type) {
	case PLAN_NOTIFY:
		unit_lacks(u, "it has not said %s",
			u->spec->kind == PLAN_FIBER ? "that it is ready" : "READY=1");
		r = ready_await_word(c);
		break;
	case PLAN_NOTIFY_FD:
		unit_lacks(u, "it has not written a newline to descriptor %d",
			(int)u->spec->ways->notify_fd);
		r = ready_await_newline(c);
		break;
	default:
		break;
	}
	if (r == 0)
		unit_lacks(u, NULL);
	return r;
}

int ready_await(struct child *c)
{
	enum plan_type type = c->unit->spec->type;
	struct eff_scope within;
	int r = 0;

	if (type == PLAN_ONESHOT)
		return ready_await_oneshot(c);
	if (type == PLAN_FORKING)
		r = ready_await_background(c);
	if (r < 0 ||
		((type == PLAN_EXEC || type == PLAN_FORKING) && !has_probes_to_pass(c->unit->spec)))
		return r;
	eff_scope_open(&within);
	r = eff_fork(EFF(ready_watch_end, c), NULL);
	if (r == 0)
		r = ready_await_type(c);
	if (r == 0)
		r = ready_await_probe(c, probe_startup);
	if (r == 0)
		r = ready_await_probe(c, probe_readiness);
	(void)eff_scope_close(&within);
	return r;
}
