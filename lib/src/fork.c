/* SPDX-License-Identifier: MIT */
/* Fibers as their users see them: forked, held, awaited, interrupted, looked at.
 *
 * A control block is held by the runtime from the fork to the burial and by each handle; when the last one goes it
 * returns to a list of spare ones, so forking allocates nothing once the program has been as large before. */
#include <stdlib.h>

#include "jump.h"

/* What every fiber leaves as it was: nothing waits, is owned, awaits or is to be told. */
static void block_init(struct eff_fiber *fiber, struct eff_rt *rt)
{
	fiber->rt = rt;
	fiber->wait = NULL;
	fiber->scope = &fiber->body;
	eff__scope_init(&fiber->body, fiber, NULL);
	eff_list_init(&fiber->awaiting);
	fiber->on_end = NULL;
	fiber->locals = NULL;
	fiber->n_locked = 0;
}

/* See to it that there is a spare one. */
static int block_reserve(struct eff_rt *rt)
{
	struct eff_fiber *fiber = rt->spare;

	if (fiber)
		return 0;
	fiber = malloc(sizeof(*fiber));
	if (!fiber)
		return -ENOMEM;
	rt->n_blocks++;
	block_init(fiber, rt);
	fiber->next = NULL;
	rt->spare = fiber;
	return 0;
}

/* Field by field, and only what differs from fiber to fiber: clearing the whole block would cost more than the rest of a
 * fork. */
static inline void fiber_init(struct eff_fiber *fiber, struct eff_rt *rt,
	const struct eff_fiber *forker, const eff *e)
{
	/* Word by word, as it was written: a wider copy would wait until the processor has gathered it. */
	const volatile eff *seen = e;

	fiber->e.fn = seen->fn;
	fiber->e.arg = seen->arg;
	fiber->e.name = seen->name;
	fiber->e.stack_bytes = rt->stack_bytes;
	fiber->body.env = NULL;
	fiber->body.limit_at = EFF_FOREVER;
	fiber->body.reason = 0;
	fiber->body.depth = 1;
	fiber->body.closing = false;
	fiber->mask = 0;
	fiber->n_reasons = 0;
	fiber->state = EFF__NEW;
	fiber->awaited = false;
	fiber->n_refs = 1;
	fiber->id = ++rt->next_id;
	fiber->parent_id = forker ? forker->id : 0;
	fiber->born_at = *rt->born_at;
}

/* There is a spare block, and a stack of its class is reserved. */
static inline struct eff_fiber *fork_spare(struct eff_rt *rt, const struct eff_fiber *forker,
	struct eff_scope *scope, const eff *e, struct eff__stack_class *class)
{
	struct eff_fiber *fiber = rt->spare;

	rt->spare = fiber->next;
	fiber_init(fiber, rt, forker, e);
	fiber->stack.class = class;
	fiber->owner = scope;
	eff_list_append(&scope->fibers, &fiber->owned);
	eff_list_append(&rt->all, &fiber->all);
	eff__enqueue(rt, fiber);
	if (++rt->stats.fibers_live > rt->stats.fibers_peak)
		rt->stats.fibers_peak = rt->stats.fibers_live;
	return fiber;
}

static inline void hand_out(struct eff_fiber *fiber, struct eff_fiber **ret_fiber)
{
	if (!ret_fiber)
		return;
	fiber->n_refs = 2;
	*ret_fiber = fiber;
}

int eff__fork(struct eff_rt *rt, struct eff_scope *scope, const eff *e, struct eff_fiber **ret_fiber)
{
	const struct eff_fiber *forker = rt->current;
	struct eff__stack_class *class = rt->stack_class;
	struct eff_fiber *fiber;
	int r;

	if (scope->closing)
		return -ECANCELED;
	if (e->stack_bytes)
		class = eff__stack_class(rt->stacks, e->stack_bytes);
	r = class ? block_reserve(rt) : -ENOMEM;
	if (r >= 0)
		r = eff__stack_reserve(rt->stacks, class);
	if (r < 0)
		return r;
	fiber = fork_spare(rt, forker, scope, e, class);
	if (e->stack_bytes)
		fiber->e.stack_bytes = e->stack_bytes;
	if (forker && forker->locals)
		fiber->locals = eff__locals_ref(forker->locals);
	if (!forker)
		eff__stir(rt);
	hand_out(fiber, ret_fiber);
	return 0;
}

/* The same, where the usual case calls nothing, and so has nothing to save. */
static inline int fork_usual(struct eff_rt *rt, const struct eff_fiber *forker,
	struct eff_scope *scope, const eff *e, struct eff_fiber **ret_fiber)
{
	struct eff__stack_class *class = rt->stack_class;

	if (!forker || forker->locals || scope->closing || e->stack_bytes || !rt->spare ||
		!class->n_spare)
		return eff__fork(rt, scope, e, ret_fiber);
	class->n_spare--;
	hand_out(fork_spare(rt, forker, scope, e, class), ret_fiber);
	return 0;
}

