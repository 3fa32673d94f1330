/* SPDX-License-Identifier: MIT */
/* A unit's plain state: made, shown, told. unit_enter() is the one place where a state is written; everything that others
 * may wait for is announced there. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit/internal.h"
#include "unit/ring.h"
#include "unit/unit.h"

struct unit *unit_new(struct unit_world *world, struct plan *plan, const struct plan_unit *spec,
	struct unit *parent)
{
	size_t size = sizeof(struct unit) +
		(spec->kind == PLAN_SUPERVISOR ? sizeof(struct eff_sup) : 0);
	size_t name_size = strlen(spec->name) + 1;
	struct unit *u = calloc(1, size + name_size);

	if (!u)
		return NULL;
	u->name = memcpy((char *)u + size, spec->name, name_size);
	u->world = world;
	u->id = ++world->n_made;
	u->parent = parent;
	u->plan = plan_ref(plan);
	u->spec = spec;
	u->state = UNIT_DOWN;
	u->since = eff_now();
	u->since_wall = eff_wall();
	eff_pulse_init(&u->changed);
	u->due_at = -1;
	u->losses.told_at = u->losses.over_at = -1;
	u->child = (struct eff_child){
		.name = u->name, .policy = unit_policy(spec), .up_since = -1, .next_at = -1};
	eff_list_init(&u->child.link);
	eff_list_init(&u->unwritten);
	unit_show(u);
	return u;
}

void unit_free(struct unit *u)
{
	if (!u)
		return;
	assert(!u->child.fiber);
	unit_close_kept(u);
	logs_forget(u);
	eff_list_remove(&u->unwritten);
	eff_pulse_send(&u->changed);
	free(u->needs);
	free(u->after);
	free(u->needed_by);
	free(u->before);
	free(u->conflicts);
	cause_unref(u->cause);
	cause_unref(u->last_exit);
	cause_unref(u->why);
	cause_unref(u->fault);
	free(u->status_text);
	free(u->lacks);
	ring_free(u->ring);
	plan_unref(u->next_plan);
	plan_unref(u->plan);
	free(u);
}

struct eff_policy unit_policy(const struct plan_unit *spec)
{
	static const enum eff_restart restarts[] = {
		[PLAN_ALWAYS] = EFF_ALWAYS,
		[PLAN_ON_SUCCESS] = EFF_ON_SUCCESS,
		[PLAN_ON_FAILURE] = EFF_ON_FAILURE,
		[PLAN_ON_ABNORMAL] = EFF_ON_ABNORMAL,
		[PLAN_NO] = EFF_NEVER,
	};
	struct eff_sched backoff = eff_exponential(
		spec->ways->backoff.initial_ns, spec->ways->backoff.factor);

	/* The jitter is put on last: it spreads at the ceiling too. */
	backoff = eff_sched_cap(backoff, spec->ways->backoff.max_ns);
	backoff = eff_sched_jitter(backoff, 1.0, 1.0 + spec->ways->backoff.jitter);
	return (struct eff_policy){
		/* Nothing is above the root that could start it again. */
		.restart = spec->parent == PLAN_NONE ? EFF_NEVER : restarts[spec->restart],
		.backoff = backoff,
		.reset_after = spec->ways->backoff.reset_after_ns,
		.max_restarts = spec->ways->max_restarts,
		.critical = spec->critical,
		.significant = spec->significant,
	};
}

/* What its control group may take changes while it runs. */
static void unit_limit(struct unit *u)
{
	const struct os_ops *ops = u->world->os->ops;
	const struct terms *terms = u->spec->more ? &u->spec->more->terms : NULL;
	struct os_fault fault = {0};
	char text[512];

	if (!u->process || ops->limit(u->process, terms, &fault) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s (%s): %s", fault.stage,
		errno_name(fault.error), strerror(fault.error), fault.what);
	u->world->hooks->on_event(u, "limit_failed", text);
}

static void unit_take(struct unit *u, struct plan *plan, const struct plan_unit *spec)
{
	struct plan *old = u->plan;

	u->plan = plan_ref(plan);
	u->spec = spec;
	u->child.policy = unit_policy(spec);
	unit_show(u);
	eff_child_hasten(&u->child);
	ring_limit(u->ring, spec->ways->ring_bytes);
	unit_limit(u);
	limits_follow(u);
	plan_unref(old);
	if (u->watched && probes_watch(u) == -ENOMEM)
		unit_fault(u, unit_cause(u, CAUSE_LOST, NULL, "no memory to watch it"));
	eff_pulse_send(&u->changed);
}

void unit_adopt(struct unit *u, struct plan *plan, const struct plan_unit *spec, bool now)
{
	struct plan *waiting = u->next_plan;

	u->next_plan = NULL;
	u->next = NULL;
	if (now || !u->child.fiber) {
		unit_take(u, plan, spec);
	} else {
		u->next_plan = plan_ref(plan);
		u->next = spec;
	}
	plan_unref(waiting);
}

