/* SPDX-License-Identifier: MIT */
/* Schedules: units that run at their times. While one is wanted a fiber waits for its next moment and starts it; between
 * runs it rests, `waiting` before the first. `every` goes by the runtime's clock on a grid from when it was wanted; `cron` by the
 * calendar, which is looked at anew every minute, for somebody may set the clock, or the machine may sleep. A run includes
 * its retries.
 *
 * A clock that is set by a few hours is one that is put right: as where an hour is skipped or comes twice, what it passes
 * over runs once right after, and what has run does not run again. (As cron(8) has it.) */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "tree/internal.h"

#define LOOK_EVERY EFF_M(1)
#define SET_MOST EFF_H(3)

/* ── what must outlive effd ── */

/* The file that the last run of a unit is remembered in; `path` is the caller's to end. False: nothing is remembered. */
static bool memory_path(const struct unit *u, struct text *path)
{
	const char *dir = u->world->state_dir;

	if (u->spec->rules->schedule.catch_up == PLAN_CATCH_UP_NO || !dir)
		return false;
	text_printf(path, "%s/schedule/", dir);
	for (const char *c = u->name; *c; c++)
		text_add_bytes(path, *c == '/' ? ":" : c, 1);
	return !path->failed;
}

static void remember(struct unit *u, eff_ns wall)
{
	struct text path = {0};
	char text[32];
	int r = 0;

	(void)snprintf(text, sizeof(text), "%" PRId64 "\n", wall);
	if (memory_path(u, &path))
		r = u->world->os->ops->write_state(u->world->os, path.bytes, text);
	if (r < 0 && r != -ECANCELED)
		log_warn("%s: cannot remember its run in %s: %s", u->name, path.bytes,
			strerror(-r));
	text_done(&path);
}

/* When it ran last, by the calendar; -1: not known. */
static eff_ns recall(struct unit *u)
{
	struct text path = {0};
	char text[64] = "";
	char *end;
	int64_t at;
	int r = -ENOENT;

	if (memory_path(u, &path))
		r = u->world->os->ops->read_state(u->world->os, path.bytes, text, sizeof(text));
	text_done(&path);
	at = strtoll(text, &end, 10);
	return r == 0 && end != text && at > 0 ? at : -1;
}

/* The newest row: it holds for the schedule at once, though a run from the one before it may have to end first. */
static const struct plan_unit *row_of(const struct unit *u)
{
	return u->next ? u->next : u->spec;
}

/* ── when ── */

struct clock {
	struct unit *unit;
	const struct plan_unit *spec; /* that it was aimed by */
	eff_ns base_at;               /* of `every`: the last moment of the grid */
	eff_ns moment_at;             /* the next one, by the runtime's clock */
	eff_ns moment_wall,
		ran_wall; /* by the calendar: the next one (of `cron`; else 0), the last that was run */
	eff_ns wall_ahead; /* the calendar clock's lead when the moment was computed */
	double late;       /* how much of the jitter is added to the moment, below 1 */
};

/* After when the next moment is looked for, by the calendar. Where any hour will do an hour that comes again is one more. */
static eff_ns clock_looks_from(const struct clock *c, eff_ns wall)
{
	bool any_hour = row_of(c->unit)->rules->schedule.cron.any_hour;
	eff_ns back = c->ran_wall - wall;

	return back > 0 && back < (any_hour ? EFF_M(1) : SET_MOST) ? c->ran_wall : wall;
}

static void moment_next(struct clock *c)
{
	const struct plan_schedule *s = &row_of(c->unit)->rules->schedule;
	/* In this order: what passes in between makes it later, not earlier. */
	eff_ns wall = eff_wall(), now = eff_now(), next;

	c->wall_ahead = wall - now;
	if (s->by_cron) {
		c->moment_wall = cron_next(&s->cron, s->zone, clock_looks_from(c, wall));
		c->moment_at = c->moment_wall == EFF_FOREVER
			? EFF_FOREVER
			: eff_ns_add(now, c->moment_wall - wall);
		return;
	}
	c->moment_wall = 0;
	/* Behind by more than a period: what was missed is missed. */
	next = eff_ns_add(c->base_at, s->every_ns);
	if (next <= now)
		next = eff_ns_add(next, (now - next) / s->every_ns * s->every_ns + s->every_ns);
	if (next != EFF_FOREVER)
		c->base_at = next - s->every_ns;
	c->moment_at = next;
}

