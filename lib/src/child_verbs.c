/* SPDX-License-Identifier: MIT */
/* A child as others see it: told to start, to stop, to begin anew; waited for; and what its effect says of itself. */
#include "supervisor.h"

struct eff_policy eff_policy_of(enum eff_restart restart)
{
	struct eff_sched backoff = eff_sched_cap(eff_exponential(EFF_MS(500), 2.0), EFF_S(30));

	return (struct eff_policy){
		.restart = restart,
		.backoff = eff_sched_jitter(backoff, 1.0, 1.1),
		.reset_after = EFF_S(60),
		.max_restarts = UINT32_MAX,
	};
}

struct watch {
	struct eff__wait wait;
	enum eff__moment what;
};

int eff__child_watch(struct eff_child *c, enum eff__moment what)
{
	struct watch watch = {.wait = {.what = "child"}, .what = what};

	eff_list_append(&c->watchers, &watch.wait.link);
	return eff__park(&watch.wait);
}

void eff__child_wake(struct eff_child *c, enum eff__moment what, int result)
{
	struct eff_list *l = c->watchers.next, *next;

	for (; l != &c->watchers; l = next) {
		struct eff__wait *wait = eff_container(l, struct eff__wait, link);

		next = l->next;
		if (eff_container(wait, struct watch, wait)->what == what)
			eff__wake(wait, result);
	}
}

void eff__child_moved(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;
	bool wanted = c->fiber && (!c->stopping || c->start_again);
	bool ends = c->stopping || c->cycling || c->grouped;
	bool unsettled = wanted && (ends || (c->up_since < 0 && !c->idle));

	if (unsettled != c->unsettled) {
		c->unsettled = unsettled;
		sup->n_unsettled += unsettled ? 1U : -1U;
	}
	eff__child_wake(c, EFF__WATCH_MOVE, 0);
	if (eff__child_is_up(c))
		eff__child_wake(c, EFF__WATCH_UP, 0);
	eff_pulse_send(&sup->changed);
	eff__round_look(sup);
}

void eff__child_settle_pace(struct eff_child *c)
{
	if (c->up_since >= 0 && eff_now() - c->up_since >= c->policy.reset_after)
		eff_child_reset(c);
	c->up_since = -1;
}

static void on_grace(struct eff_timer *timer)
{
	eff_child_stuck(eff_container(timer, struct eff__run, grace)->child);
}

void eff__child_cut(struct eff_child *c)
{
	struct eff_timer *grace = c->life ? &eff__run_of(c)->grace : NULL;

	if (grace && c->stop_grace > 0 && !grace->armed && !c->stuck) {
		grace->fire = on_grace;
		eff__timer_arm(&eff__rt->timers, grace, eff_ns_add(eff_now(), c->stop_grace));
	}
	if (c->stopping)
		eff_interrupt_async(c->fiber);
	else if (c->life)
		eff_scope_cancel(c->life);
}

void eff__child_release(struct eff_child *c)
{
	/* Who waits for it waits for nobody now. */
	if (!eff_list_empty(&c->watchers))
		for (struct eff_child *other = eff__child_first(c->sup); other;
			other = eff__child_next(other))
			if (other->other == c)
				other->other = NULL;
	eff__child_wake(c, EFF__WATCH_MOVE, 0);
	eff__child_wake(c, EFF__WATCH_UP, -ECHILD);
	eff__child_wake(c, EFF__WATCH_REST, 0);
	eff_list_remove(&c->link);
	eff_exit_drop(c->last);
	c->last = eff_ok(NULL);
	c->sup = NULL;
}

int eff_child_start(struct eff_child *c)
{
	if (!c->sup)
		eff__misuse("eff_child_start", "this child is under no supervisor");
	if (c->sup->stopping)
		return -ECANCELED;
	if (!c->life)
		c->restarted = false;
	if (c->fiber) {
		c->start_again = c->stopping;
		if (c->delayed)
			eff_event_set(&c->hurry);
		else if (c->held || c->grouped)
			eff__round_hurry(c);
		eff__child_moved(c);
		return 0;
	}
	return eff__child_fork(c);
}

