/* SPDX-License-Identifier: MIT */
/* One child: one fiber keeps it, from its start until it is at rest.
 *
 * child_keep() is the whole story: wait for the turn, run, judge, wait, run again. Whoever wants the child to stop interrupts
 * the fiber; whoever wants the run to begin anew cancels the scope of the run. The end of the fiber, also of one that was
 * interrupted before its first step, is told by child_rests(), which is the only place where a child comes to rest. */
#include <eff/effect.h>

#include "supervisor.h"

static bool policy_wants(enum eff_restart restart, enum eff_tag tag)
{
	switch (restart) {
	case EFF_ALWAYS:
		return true;
	case EFF_ON_SUCCESS:
		return tag == EFF_OK;
	case EFF_ON_FAILURE:
		return tag != EFF_OK;
	case EFF_ON_ABNORMAL:
		return tag == EFF_DIE;
	case EFF_NEVER:
		break;
	}
	return false;
}

/* ── its turn ── */

static bool child_is_told_to_stop(const struct eff_child *c)
{
	return c->stopping || eff_check() < 0;
}

/* Wait until nothing is in the way of its next run. Returns 0, or what a cancelled wait returns. */
static int child_await_turn(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;
	int r = eff_check();

	while (r == 0) {
		struct eff_child *other;

		c->held = eff__sup_is_over(sup) || eff__round_holds(c);
		c->turn = EFF_TURN_GROUP;
		other = c->held ? eff__round_awaited(sup) : eff__order_first(c, &c->turn);
		if (!c->held && !other)
			break;
		c->other = other;
		if (other && !eff__sup_is_over(sup) && sup->opts.hooks->on_wait)
			sup->opts.hooks->on_wait(c, other);
		r = eff__child_watch(c->held ? c : other, EFF__WATCH_MOVE);
		if (r == 0)
			r = eff_check();
	}
	c->held = false;
	c->other = NULL;
	return r;
}

/* ── its run ── */

static eff_exit child_live(struct eff_child *c)
{
	int r = 0;

	if (c->health)
		r = eff_fork(EFF_NAMED("health", eff__health_of_child, c), NULL);
	return r < 0 ? eff_fail(-r) : eff_call(c->run);
}

/* What its health check said is why it ended; what it said to being ended for that is no news. */
static eff_exit child_end(eff_exit fault, eff_exit end)
{
	if (eff_is_ok(fault))
		return end;
	if (end.tag != EFF_INTERRUPT)
		return eff_exit_join(fault, end);
	eff_exit_drop(end);
	return fault;
}

static eff_exit child_run(struct eff_child *c)
{
	struct eff__run run;
	eff_exit end;

	/* One by one, for a whole one would be made beside it first. */
	run.child = c;
	run.grace.armed = 0;
	run.fault = eff_ok(NULL);
	eff_scope_open(&run.life);
	c->life = &run.life;
	c->pace.ran_at = eff_now();
	c->runs++;
	c->restarts += c->restarted;
	if (c->sup->opts.hooks->on_start)
		c->sup->opts.hooks->on_start(c);
	if (c->up_at_once)
		eff_child_up(c);
	else
		eff__child_moved(c);
	end = eff_scope_end(&run.life, child_live(c));
	c->life = NULL;
	c->sup->n_stuck -= c->stuck;
	c->idle = c->waits = c->stuck = false;
	eff__timer_disarm(&eff__rt->timers, &run.grace);
	eff__child_settle_pace(c);
	end = child_end(run.fault, end);
	eff_exit_drop(c->last);
	c->last = eff_exit_keep(end);
	eff__order_ended(c);
	eff__child_moved(c);
	return end;
}

/* ── after an end ── */

/* Is it to run again after this end, and after which delay? If not, `rest` says why. */
static bool child_is_to_run(struct eff_child *c, eff_exit end, eff_ns *ret_delay)
{
	enum eff_verdict verdict = EFF_BY_POLICY;

	if (c->sup->opts.hooks->judge)
		verdict = c->sup->opts.hooks->judge(c, end);
	if (verdict == EFF_AT_REST ||
		(verdict == EFF_BY_POLICY && !policy_wants(c->policy.restart, end.tag))) {
		c->rest = eff_is_ok(end) ? EFF_REST_DONE : EFF_REST_FAILED;
		return false;
	}
	if (c->pace.given >= c->policy.max_restarts ||
		!eff_sched_ask(&c->policy.backoff, &c->pace, &end, ret_delay)) {
		c->rest = EFF_REST_MAX_RESTARTS;
		return false;
	}
	return true;
}

/* Wait until its next run is due. Returns 0, or what a cancelled wait returns. */
static int child_await_delay(struct eff_child *c, eff_ns delay)
{
	struct eff_scope within;
	int r;

	/* While it says when, its fiber is in this scope: eff_child_hasten() changes its limit. */
	eff_scope_open(&within);
	c->next_at = eff_ns_add(eff_now(), delay);
	eff_scope_limit(&within, c->next_at);
	eff__child_moved(c);
	/* Without a delay the others must still have their turn: a child may end without ever waiting. */
	r = delay > 0 ? eff_event_await(&c->hurry) : eff_yield();
	c->next_at = -1;
	(void)eff_scope_close(&within);
	return r == -ECANCELED ? r : 0;
}