/* What has come is not to come again, but where the clock has been set back before it. */
static bool moment_has_come(const struct clock *c)
{
	return c->moment_at <= eff_now() && eff_wall() >= c->moment_wall - EFF_S(1);
}

/* By what its row says now. A moment that has come already waits for what jitter adds to it, and for nothing else. */
static void clock_aim(struct clock *c)
{
	const struct plan_schedule *s = &row_of(c->unit)->rules->schedule;

	if (!moment_has_come(c)) {
		moment_next(c);
		c->late = s->jitter_ns > 0 ? eff_random_unit() : 0;
	}
	c->spec = row_of(c->unit);
	c->unit->due_at = eff_ns_add(c->moment_at, eff_ns_scale(s->jitter_ns, c->late));
}

/* Was there a moment since it ran last? When that is known its row may be another. */
static bool has_missed(struct unit *u)
{
	eff_ns last = recall(u), next;
	const struct plan_schedule *s = &row_of(u)->rules->schedule;

	if (!s->is_there || s->catch_up == PLAN_CATCH_UP_NO)
		return false;
	if (last < 0) {
		/* From now on it is known how long it has not run. */
		remember(u, eff_wall());
		return false;
	}
	next = s->by_cron ? cron_next(&s->cron, s->zone, last) : eff_ns_add(last, s->every_ns);
	return next <= eff_wall();
}

/* ── the run ── */

static void run_replace(struct unit *u)
{
	struct cause *why = wish_cause(
		CAUSE_DEPENDENCY, NULL, NULL, "its next run is due, and `overlap` is `kill`");

	eff_child_reset(&u->child);
	if (unit_is_active(u) && !u->child.stopping)
		unit_leave(u, why);
	eff_child_cycle(&u->child);
	cause_unref(why);
}

void schedule_run_now(struct unit *u)
{
	u->run_queued = false;
	eff_child_reset(&u->child);
	if (eff_child_start(&u->child) < 0)
		log_error("%s: cannot start: out of memory", u->name);
}

static void run_due(struct unit *u)
{
	if (!wish_may_act(u))
		return;
	if (!u->child.fiber)
		schedule_run_now(u);
	else if (row_of(u)->rules->schedule.overlap == PLAN_OVERLAP_KILL)
		run_replace(u);
	else if (row_of(u)->rules->schedule.overlap == PLAN_OVERLAP_QUEUE)
		u->run_queued = true;
}

/* Somebody has set the calendar clock since the moment was computed. */
static bool clock_was_set(const struct clock *c)
{
	eff_ns moved = eff_wall() - eff_now() - c->wall_ahead;

	return moved > EFF_S(1) || moved < -EFF_S(1);
}

/* By the calendar it goes, or knows what it has missed. */
static bool looks_at_calendar(const struct plan_schedule *s)
{
	return s->by_cron || s->catch_up != PLAN_CATCH_UP_NO;
}

/* Sleep until due_at. 0; 1: it is to be computed anew; -ECANCELED. */
static int await_moment(struct clock *c)
{
	struct unit *u = c->unit;
	bool looks = looks_at_calendar(&row_of(u)->rules->schedule);

	while (eff_now() < u->due_at) {
		eff_ns until = u->due_at;
		struct eff_scope within;
		int r;

		if (looks && until - eff_now() > LOOK_EVERY)
			until = eff_now() + LOOK_EVERY;
		eff_scope_open(&within);
		eff_scope_limit(&within, until);
		r = eff_pulse_await(&u->changed);
		(void)eff_scope_close(&within);
		if (r == -ECANCELED)
			return r;
		if (u->clock_off || row_of(u) != c->spec || (looks && clock_was_set(c)))
			return 1;
	}
	return 0;
}

