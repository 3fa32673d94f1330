/* SPDX-License-Identifier: MIT */
/* Scopes: the chain from a fiber's innermost to its body, and how one is left.
 *
 * A scope only remembers what happened to it; whether a wait returns because of it is decided by eff__reason(), which
 * walks outwards as far as the mask lets it see. The mask is a depth: what is opened at a greater one is visible.
 * Closing runs under a mask of the scope's own depth, so its finalizers can wait, with limits of their own. */
#include "internal.h"

static void on_limit(struct eff_timer *timer)
{
	struct eff_scope *scope = eff_container(timer, struct eff_scope, limit);

	if (scope->reason)
		return;
	scope->reason = -ETIMEDOUT;
	eff__poke(scope->fiber);
}

struct eff_scope *eff_scope_current(void)
{
	struct eff_fiber *self = eff_self();

	assert(self);
	return self->scope;
}

void eff_scope_open(struct eff_scope *scope)
{
	struct eff_scope *outer = eff_scope_current();

	eff__scope_init(scope, outer->fiber, outer);
	outer->fiber->scope = scope;
}

void eff_scope_limit(struct eff_scope *scope, eff_ns at)
{
	struct eff_rt *rt = eff__rt;

	eff__timer_disarm(&rt->timers, &scope->limit);
	scope->limit_at = at;
	if (scope->reason || scope->closing || at == EFF_FOREVER)
		return;
	scope->limit.fire = on_limit;
	if (at <= eff__now(rt))
		on_limit(&scope->limit);
	else
		eff__timer_arm(&rt->timers, &scope->limit, at);
}

void eff_scope_cancel(struct eff_scope *scope)
{
	if (scope->reason)
		return;
	scope->reason = -ECANCELED;
	if (scope->limit.armed)
		eff__timer_disarm(&eff__rt->timers, &scope->limit);
	eff__poke(scope->fiber);
}

int eff_scope_reason(const struct eff_scope *scope)
{
	return scope->reason;
}

/* All are asked before any is awaited, so they unwind side by side. Awaiting them here is not looking at their exits. */
static void end_fibers(struct eff_scope *scope)
{
	struct eff_list *node;

	for (node = scope->fibers.next; node != &scope->fibers; node = node->next)
		eff_interrupt_async(eff_container(node, struct eff_fiber, owned));
	while (!eff_list_empty(&scope->fibers)) {
		struct eff_fiber *child = eff_container(scope->fibers.next, struct eff_fiber, owned);
		struct eff__wait wait = {.what = "children"};
		int r;

		eff_list_append(&child->awaiting, &wait.link);
		r = eff__park(&wait);
		/* The mask hides every scope there is. */
		assert(!r);
		(void)r;
	}
}

int eff_scope_close(struct eff_scope *scope)
{
	struct eff_fiber *fiber = scope->fiber;
	eff_masked before = fiber->mask;
	struct eff_list *node;

	assert(fiber == eff_self() && fiber->scope == scope && !scope->closing);
	if (scope->limit.armed)
		eff__timer_disarm(&fiber->rt->timers, &scope->limit);
	scope->closing = true;
	fiber->mask = scope->depth;
	if (!eff_list_empty(&scope->fibers))
		end_fibers(scope);
	while ((node = eff_list_pop(&scope->finalizers))) {
		struct eff_finalizer *finalizer = eff_container(node, struct eff_finalizer, link);

		finalizer->fn(finalizer->arg);
		assert(fiber->scope == scope);
	}
	/* A mask that was put on inside and not taken off goes on for what is outside, and hides nothing new. */
	fiber->mask = before < scope->depth ? before : scope->depth - 1;
	if (scope->outer)
		fiber->scope = scope->outer;
	return scope->reason;
}

void eff_defer(struct eff_scope *scope, struct eff_finalizer *node, void (*fn)(void *arg), void *arg)
{
	node->fn = fn;
	node->arg = arg;
	eff_list_prepend(&scope->finalizers, &node->link);
}

eff_masked eff_mask(void)
{
	struct eff_fiber *self = eff_self();
	eff_masked before = self->mask;

	self->mask = self->scope->depth;
	return before;
}

void eff_unmask(eff_masked before)
{
	eff_self()->mask = before;
}