void unit_begin(struct unit *u)
{
	if (u->next_plan) {
		struct plan *plan = u->next_plan;
		const struct plan_unit *spec = u->next;

		u->next_plan = NULL;
		u->next = NULL;
		unit_take(u, plan, spec);
		plan_unref(plan);
	}
	cause_unref(u->why);
	cause_unref(u->fault);
	u->why = u->fault = NULL;
	u->leaving = u->kill_now = u->stuck = u->started = u->ending = u->ended = false;
	u->reloading = u->says_stopping = u->watches_readiness = u->watches_liveness = false;
	u->lines_seen = 0;
	unit_set_health(u, UNIT_HEALTH_NONE);
	unit_lacks(u, NULL);
	u->world->hooks->on_begin(u);
}

void unit_show(struct unit *u)
{
	if (eff_list_empty(&u->unwritten))
		eff_list_append(&u->world->unwritten, &u->unwritten);
}

void unit_set_pid(struct unit *u, pid_t pid)
{
	u->pid = pid;
	unit_show(u);
}

void unit_set_health(struct unit *u, enum unit_health health)
{
	u->health = health;
	unit_show(u);
}

void unit_count_start(struct unit *u)
{
	u->starts++;
	if (u->child.restarted)
		u->restarts++;
	unit_show(u);
}

void unit_say(struct unit *u, char *text)
{
	free(u->status_text);
	u->status_text = text;
	u->n_words++;
}

void unit_lacks(struct unit *u, const char *format, ...)
{
	char *lacks = NULL;
	va_list args;

	if (format) {
		va_start(args, format);
		if (vasprintf(&lacks, format, args) < 0)
			lacks = NULL;
		va_end(args);
	}
	free(u->lacks);
	u->lacks = lacks;
}

void unit_enter(struct unit *u, enum unit_state state, struct cause *cause)
{
	enum unit_state from = u->state;
	struct cause *old = u->cause;

	u->cause = cause;
	u->state = state;
	if (from != state) {
		u->since = eff_now();
		u->since_wall = eff_wall();
	}
	unit_show(u);
	if (from == UNIT_UP && (state == UNIT_STARTING || state == UNIT_STOPPING))
		eff_child_not_up(&u->child);
	if (from != state)
		u->world->hooks->on_state(u, from, state);
	/* It may be what its group has waited for, which is up then and told after it. */
	if (state == UNIT_UP)
		eff_child_up(&u->child);
	cause_unref(old);
	/* Other words for the same are no change that anyone waits for. */
	if (from != state)
		eff_pulse_send(&u->changed);
}

void unit_leave(struct unit *u, struct cause *why)
{
	struct cause *old = u->why;

	u->why = cause_ref(why);
	cause_unref(old);
	u->leaving = true;
	eff_pulse_send(&u->changed);
}

void unit_fault(struct unit *u, struct cause *fault)
{
	if (u->fault) {
		cause_unref(fault);
		return;
	}
	u->fault = fault;
	if (u->run)
		eff_scope_cancel(u->run);
}

void unit_kill_now(struct unit *u)
{
	u->kill_now = true;
	if (u->grace)
		eff_scope_cancel(u->grace);
}

bool unit_is_leaving(const struct unit *u)
{
	for (; u; u = u->parent)
		if (u->leaving)
			return true;
	return false;
}

const char *unit_phrase(const struct unit *u)
{
	if (!state_rests(u->state) && unit_is_leaving(u))
		return "being stopped";
	return state_phrase(u->state);
}

bool unit_is_active(const struct unit *u)
{
	return u->state == UNIT_STARTING || u->state == UNIT_UP || u->state == UNIT_STOPPING;
}

bool unit_usage(const struct unit *u, struct os_usage *ret_usage)
{
	return u->process && u->world->os->ops->usage(u->process, ret_usage);
}

bool unit_awaits_schedule(const struct unit *u)
{
	return u->clock && !u->clock_off && !u->child.fiber;
}

bool unit_is_left_out(const struct unit *u)
{
	return u->state == UNIT_DOWN && !u->child.fiber && u->child.rest == EFF_REST_GROUP &&
		u->parent && u->parent->group_open;
}

struct cause *unit_cause(
	struct unit *u, enum cause_kind kind, struct cause *because, const char *format, ...)
{
	char text[512];
	va_list args;

	(void)u;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return cause_new(kind, eff_wall(), because, "%s", text);
}

bool ends_contain(const struct plan_ends *ends, const struct cause *end)
{
	if (!end)
		return false;
	if (ends->causes & (UINT64_C(1) << end->kind))
		return true;
	if (end->kind == CAUSE_EXIT && end->code >= 0 && end->code < 256)
		return ends->codes[end->code / 8] & (1U << (end->code % 8));
	if ((end->kind == CAUSE_SIGNAL || end->kind == CAUSE_OOM) && end->signal > 0 &&
		end->signal < 64)
		return ends->signals & (UINT64_C(1) << end->signal);
	return false;
}

bool unit_end_is_clean(const struct plan_unit *spec, const struct cause *end)
{
	/* A fiber that returned success has no code that one could read otherwise. */
	if (spec->kind == PLAN_FIBER && end && end->kind == CAUSE_EXIT)
		return true;
	return ends_contain(&spec->rules->success_exit, end);
}