/* Until it may start again; its group with it. */
static int child_await_restart(struct eff_child *c, eff_exit end, eff_ns delay)
{
	int r;

	eff_event_reset(&c->hurry);
	c->delayed = c->restarted = true;
	if (c->sup->opts.hooks->on_backoff)
		c->sup->opts.hooks->on_backoff(c, end, delay);
	eff__round_begin(c, end);
	r = eff__round_await_ended(c);
	if (r == 0)
		r = child_await_delay(c, delay);
	c->delayed = false;
	eff__round_release(c);
	return r;
}

/* Is there to be another run? Then it may begin as soon as its turn has come. Not within the frame below a run: for as long as
 * that goes on it would take stack for what comes after. */
__attribute__((noinline)) static bool child_goes_on(struct eff_child *c, eff_exit end)
{
	eff_ns delay = 0;

	c->rest = c->left_out ? EFF_REST_GROUP : EFF_REST_STOPPED;
	if (child_is_told_to_stop(c))
		return false;
	if (c->cycling || c->grouped) {
		c->restarted &= c->grouped;
		c->cycling = c->grouped = false;
		return true;
	}
	/* What has ended meanwhile waits to be told to stop with the others. */
	if (eff__sup_is_over(c->sup))
		return true;
	if (!child_is_to_run(c, end, &delay))
		return false;
	if (!eff__intensity_count(c->sup)) {
		eff__sup_fail(c->sup, EFF_SUP_INTENSITY, c, end);
		return true;
	}
	/* A delay that was over in the moment of the stop is no reason to start. */
	return child_await_restart(c, end, delay) == 0 && !child_is_told_to_stop(c);
}

static eff_exit child_keep(void *arg)
{
	struct eff_child *c = arg;
	eff_exit end = eff_interrupted();

	while (child_await_turn(c) == 0) {
		eff_exit_drop(end);
		end = child_run(c);
		if (!child_goes_on(c, end))
			break;
	}
	return end;
}

/* It was to start when it had stopped. Whoever told it so was told that it would: so that it does not is an end of its own. */
static void child_starts_again(struct eff_child *c)
{
	int r = eff_child_start(c);

	if (r == 0 || r == -ECANCELED)
		return;
	c->rest = EFF_REST_FAILED;
	eff_exit_drop(c->last);
	c->last = eff_exit_of(r);
	if (c->sup->opts.hooks->on_rest)
		c->sup->opts.hooks->on_rest(c, c->last, c->rest);
	if (c->fiber)
		return;
	eff__sup_weigh(c, c->last);
	eff__child_moved(c);
}

/* The fiber that kept it has ended. */
static void child_rests(struct eff_fiber *fiber, void *context)
{
	struct eff_child *c = context;
	struct eff_sup *sup = c->sup;
	enum eff_rest rest = c->rest;
	eff_exit end = eff_ok(NULL);

	(void)eff_poll(fiber, &end);
	fiber->awaited = true; /* the hooks have seen how it ended */
	c->fiber = NULL;
	sup->n_fibers--;
	c->stopping = c->cycling = c->grouped = c->left_out = false;
	if (rest == EFF_REST_DONE)
		eff_child_reset(c);
	eff__child_wake(c, EFF__WATCH_REST, 0);
	if (sup->opts.hooks->on_rest)
		sup->opts.hooks->on_rest(c, end, rest);
	eff__sup_weigh(c, end);
	eff__child_moved(c);
	eff_fiber_unref(fiber);
	if (c->start_again && !c->fiber)
		child_starts_again(c);
	if (c->fiber)
		return;
	eff__child_wake(c, EFF__WATCH_UP, -ECHILD);
	if (c->temporary)
		eff__sup_forget(c);
}

int eff__child_fork(struct eff_child *c)
{
	eff e = {.fn = child_keep, .arg = c, .name = c->name, .stack_bytes = c->run.stack_bytes};
	int r;

	c->start_again = false;
	c->rest = EFF_REST_STOPPED;
	if (!c->pace.given)
		eff_child_reset(c);
	r = eff_fork_in(c->sup->scope, e, &c->fiber);
	if (r < 0)
		return r;
	c->sup->n_fibers++;
	c->fiber->on_end = child_rests;
	c->fiber->on_end_context = c;
	eff__child_moved(c);
	return 0;
}

struct eff_child *eff__child_of(const struct eff_fiber *fiber)
{
	return fiber->on_end == child_rests ? fiber->on_end_context : NULL;
}

struct eff_child *eff_child_self(void)
{
	const struct eff_fiber *self = eff_self();

	return self ? eff__child_of(self) : NULL;
}
