/* SPDX-License-Identifier: MIT */
/* A unit's child, begun and awaited. A process is the kernel's, behind the seam; a task is a fiber of the unit's own scope.
 * How to end one is in child_stop.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit/child.h"
#include "unit/internal.h"

void child_init(struct child *c, struct unit *u)
{
	*c = (struct child){.unit = u, .watchdog_ns = u->spec->ways->watchdog_ns};
	eff_event_init(&c->ready);
	eff_event_init(&c->says_stopping);
	eff_pulse_init(&c->alive);
}

static struct cause *exec_cause(struct unit *u, const struct os_fault *fault)
{
	return unit_cause(u, CAUSE_EXEC_ERROR, NULL, "%s: %s (%s): %s", fault->stage,
		errno_name(fault->error), strerror(fault->error),
		fault->what ? fault->what : u->name);
}

static int cannot_fork(struct unit *u, int error)
{
	unit_fault(u, exec_cause(u, &(struct os_fault){.stage = "fork", .error = error}));
	return -ECHILD;
}

static bool wants_socket(const struct plan_unit *spec)
{
	return spec->type == PLAN_NOTIFY || spec->ways->watchdog_ns > 0;
}

bool child_may_notify(const struct child *c)
{
	return c->process && wants_socket(c->unit->spec);
}

/* All that belongs to the run, and not just to its start, hangs off the run's scope. */
static int child_start_readers(struct child *c)
{
	struct unit *u = c->unit;
	struct pump_spec pump = {
		.unit = u, .process = c->process, .stream = OS_STDOUT, .scope = u->run};
	bool two = u->spec->err.kind != PLAN_LOG_STDOUT;
	int r = pump_start(&c->pumps[0], &pump);

	pump.stream = OS_STDERR;
	if (r == 0 && two)
		r = pump_start(&c->pumps[1], &pump);
	if (r == 0 && two)
		pump_pair(&c->pumps[0], &c->pumps[1]);
	if (r == 0 && wants_socket(u->spec))
		r = eff_fork_in(u->run, EFF(notify_read, c), NULL);
	return r;
}

static int child_start_process(struct child *c)
{
	struct unit *u = c->unit;
	struct plan *plan = plan_ref(u->plan); /* its strings must stay until the program is executed */
	const struct plan_unit *spec = u->spec;
	struct os *os = u->world->os;
	struct os_spawn spawn = unit_spawn(u, spec->argv);
	struct os_fault fault = {0};
	struct cause *cause = NULL;
	int r = sockets_give(u, &c->given, &fault);

	spawn.out = OS_CAPTURE;
	spawn.err = spec->err.kind == PLAN_LOG_STDOUT ? OS_MERGE : OS_CAPTURE;
	spawn.notify = wants_socket(spec);
	spawn.watchdog_ns = spec->ways->watchdog_ns;
	spawn.kept = &u->kept;
	spawn.ready_fd = spec->type == PLAN_NOTIFY_FD ? (int)spec->ways->notify_fd : 0;
	spawn.sockets = c->given.sockets;
	spawn.socket_names = c->given.names;
	if (r == 0)
		r = os->ops->spawn(os, &spawn, &c->process, &fault);
	if (c->process)
		sockets_keep(u->world, &c->given);
	else
		sockets_give_back(u->world, &c->given);
	u->process = c->process;
	unit_set_pid(u, c->process ? os->ops->pid(c->process) : 0);
	/* Before the wait: the fault's words are good until then. */
	if (r == -ECHILD && fault.stage)
		cause = exec_cause(u, &fault);
	/* A child that could not execute is on its way out by itself: it is no process that one would have to stop. */
	if (r == -ECHILD && c->process)
		(void)child_await_end(c);
	if (r == -ECHILD && fault.stage)
		unit_fault(u, cause);
	plan_unref(plan);
	if (r < 0)
		return r;
	r = child_start_readers(c);
	return r < 0 ? cannot_fork(u, -r) : 0;
}

static int child_start_task(struct child *c)
{
	struct unit *u = c->unit;
	const struct plan_unit *spec = u->spec;
	const char *reason = "no such built-in";
	eff_fn *entry = spec->builtin ? builtin_fiber(spec->builtin) : NULL;
	int r = -ENOENT;

	if (!entry && u->world->fiber_entry)
		r = u->world->fiber_entry(spec, &entry, &reason);
	if (!entry) {
		unit_fault(u,
			unit_cause(u, CAUSE_EXEC_ERROR, NULL, "exec: %s (%s): %s", errno_name(-r),
				reason, spec->builtin ? spec->builtin : spec->module));
		return -ECHILD;
	}
	c->face = calloc(1, sizeof(*c->face));
	r = -ENOMEM;
	if (c->face) {
		*c->face = (struct effd_fiber){
			.unit = u, .child = c, .entry = entry, .plan = plan_ref(u->plan), .spec = spec};
		r = eff_fork_in(u->run,
			(eff){.fn = task_run,
				.arg = c->face,
				.name = u->name,
				.stack_bytes = spec->ways->stack_bytes},
			&c->task);
	}
	return r < 0 ? cannot_fork(u, -r) : 0;
}