/* Has the calendar passed over a moment while that was waited for? Suspends. */
static bool clock_skipped(const struct clock *c)
{
	eff_ns over = eff_wall() - c->moment_wall;

	if (row_of(c->unit) != c->spec || !clock_was_set(c) || moment_has_come(c))
		return false;
	return (c->spec->rules->schedule.by_cron && over >= 0 && over < SET_MOST) ||
		has_missed(c->unit);
}

static void clock_rings(struct clock *c)
{
	eff_ns wall = eff_wall();

	c->base_at = c->moment_at;
	c->moment_at = EFF_FOREVER;
	/* The clock may have been set back a little, and show less yet. */
	c->ran_wall = wall > c->moment_wall ? wall : c->moment_wall;
	run_due(c->unit);
	remember(c->unit, c->ran_wall);
}

static void clock_run(struct unit *u)
{
	struct clock c = {.unit = u, .base_at = eff_now(), .moment_at = EFF_FOREVER};
	int r = 0;

	/* It may have been taken away before this began. */
	clock_aim(&c);
	if (row_of(u)->rules->schedule.catch_up != PLAN_CATCH_UP_NO && has_missed(u)) {
		run_due(u);
		remember(u, eff_wall());
	}
	while (r >= 0 && !u->clock_off && row_of(u)->rules->schedule.is_there) {
		clock_aim(&c);
		r = await_moment(&c);
		if (r == 0) {
			clock_rings(&c);
		} else if (r == 1 && clock_skipped(&c)) {
			c.moment_at = eff_now();
			c.moment_wall = eff_wall();
		}
	}
}

static void clock_ended(struct unit *u)
{
	eff_fiber_unref(u->clock);
	u->clock = NULL;
	u->due_at = -1;
	u->child.due = false;
	u->clock_off = u->run_queued = u->listens = u->visited = false;
	u->n_users--;
	eff_pulse_send(&u->changed);
}

bool row_waits(const struct plan_unit *row)
{
	return row->rules->schedule.is_there || row->activate == PLAN_ON_DEMAND;
}

static eff_exit clock_keep(void *arg)
{
	struct unit *u = arg;

	if (row_of(u)->rules->schedule.is_there)
		clock_run(u);
	else
		demand_run(u);
	clock_ended(u);
	/* Its schedule was taken away, or it was wanted again meanwhile. What has run by its schedule is at rest, and stays so
	 * without one. */
	if (eff_check() == 0 &&
		(row_waits(row_of(u)) || (u->state != UNIT_DONE && u->state != UNIT_FAILED)))
		wish_act(u);
	return eff_ok(NULL);
}

/* What is done has run by its schedule, if that is what it has; on demand it is there for the next who comes. */
static bool is_to_wait(const struct unit *u)
{
	return !u->child.fiber &&
		(u->state == UNIT_DOWN ||
			(u->state == UNIT_DONE && row_of(u)->activate == PLAN_ON_DEMAND));
}

void schedule_begin(struct unit *u)
{
	/* One that is about to end looks, when it has, whether there is to be another. */
	if (u->clock)
		return;
	if (eff_fork_in(u->parent->sup->scope, EFF_NAMED("schedule", clock_keep, u), &u->clock) < 0) {
		log_error("%s: cannot keep its schedule: out of memory", u->name);
		return;
	}
	u->n_users++;
	u->child.due = true;
	u->due_at = row_of(u)->rules->schedule.is_there ? eff_now() : EFF_FOREVER;
	if (is_to_wait(u))
		unit_enter(u, UNIT_WAITING, NULL);
}

void schedule_end(struct unit *u)
{
	if (!u->clock)
		return;
	u->clock_off = true;
	u->run_queued = false;
	eff_pulse_send(&u->changed);
}

void schedule_stop(struct unit *u)
{
	if (!u->clock)
		return;
	/* One that a reload has taken out waits for no more than its clock: it is not freed under us, or under who goes
	 * through its group. */
	u->n_users++;
	(void)eff_interrupt(u->clock, NULL);
	/* One that had not begun has not cleaned up after itself. */
	if (u->clock)
		clock_ended(u);
	u->n_users--;
	eff_pulse_send(&u->changed);
}
