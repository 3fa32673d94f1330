/* SPDX-License-Identifier: MIT */
/* A unit's life, top to bottom. To stop it is to cancel the scope it runs in: the wait it is in returns cancelled, and it
 * falls through unit_stop() to the end. What comes after an end (again, at rest, after which delay) is the supervisor's
 * to say, by the exit that unit_end() makes of it. */
#include <errno.h>
#include <stdlib.h>

#include "unit/internal.h"

/* It is there: until ready, or why not. */
static int unit_start(struct unit *u, struct child *c)
{
	struct limit within;
	int r;

	unit_count_start(u);
	limit_open(u, &within, limit_start);
	r = hook_before_start(u);
	if (r == 0)
		r = child_start(c);
	if (r == 0)
		r = ready_await(c);
	if (limit_close(u, &within) && r < 0)
		unit_fault(u,
			unit_cause(u, CAUSE_START_TIMEOUT, NULL, "not ready in time%s%s",
				u->lacks ? ": " : "", u->lacks ? u->lacks : ""));
	return r;
}

/* What is watched while it is up. All of it ends with the scope that it is begun in. */
static int unit_watch(struct unit *u, struct child *c)
{
	int r = probes_watch(u);

	if (r == 0 && u->spec->ways->watchdog_ns > 0 && !c->remains)
		r = eff_fork(EFF(watchdog_watch, c), NULL);
	if (r == 0 && u->spec->rules->hooks.on_ready.argv)
		r = eff_fork_in(u->run, EFF(hook_when_ready, u), NULL);
	if (r == 0 && child_may_notify(c) && !c->remains)
		r = eff_fork(EFF(notify_watch_stopping, c), NULL);
	if (r < 0)
		unit_fault(u, unit_cause(u, CAUSE_LOST, NULL, "no memory to watch it"));
	return r;
}

/* It is up: until it ends, or until a probe, its watchdog or its time says that it must. */
static void unit_await_end(struct unit *u, struct child *c)
{
	struct limit within;
	int r;

	limit_open(u, &within, c->remains ? limit_remains : limit_runtime);
	u->watched = &within.within;
	r = unit_watch(u, c);
	if (r == 0)
		r = c->remains ? eff_sleep(EFF_FOREVER) : child_await_end(c);
	u->watched = NULL;
	if (!limit_close(u, &within) || r == 0)
		return;
	if (c->remains)
		c->remains = false;
	else
		unit_fault(u,
			unit_cause(u, CAUSE_MAX_RUNTIME, NULL, "ran for longer than max_runtime"));
}

/* Who ends it says why; what ended by itself, and left something to be ended, is why itself. */
static struct cause *stop_cause(const struct unit *u, const struct child *c)
{
	if (u->why || u->fault)
		return u->why ? u->why : u->fault;
	/* What it has said itself stays the reason of what it did not do in time. */
	return c->overdue ? u->cause : child_cause(c);
}

/* Who ended it gives the kind, the process how it really went. */
static struct cause *end_cause(const struct cause *word, const struct cause *end)
{
	struct cause *cause = cause_new(word->kind, word->wall_at, word->because, "%s", word->text);

	if (!cause)
		return NULL;
	cause->by = word->by;
	/* What never executed has no code of its own. */
	cause->code = end && word->kind != CAUSE_EXEC_ERROR ? end->code : word->code;
	cause->signal = end ? end->signal : word->signal;
	cause->core = end && end->core;
	return cause;
}

/* Why it has ended, and how. Who tells it to end when it is ending by itself has not ended it. A reference. */
static struct cause *run_cause(const struct unit *u, struct cause *end)
{
	const struct cause *word = u->why && !u->ending ? u->why : u->fault;

	return word ? end_cause(word, end) : cause_ref(end);
}

/* Whatever the story came to: end what is left, until all of it is gone. Nothing to end, nothing to show. */
static void unit_stop(struct unit *u, struct child *c)
{
	eff_masked before = eff_mask();
	struct cause *end;

	u->ending = !u->why;
	if (!c->ended && unit_is_leaving(u))
		unit_await_dependants(u);
	if (child_is_there(c)) {
		unit_enter(u, UNIT_STOPPING, cause_ref(stop_cause(u, c)));
		if (c->process && u->child.stopping)
			u->world->os->ops->keep_no_more(c->process, &u->kept);
		child_stop(c);
	}
	sockets_let_go(u->world, &c->given);
	child_drain(c);
	u->started = false;
	end = run_cause(u, child_cause(c));
	hook_after_stop(u, end);
	cause_unref(end);
	eff_unmask(before);
}

/* The exit that the supervisor judges by. */
static eff_exit exit_of(const struct plan_unit *spec, const struct cause *end, bool failed_start)
{
	if (!failed_start && unit_end_is_clean(spec, end))
		return eff_ok(NULL);
	if (!end || cause_kind_class(end->kind) == CAUSE_CLASS_FAILURE)
		return eff_fail(end && end->code > 0 ? end->code : 1);
	if (cause_kind_class(end->kind) == CAUSE_CLASS_ABNORMAL)
		return (eff_exit){.tag = EFF_DIE};
	return eff_interrupted();
}

/* A clean code does not make a start that failed a success: say so beside it. */
static struct cause *failed_start_cause(const struct cause *end)
{
	struct cause *cause;

	if (!end)
		return NULL;
	cause = cause_new(end->kind, end->wall_at, end->because, "%s", "ended before it was ready");
	if (!cause)
		return NULL;
	cause->code = end->code;
	cause->signal = end->signal;
	cause->core = end->core;
	return cause;
}

eff_exit unit_end(struct unit *u, struct cause *end, bool before_ready)
{
	struct cause *old = u->last_exit;
	eff_exit exit;

	if (before_ready && u->spec->type != PLAN_ONESHOT && !u->why && !u->fault)
		u->last_exit = failed_start_cause(end);
	else
		u->last_exit = run_cause(u, end);
	cause_unref(old);
	u->last_run = (uint16_t)u->starts;
	unit_show(u);
	if (u->why)
		return eff_interrupted();
	u->ends++;
	u->ended = true;
	exit = exit_of(u->spec, u->last_exit, before_ready);
	u->ended_well = eff_is_ok(exit);
	return exit;
}

/* One run. The tree says why when it ends one; a run that nobody ended has its own end. */
eff_exit unit_run(void *arg)
{
	struct unit *u = arg;
	struct eff_scope run;
	struct child child;
	eff_exit exit;
	int r;

	unit_begin(u);
	r = unit_await_needs(u);
	if (r < 0)
		return eff_interrupted();
	child_init(&child, u);
	eff_scope_open(&run);
	u->run = &run;
	unit_enter(u, UNIT_STARTING, NULL);
	r = unit_start(u, &child);
	if (r == 0 || (r == 1 && child.remains)) {
		unit_enter(u, UNIT_UP, NULL);
		unit_await_end(u, &child);
	}
	u->run = NULL;
	unit_stop(u, &child);
	exit = unit_end(u, child_cause(&child), r < 0);
	/* It is not up while the end of these is waited for. */
	if (u->tells_ready || u->reloads || u->lingering)
		unit_enter(u, UNIT_STOPPING, cause_ref(u->last_exit));
	(void)eff_scope_close(&run);
	commands_close(u);
	if (!u->why && !eff_is_ok(exit))
		hook_after_failure(u);
	child_done(&child);
	/* Its words were of this run. */
	unit_say(u, NULL);
	unit_close_view(u);
	return exit;
}