void eff_child_stop_async(struct eff_child *c)
{
	c->start_again = false;
	if (!c->fiber || (c->stopping && !c->left_out))
		return;
	c->stopping = true;
	c->left_out = false;
	eff__child_cut(c);
	eff__child_moved(c);
}

int eff_child_stop(struct eff_child *c)
{
	eff_child_stop_async(c);
	return eff_child_await_rest(c);
}

void eff_child_cycle(struct eff_child *c)
{
	if (c->stopping)
		return;
	if (c->delayed) {
		c->restarted = false;
		eff_event_set(&c->hurry);
	} else if (c->life && !c->grouped) {
		c->cycling = true;
		eff__child_cut(c);
		eff__child_moved(c);
	}
}

/* The last delay once more, as long as chance could have made it. */
static eff_ns longest_delay(const struct eff_child *c)
{
	struct eff_sched_state pace = c->pace;
	const struct eff_sched_in in = {.now = eff_now(), .random = 1, .last = &c->last};
	eff_ns delay = 0;

	for (unsigned p = 0; p < EFF_SCHED_PARTS; p++)
		pace.parts[p].given -= pace.parts[p].given > 0;
	return eff_sched_next(&c->policy.backoff, &pace, &in, &delay) ? delay : EFF_FOREVER;
}

void eff_child_hasten(struct eff_child *c)
{
	eff_ns at;

	if (c->next_at < 0)
		return;
	at = eff_ns_add(eff_now(), longest_delay(c));
	if (at >= c->next_at)
		return;
	c->next_at = at;
	eff_scope_limit(c->fiber->scope, at);
	eff__child_moved(c);
}

void eff_child_reset(struct eff_child *c)
{
	eff_sched_begin(&c->pace, eff_now());
}

int eff_child_await_rest(struct eff_child *c)
{
	if (c->fiber && c->fiber == eff_self())
		return -EDEADLK;
	return c->fiber ? eff__child_watch(c, EFF__WATCH_REST) : 0;
}

int eff_child_await_up(struct eff_child *c)
{
	if (eff__child_is_up(c))
		return 0;
	return c->fiber ? eff__child_watch(c, EFF__WATCH_UP) : -ECHILD;
}

void eff_child_up(struct eff_child *c)
{
	if (c->up_since >= 0)
		return;
	c->up_since = eff_now();
	c->idle = false;
	eff__child_moved(c);
}

void eff_child_not_up(struct eff_child *c)
{
	eff__child_settle_pace(c);
	eff__child_moved(c);
}

void eff_child_waits(struct eff_child *c, bool waits)
{
	c->waits = waits;
	if (!c->idle)
		return;
	c->idle = false;
	eff__child_moved(c);
}

void eff_child_idle(struct eff_child *c)
{
	if (c->idle)
		return;
	c->idle = true;
	eff__child_moved(c);
}

void eff_child_stuck(struct eff_child *c)
{
	if (c->stuck || !c->life)
		return;
	c->stuck = true;
	c->sup->n_stuck++;
	if (c->sup->opts.hooks->on_stuck)
		c->sup->opts.hooks->on_stuck(c);
	eff__order_ended(c);
	eff__child_moved(c);
}

uint32_t eff_child_failures(const struct eff_child *c)
{
	uint32_t failures = (uint32_t)c->pace.given;

	/* The clock is dear to who asks of thousands that have none. */
	if (failures > 0 && c->up_since >= 0 && eff_now() - c->up_since >= c->policy.reset_after)
		return 0;
	return failures;
}

enum eff_child_state eff_child_state(const struct eff_child *c)
{
	if (!c->fiber)
		return EFF_CHILD_RESTS;
	if (c->stopping || (c->life && (c->cycling || c->grouped)))
		return EFF_CHILD_STOPS;
	if (c->life)
		return c->up_since >= 0 ? EFF_CHILD_UP : EFF_CHILD_STARTS;
	return c->delayed ? EFF_CHILD_BACKOFF : EFF_CHILD_WAITS;
}