int child_start(struct child *c)
{
	struct unit *u = c->unit;
	int r = u->spec->kind == PLAN_FIBER ? child_start_task(c) : child_start_process(c);

	if (r < 0)
		return r;
	u->started = true;
	eff_pulse_send(&u->changed);
	return 0;
}

/* One that was not done with its own stop in time has had help; of its own end there is no more to say. */
static struct cause *cause_of_end(const struct child *c, enum cause_kind kind)
{
	char grace[32];

	if (!c->overdue || c->unit->kill_now)
		return cause_new(kind, eff_wall(), NULL, "%s",
			c->overdue ? "said that it stops, and was killed meanwhile" : "");
	return cause_new(kind, eff_wall(), NULL, "said that it stops, and was stopped after %s",
		duration_text(c->unit->spec->ways->stop.timeout_ns, grace));
}

static struct cause *cause_of_process(const struct child *c)
{
	const struct os_end *end = &c->end;
	struct cause *cause;

	if (end->signal == 0 && end->code < 0)
		return cause_new(CAUSE_LOST, eff_wall(), NULL, "%s", "how it ended cannot be known");
	if (end->signal == 0) {
		cause = cause_of_end(c, CAUSE_EXIT);
		if (cause)
			cause->code = end->code;
		return cause;
	}
	cause = cause_of_end(c, end->oom ? CAUSE_OOM : CAUSE_SIGNAL);
	if (cause) {
		cause->signal = end->signal;
		cause->core = end->core;
	}
	return cause;
}

static struct cause *cause_of_task(eff_exit exit)
{
	static const enum cause_kind kinds[] = {
		[EFF_OK] = CAUSE_EXIT,
		[EFF_FAIL] = CAUSE_FIBER_FAILED,
		[EFF_DIE] = CAUSE_FIBER_DIED,
		[EFF_INTERRUPT] = CAUSE_INTERRUPTED,
	};
	struct cause *cause = cause_new(
		kinds[exit.tag], eff_wall(), NULL, "%s", eff_exit_words(exit));

	if (cause && exit.tag == EFF_OK)
		cause->code = 0;
	if (cause && exit.tag == EFF_FAIL)
		cause->code = exit.code;
	return cause;
}

/* What it has said before its end counts: it may have named another main process. */
static int child_await_process(struct child *c)
{
	const struct os_ops *ops = c->unit->world->os->ops;
	pid_t main;
	int r;

	do {
		main = ops->pid(c->process);
		r = ops->await_end(c->process, &c->end);
		if (r == 0 && !c->ended && child_may_notify(c))
			notify_take_all(c);
	} while (r == 0 && ops->pid(c->process) != main);
	return r;
}

int child_await_end(struct child *c)
{
	struct unit *u = c->unit;
	eff_exit exit = eff_ok(NULL);
	int r;

	if (c->ended)
		return 0;
	r = c->task ? eff_await(c->task, &exit) : child_await_process(c);
	if (r < 0)
		return r;
	/* Two may have waited: the first of them has told it. */
	if (c->ended) {
		eff_exit_drop(exit);
		return 0;
	}
	c->ended = true;
	c->cause = c->task ? cause_of_task(exit) : cause_of_process(c);
	eff_exit_drop(exit);
	u->started = false;
	unit_set_pid(u, 0);
	eff_event_set(&c->ready);
	return 0;
}

struct cause *child_cause(const struct child *c)
{
	return c->cause;
}

void child_drain(struct child *c)
{
	struct eff_scope within;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(1)));
	for (int i = 0; i < 2; i++)
		(void)pump_await(&c->pumps[i]);
	(void)eff_scope_close(&within);
	for (int i = 0; i < 2; i++)
		pump_stop(&c->pumps[i]);
}

void child_done(struct child *c)
{
	struct unit *u = c->unit;

	eff_fiber_unref(c->task);
	if (c->process)
		u->world->os->ops->free(c->process);
	if (c->face)
		plan_unref(c->face->plan);
	free(c->face);
	cause_unref(c->cause);
	u->process = NULL;
	unit_set_pid(u, 0);
}
