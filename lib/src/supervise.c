/* SPDX-License-Identifier: MIT */
/* Supervision: one fiber keeps one child, from its start until it is at rest.
 *
 * child_keep() is the whole story: run, judge, wait, run again. Whoever wants the child to stop interrupts the fiber;
 * whoever wants the run to begin anew cancels the scope of the run. The end of the fiber, also of one that was
 * interrupted before its first step, is told by child_rests(), which is the only place where a child comes to rest. */
#include <eff/effect.h>
#include <eff/supervise.h>

#include "internal.h"

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

/* Will it run again after this end, and after which delay? If not, `rest` says why. */
static bool child_goes_on(struct eff_child *c, eff_exit end, eff_ns *ret_delay)
{
	enum eff_verdict verdict = EFF_BY_POLICY;

	if (c->sup->hooks->judge)
		verdict = c->sup->hooks->judge(c, end);
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

/* A run that was up for long enough has earned a clean slate. */
static void child_settle_pace(struct eff_child *c)
{
	if (c->up_since >= 0 && eff_now() - c->up_since >= c->policy.reset_after)
		eff_sched_begin(&c->pace, eff_now());
	c->up_since = -1;
}

static eff_exit child_run(struct eff_child *c)
{
	struct eff_scope life;
	eff_exit end;

	eff_scope_open(&life);
	c->life = &life;
	c->runs++;
	end = eff_call(c->run);
	c->life = NULL;
	(void)eff_scope_close(&life);
	child_settle_pace(c);
	return end;
}

/* Wait until its next run is due. Returns 0, or what a cancelled wait returns. */
static int child_await_delay(struct eff_child *c, eff_exit end, eff_ns delay)
{
	struct eff_scope within;
	int r;

	eff_event_reset(&c->hurry);
	c->next_at = eff_ns_add(eff_now(), delay);
	if (c->sup->hooks->on_backoff)
		c->sup->hooks->on_backoff(c, end, delay);
	eff_scope_open(&within);
	eff_scope_limit(&within, c->next_at);
	/* Without a delay the others must still have their turn: a child may end without ever waiting. */
	r = delay > 0 ? eff_event_await(&c->hurry) : eff_yield();
	(void)eff_scope_close(&within);
	c->next_at = -1;
	c->pace.ran_at = eff_now();
	return r == -ECANCELED ? r : 0;
}

static bool child_is_told_to_stop(const struct eff_child *c)
{
	return c->stopping || eff_check() < 0;
}

static eff_exit child_keep(void *arg)
{
	struct eff_child *c = arg;
	eff_ns delay = 0;

	for (;;) {
		eff_exit end = child_run(c);

		c->rest = EFF_REST_STOPPED;
		if (child_is_told_to_stop(c))
			return end;
		if (c->cycling) {
			c->cycling = false;
			c->after_end = false;
			eff_exit_drop(end);
			continue;
		}
		if (!child_goes_on(c, end, &delay))
			return end;
		c->rest = EFF_REST_STOPPED;
		/* A delay that was over in the moment of the stop is no reason to start. */
		if (child_await_delay(c, end, delay) < 0 || child_is_told_to_stop(c))
			return end;
		c->after_end = !c->hurry.set;
		eff_exit_drop(end);
	}
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
	c->stopping = c->cycling = false;
	c->up_since = -1;
	if (rest == EFF_REST_DONE)
		eff_sched_begin(&c->pace, eff_now());
	if ((rest == EFF_REST_FAILED || rest == EFF_REST_MAX_RESTARTS) && c->policy.critical &&
		!sup->failed)
		sup->failed = c;
	if (sup->hooks->on_rest)
		sup->hooks->on_rest(c, end, rest);
	eff_pulse_send(&sup->changed);
	eff_fiber_unref(fiber);
	if (c->start_again && !c->fiber)
		(void)eff_child_start(c);
}

void eff_sup_open(struct eff_sup *sup, const struct eff_sup_hooks *hooks)
{
	*sup = (struct eff_sup){.scope = eff_scope_current(), .hooks = hooks};
	eff_list_init(&sup->children);
	eff_pulse_init(&sup->changed);
}

void eff_sup_add(struct eff_sup *sup, struct eff_child *c)
{
	c->sup = sup;
	c->fiber = NULL;
	c->life = NULL;
	c->pace = (struct eff_sched_state){0};
	c->up_since = c->next_at = -1;
	c->stopping = c->cycling = c->start_again = c->after_end = false;
	eff_event_init(&c->hurry);
	eff_list_append(&sup->children, &c->link);
}

void eff_sup_remove(struct eff_child *c)
{
	assert(!c->fiber);
	eff_list_remove(&c->link);
}

int eff_sup_await(struct eff_sup *sup)
{
	while (!sup->failed) {
		int r = eff_pulse_await(&sup->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

static struct eff_child *sup_running(struct eff_sup *sup)
{
	for (struct eff_list *l = sup->children.next; l != &sup->children; l = l->next) {
		struct eff_child *c = eff_container(l, struct eff_child, link);

		if (c->fiber)
			return c;
	}
	return NULL;
}

void eff_sup_stop(struct eff_sup *sup)
{
	eff_masked before = eff_mask();
	struct eff_child *c;

	for (struct eff_list *l = sup->children.prev; l != &sup->children; l = l->prev)
		eff_child_stop_async(eff_container(l, struct eff_child, link));
	while ((c = sup_running(sup))) {
		struct eff_fiber *fiber = eff_fiber_ref(c->fiber);

		/* The child may be taken out and freed by who waits for it too. */
		(void)eff_await(fiber, NULL);
		eff_fiber_unref(fiber);
	}
	eff_unmask(before);
}

int eff_child_start(struct eff_child *c)
{
	int r;

	if (c->fiber) {
		c->start_again = c->stopping;
		if (c->next_at >= 0)
			eff_event_set(&c->hurry);
		return 0;
	}
	c->start_again = c->stopping = c->cycling = c->after_end = false;
	c->rest = EFF_REST_STOPPED;
	if (!c->pace.given)
		eff_sched_begin(&c->pace, eff_now());
	r = eff_fork_in(c->sup->scope,
		(eff){.fn = child_keep, .arg = c, .name = c->name, .stack_bytes = c->run.stack_bytes},
		&c->fiber);
	if (r < 0)
		return r;
	c->fiber->on_end = child_rests;
	c->fiber->on_end_context = c;
	return 0;
}

void eff_child_stop_async(struct eff_child *c)
{
	c->start_again = false;
	if (!c->fiber || c->stopping)
		return;
	c->stopping = true;
	eff_interrupt_async(c->fiber);
}

void eff_child_cycle(struct eff_child *c)
{
	if (c->stopping)
		return;
	if (c->life) {
		c->cycling = true;
		eff_scope_cancel(c->life);
	} else if (c->next_at >= 0) {
		eff_event_set(&c->hurry);
	}
}

void eff_child_reset(struct eff_child *c)
{
	eff_sched_begin(&c->pace, eff_now());
}

int eff_child_await_rest(struct eff_child *c)
{
	while (c->fiber) {
		struct eff_fiber *fiber = eff_fiber_ref(c->fiber);
		int r = eff_await(fiber, NULL);

		eff_fiber_unref(fiber);
		if (r < 0)
			return r;
	}
	return 0;
}

void eff_child_up(struct eff_child *c)
{
	if (c->up_since >= 0)
		return;
	c->up_since = eff_now();
	eff_pulse_send(&c->sup->changed);
}

void eff_child_not_up(struct eff_child *c)
{
	child_settle_pace(c);
	eff_pulse_send(&c->sup->changed);
}

uint32_t eff_child_failures(const struct eff_child *c)
{
	if (c->up_since >= 0 && eff_now() - c->up_since >= c->policy.reset_after)
		return 0;
	return (uint32_t)c->pace.given;
}