int eff_fork_from(const eff *e, struct eff_fiber **ret_fiber)
{
	const struct eff_fiber *forker = eff__in_fiber("eff_fork");

	return fork_usual(eff__rt, forker, forker->scope, e, ret_fiber);
}

int eff_fork_in_from(struct eff_scope *scope, const eff *e, struct eff_fiber **ret_fiber)
{
	struct eff_rt *rt = eff__in_runtime("eff_fork_in");

	return fork_usual(rt, rt->current, scope, e, ret_fiber);
}

int eff_fork_daemon_from(const eff *e, struct eff_fiber **ret_fiber)
{
	struct eff_rt *rt = eff__in_runtime("eff_fork_daemon");

	return eff__fork(rt, &rt->daemons, e, ret_fiber);
}

struct eff_fiber *eff_fiber_ref(struct eff_fiber *fiber)
{
	fiber->n_refs++;
	return fiber;
}

static inline void block_give(struct eff_fiber *fiber)
{
	fiber->next = fiber->rt->spare;
	fiber->rt->spare = fiber;
}

__attribute__((noinline)) static void forget_unusual(struct eff_fiber *fiber)
{
	if (fiber->state != EFF__ENDED)
		eff__misuse("eff_fiber_unref", "given back more often than it was taken");
	if (!fiber->awaited && (fiber->exit.tag == EFF_FAIL || fiber->exit.tag == EFF_DIE))
		eff__tell_unhandled(fiber->rt, eff_fiber_name(fiber), fiber->exit);
	eff_exit_drop(fiber->exit);
	block_give(fiber);
}

void eff__fiber_forget(struct eff_fiber *fiber)
{
	if (fiber->state != EFF__ENDED || fiber->exit.tag != EFF_OK || fiber->exit.notes)
		forget_unusual(fiber);
	else
		block_give(fiber);
}

void eff_fiber_unref(struct eff_fiber *fiber)
{
	if (fiber)
		eff__fiber_unref(fiber);
}

/* Field by field: clearing it first would take as long again. */
static inline void wait_for_end(struct eff__wait *wait, struct eff_fiber *fiber)
{
	wait->fiber = NULL;
	wait->abort = NULL;
	wait->what = "fiber";
	wait->number = (int64_t)fiber->id;
	wait->on = EFF__ON_FIBER;
	wait->result = 0;
	wait->done = false;
	eff_list_append(&fiber->awaiting, &wait->link);
}

static inline void see_exit(struct eff_fiber *fiber, eff_exit *ret_exit)
{
	fiber->awaited = true;
	if (!ret_exit)
		return;
	eff__exit_copy(ret_exit, &fiber->exit);
	if (ret_exit->notes)
		(void)eff_exit_keep(*ret_exit);
}

/* It has ended, or there may be a reason not to wait. */
static int await_unusual(struct eff_fiber *fiber, eff_exit *ret_exit)
{
	struct eff__wait wait;
	int r;

	fiber->n_refs++;
	if (fiber->state == EFF__ENDED) {
		r = eff_check();
	} else {
		wait_for_end(&wait, fiber);
		r = eff__park(&wait);
	}
	if (r >= 0)
		see_exit(fiber, ret_exit);
	eff__fiber_unref(fiber);
	return r;
}

int eff_await(struct eff_fiber *fiber, eff_exit *ret_exit)
{
	struct eff_rt *rt = eff__rt;
	struct eff_fiber *self = rt ? rt->current : NULL;
	struct eff__wait wait;

	if (fiber == self)
		return -EDEADLK;
	if (!self || self->n_reasons || fiber->state == EFF__ENDED)
		return await_unusual(fiber, ret_exit);
	fiber->n_refs++;
	wait_for_end(&wait, fiber);
	wait.fiber = self;
	self->wait = &wait;
	eff__leave_waiting(rt, self);
	if (wait.result >= 0)
		see_exit(fiber, ret_exit);
	eff__fiber_unref(fiber);
	return wait.result;
}

void eff_interrupt_async(struct eff_fiber *fiber)
{
	if (fiber->state != EFF__ENDED)
		eff_scope_cancel(&fiber->body);
}

int eff_interrupt(struct eff_fiber *fiber, eff_exit *ret_exit)
{
	eff_interrupt_async(fiber);
	return eff_await(fiber, ret_exit);
}

int eff_interrupt_all(struct eff_fiber *const *fibers, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (fibers[i])
			eff_interrupt_async(fibers[i]);
		if (fibers[i] && fibers[i] == eff_self())
			r = -EDEADLK;
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (fibers[i])
			r = eff_await(fibers[i], NULL);
	return r;
}

bool eff_poll(const struct eff_fiber *fiber, eff_exit *ret_exit)
{
	if (fiber->state != EFF__ENDED)
		return false;
	if (ret_exit)
		*ret_exit = fiber->exit;
	return true;
}

struct eff_fiber *eff_self(void)
{
	return eff__rt ? eff__rt->current : NULL;
}

const char *eff_fiber_name(const struct eff_fiber *fiber)
{
	return fiber->e.name ? fiber->e.name : "";
}

uint64_t eff_fiber_id(const struct eff_fiber *fiber)
{
	return fiber->id;
}
