/* SPDX-License-Identifier: MIT */
/* Scopes: the chain from a fiber's innermost to its body, and how one is left.
 *
 * A scope only remembers what happened to it; whether a wait returns because of it is decided by eff__reason(), which
 * walks outwards as far as the mask lets it see. The mask is a depth: what is opened at a greater one is visible.
 * Closing runs under a mask of the scope's own depth, so its finalizers can wait, with limits of their own. */
#include "internal.h"

static void struck(struct eff_scope *scope, int reason)
{
	scope->reason = reason;
	scope->fiber->n_reasons++;
	eff__poke(scope->fiber);
}

static void on_limit(struct eff_timer *timer)
{
	struct eff_scope *scope = eff_container(timer, struct eff_scope, limit);

	if (scope->reason)
		return;
	struck(scope, -ETIMEDOUT);
}

struct eff_scope *eff_scope_current(void)
{
	return eff__in_fiber("eff_scope_current")->scope;
}

void eff_scope_open(struct eff_scope *scope)
{
	struct eff_scope *outer = eff__in_fiber("eff_scope_open")->scope;

	eff__scope_init(scope, outer->fiber, outer);
	outer->fiber->scope = scope;
}

void eff_scope_limit(struct eff_scope *scope, eff_ns at)
{
	struct eff_rt *rt = eff__in_runtime("eff_scope_limit");

	eff__timer_disarm(&rt->timers, &scope->limit);
	scope->limit_at = at;
	if (scope->reason || scope->closing || at == EFF_FOREVER)
		return;
	scope->limit.fire = on_limit;
	if (at <= eff__now(rt))
		on_limit(&scope->limit);
	else
		eff__timer_arm(&rt->timers, &scope->limit, at);
	eff__stir(rt);
}

void eff_scope_cancel(struct eff_scope *scope)
{
	if (scope->reason || !scope->depth)
		return;
	if (scope->limit.armed)
		eff__timer_disarm(&eff__rt->timers, &scope->limit);
	struck(scope, -ECANCELED);
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
		struct eff__wait wait = {
			.what = "child", .on = EFF__ON_FIBER, .number = (int64_t)child->id};
		int r;

		eff_list_append(&child->awaiting, &wait.link);
		r = eff__park(&wait);
		/* The mask hides every scope there is. */
		assert(!r);
		(void)r;
	}
}

static void check_leaving(const struct eff_scope *scope)
{
	static const char where[] = "eff_scope_close";

	if (!scope->depth)
		eff__misuse(where, "this scope is closed already");
	if (scope->fiber != eff_self())
		eff__misuse(where, "this scope is another fiber's");
	if (scope->closing)
		eff__misuse(where, "this scope is being closed already");
	if (scope->fiber->scope != scope)
		eff__misuse(where, "a scope opened inside this one is still open");
}

/* Returns how it went itself. */
static eff_exit run_finalizer(struct eff_finalizer *finalizer, eff_exit exit)
{
	const struct eff_scope *scope = eff_self()->scope;
	eff_exit own = eff_ok(NULL);

	if (finalizer->final)
		own = finalizer->final(finalizer->arg, exit);
	else
		finalizer->fn(finalizer->arg);
	if (eff_self()->scope != scope)
		eff__misuse("eff_defer", "what was deferred has left a scope open");
	if (own.notes && own.notes == exit.notes)
		eff__misuse("eff_defer_exit", "what was deferred returned the exit it was shown");
	return own;
}

eff_exit eff__scope_leave(struct eff_scope *scope, eff_exit exit)
{
	struct eff_fiber *fiber = scope->fiber;
	eff_exit failed = eff_ok(NULL);
	struct eff_list *node;
	eff_masked before;

	check_leaving(scope);
	before = fiber->mask;
	if (scope->limit.armed)
		eff__timer_disarm(&fiber->rt->timers, &scope->limit);
	scope->closing = true;
	fiber->mask = scope->depth;
	if (!eff_list_empty(&scope->fibers))
		end_fibers(scope);
	while ((node = eff_list_pop(&scope->finalizers)))
		failed = eff__exit_then(failed,
			run_finalizer(eff_container(node, struct eff_finalizer, link), exit));
	/* A mask that was put on inside and not taken off goes on for what is outside, and hides nothing new. */
	fiber->mask = before < scope->depth ? before : scope->depth - 1;
	if (scope->reason)
		fiber->n_reasons--;
	if (scope->outer)
		fiber->scope = scope->outer;
	scope->depth = 0;
	return failed;
}

eff_exit eff_scope_end(struct eff_scope *scope, eff_exit exit)
{
	return eff__exit_then(exit, eff__scope_leave(scope, exit));
}

int eff_scope_close(struct eff_scope *scope)
{
	eff_exit failed = eff__scope_leave(scope, eff_exit_of(scope->reason));

	if (failed.tag == EFF_FAIL || failed.tag == EFF_DIE)
		eff__tell_unhandled(eff__rt, eff_fiber_name(eff_self()), failed);
	eff_exit_drop(failed);
	return scope->reason;
}

static void defer(struct eff_scope *scope, struct eff_finalizer *node)
{
	if (!scope->depth)
		eff__misuse("eff_defer", "this scope is closed");
	eff_list_prepend(&scope->finalizers, &node->link);
}

void eff_defer(struct eff_scope *scope, struct eff_finalizer *node, void (*fn)(void *arg), void *arg)
{
	node->fn = fn;
	node->final = NULL;
	node->arg = arg;
	defer(scope, node);
}

void eff_defer_exit(struct eff_scope *scope, struct eff_finalizer *node, eff_final_fn *fn, void *arg)
{
	node->fn = NULL;
	node->final = fn;
	node->arg = arg;
	defer(scope, node);
}

eff_masked eff_mask(void)
{
	struct eff_fiber *self = eff__in_fiber("eff_mask");
	eff_masked before = self->mask;

	self->mask = self->scope->depth;
	return before;
}

void eff_unmask(eff_masked before)
{
	eff__in_fiber("eff_unmask")->mask = before;
}
