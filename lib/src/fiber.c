/* SPDX-License-Identifier: MIT */
/* Fibers: births, waits, ends.
 *
 * Ready fibers are one queue, first in, first out. A fiber that suspends picks the next one and switches to it directly;
 * only when none is left, or the turn's budget is used up, does it switch to the main stack, where the loop looks at the
 * world. A wait is a node in the waiter's frame: eff__wake() fulfils it, eff__poke() cuts it short when a scope that the
 * fiber can see is cancelled or over its limit; whoever comes first takes the node out of what it is in, so nothing
 * happens twice. An ended fiber leaves its stack as a carcass, which is given back by whoever runs next, unless it can do that
 * itself. */
#include <stdlib.h>

#include "jump.h"
#include "watchdog.h"

/* A definition that does not say the model again does not have it. */
_Thread_local struct eff_rt *eff__rt __attribute__((tls_model("initial-exec")));

/* ── switching ── */

int eff__bury(struct eff_fiber **carcass)
{
	struct eff_fiber *fiber = *carcass;

	*carcass = NULL;
#if EFF__TSAN
	__tsan_destroy_fiber(fiber->context.tsan);
#endif
	eff__stack_give(&fiber->stack);
	eff__fiber_unref(fiber);
	return 0;
}

/* First thing in a context that runs again, or for the first time. */
static inline void arrive(struct eff_rt *rt, struct eff__context *here)
{
#if EFF__ASAN
	__sanitizer_finish_switch_fiber(
		here->fake_stack, &rt->came_from->bottom, &rt->came_from->size);
#endif
	(void)here;
	if (rt->carcass)
		(void)eff__bury(&rt->carcass);
}

#if EFF__JUMP

static inline void jump_last(struct eff__context *from, struct eff__context *to, struct eff_rt *rt)
{
	eff__jump_last(from, to, &rt->carcass);
}

#else

/* Tell the checkers. */
static inline void depart(
	struct eff_rt *rt, struct eff__context *from, struct eff__context *to, bool last)
{
#if EFF__ASAN
	rt->came_from = from;
	__sanitizer_start_switch_fiber(last ? NULL : &from->fake_stack, to->bottom, to->size);
#endif
#if EFF__TSAN
	from->tsan = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	(void)rt;
	(void)from;
	(void)to;
	(void)last;
}

/* The one place that switches: so everybody returns to where the processor expects a return. */
__attribute__((noinline)) int eff__jump_to(
	struct eff__context *from, struct eff__context *to, struct eff_rt *rt)
{
	depart(rt, from, to, false);
	eff__switch(from, to);
	arrive(rt, from);
	return 0;
}

static inline void jump_last(struct eff__context *from, struct eff__context *to, struct eff_rt *rt)
{
	depart(rt, from, to, true);
	eff__switch_last(from, to);
}

#endif

/* All of them have parked, and none looks at its link again: so they need not be taken out one by one. */
static inline void wake_awaiting(struct eff_rt *rt, struct eff_fiber *ended)
{
	struct eff_list *node = ended->awaiting.next;

	if (node == &ended->awaiting)
		return;
	do {
		struct eff__wait *wait = eff_container(node, struct eff__wait, link);

		node = node->next;
		wait->done = true;
		wait->fiber->wait = NULL;
		__builtin_prefetch(wait->fiber->context.sp);
		eff__enqueue(rt, wait->fiber);
	} while (node != &ended->awaiting);
	eff_list_init(&ended->awaiting);
	eff__stir(rt);
}

/* To who wants to know of it before those who await. */
__attribute__((noinline)) static void tell_of_end(struct eff_rt *rt, struct eff_fiber *fiber)
{
	if (fiber->n_locked)
		eff__misuse("eff_mutex_lock", "a fiber has ended with a mutex that it holds");
	if (rt->watch)
		eff__watch_gone(rt->watch);
	if (fiber->on_end)
		fiber->on_end(fiber, fiber->on_end_context);
	if (fiber->locals)
		eff__locals_unref(fiber->locals);
	fiber->on_end = NULL;
	fiber->locals = NULL;
}

/* The body of a fiber has returned and what it owned is gone. Its nodes go with it: nobody looks at them again. */
static inline void fiber_end(struct eff_rt *rt, struct eff_fiber *fiber)
{
	if (__builtin_expect(fiber->scope != &fiber->body, 0))
		eff__misuse("eff_scope_open", "a fiber's body has returned with a scope open");
	fiber->state = EFF__ENDED;
	fiber->body.closing = true;
	fiber->owned.prev->next = fiber->owned.next;
	fiber->owned.next->prev = fiber->owned.prev;
	fiber->all.prev->next = fiber->all.next;
	fiber->all.next->prev = fiber->all.prev;
	rt->stats.fibers_live--;
	if ((uintptr_t)rt->watch | (uintptr_t)fiber->on_end | (uintptr_t)fiber->locals |
		fiber->n_locked)
		tell_of_end(rt, fiber);
	wake_awaiting(rt, fiber);
}

/* It was interrupted before its first step. */
static void end_unborn(struct eff_rt *rt, struct eff_fiber *fiber)
{
	eff__stack_unreserve(fiber->stack.class);
	fiber->exit = eff_interrupted();
	fiber_end(rt, fiber);
	eff__fiber_unref(fiber);
}

static void begin(struct eff_fiber *fiber)
{
	eff__begin_unseen(fiber);
	if (eff__stacks_checked)
		eff__stack_show(&fiber->stack);
#if EFF__ASAN
	fiber->context.fake_stack = NULL;
	fiber->context.bottom = eff__stack_base(&fiber->stack);
	fiber->context.size = eff__stack_size(&fiber->stack);
#endif
}

/* The next ready fiber of this turn, fit to be switched to and current; NULL: it is the main stack's turn. */
static inline struct eff_fiber *next_ready(struct eff_rt *rt)
{
	struct eff_fiber *self = rt->current;

	while (rt->ready && rt->budget) {
		struct eff_fiber *fiber = eff__take_ready(rt);

		if (fiber->state == EFF__NEW && fiber->n_reasons) {
			rt->current = self; /* on whose stack it ends */
			end_unborn(rt, fiber);
			continue;
		}
		if (fiber->state == EFF__NEW)
			begin(fiber);
		return fiber;
	}
	eff__set_current(rt, NULL);
	return NULL;
}

__attribute__((noinline)) static struct eff_fiber *next_ready_called(struct eff_rt *rt)
{
	return next_ready(rt);
}

static inline void live(struct eff_rt *rt, struct eff_fiber *fiber)
{
	eff_exit exit;

	arrive(rt, &fiber->context);
	exit = fiber->e.fn(fiber->e.arg);
	eff__exit_copy(&fiber->exit, &exit);
	if (__builtin_expect(!eff__scope_is_bare(&fiber->body), 0))
		fiber->exit = eff_scope_end(&fiber->body, fiber->exit);
	fiber_end(rt, fiber);
}

/* It may give back its stack while it is still on it, for nobody takes it before the last switch, which leaves its top word
 * alone. Not where a checker looks; nor where a hook may have to be told of its exit, which is not to be done from there. */
static inline bool is_buried_by_itself(const struct eff_fiber *fiber)
{
	return EFF__JUMP && !eff__stacks_checked &&
		(fiber->n_refs > 1 || fiber->exit.tag == EFF_OK);
}

/* The bottom frame of every fiber. It never returns: the jump is its last act, so that compilers make it one. */
void eff__trampoline(void)
{
	struct eff_rt *rt = eff__rt;
	struct eff_fiber *fiber = rt->current;
	struct eff_fiber *next;
	struct eff__context *to;

	live(rt, fiber);
	if (eff__next_is_usual(rt) && is_buried_by_itself(fiber)) {
		next = eff__take_ready(rt);
		eff__fiber_unref(fiber);
		eff__stack_give_unseen(&fiber->stack);
	} else {
		next = next_ready_called(rt);
		rt->carcass = fiber;
	}
	to = next ? &next->context : &rt->main_context;
	jump_last(&fiber->context, to, rt);
}

static int leave_to(struct eff_rt *rt, struct eff_fiber *fiber, struct eff_fiber *next)
{
	if (next == fiber)
		return 0;
	return eff__jump_to(&fiber->context, next ? &next->context : &rt->main_context, rt);
}

/* Apart, so that the usual case has nothing to save. */
__attribute__((noinline)) int eff__leave(struct eff_rt *rt, struct eff_fiber *fiber)
{
	return leave_to(rt, fiber, next_ready(rt));
}

/* Switch from the current fiber to the next one, until something has made it ready and its turn has come. */
static inline int leave(struct eff_rt *rt, struct eff_fiber *fiber)
{
	if (__builtin_expect(!eff__next_is_usual(rt), 0))
		return eff__leave(rt, fiber);
	return leave_to(rt, fiber, eff__take_ready(rt));
}

void eff__run_ready(struct eff_rt *rt, size_t budget)
{
	struct eff_fiber *fiber;

	assert(!rt->current);
	rt->turn_budget = budget;
	eff__set_budget(rt, budget);
	while ((fiber = next_ready(rt))) {
		(void)eff__jump_to(&rt->main_context, &fiber->context, rt);
		while (rt->main_call) {
			void (*call)(void *arg) = rt->main_call;

			fiber = rt->current;
			rt->main_call = NULL;
			rt->main_caller = fiber;
			eff__set_current(rt, NULL);
			call(rt->main_arg);
			rt->main_caller = NULL;
			eff__set_current(rt, fiber);
			(void)eff__jump_to(&rt->main_context, &fiber->context, rt);
		}
	}
	rt->stats.switches += budget - rt->budget;
	rt->turn_budget = 0;
	eff__set_budget(rt, 0);
}

void eff_deep(void (*fn)(void *arg), void *arg)
{
	struct eff_rt *rt = eff__rt;

	if (!rt || !rt->current) {
		fn(arg);
		return;
	}
	rt->main_call = fn;
	rt->main_arg = arg;
	(void)eff__jump_to(&rt->current->context, &rt->main_context, rt);
}

/* ── waiting ── */

void eff__ready(struct eff_fiber *fiber)
{
	struct eff_rt *rt = fiber->rt;

	eff__enqueue(rt, fiber);
	eff__stir(rt);
}

int eff__reason_found(const struct eff_fiber *fiber)
{
	int reason = 0;

	for (const struct eff_scope *s = fiber->scope; s && s->depth > fiber->mask; s = s->outer)
		if (s->reason)
			reason = s->reason;
	return reason;
}

static void abandon(struct eff__wait *wait)
{
	if (wait->abort)
		wait->abort(wait);
	else
		eff_list_remove(&wait->link);
}

int eff__park(struct eff__wait *wait)
{
	struct eff_rt *rt = eff__rt;
	struct eff_fiber *fiber = rt ? rt->current : NULL;
	int reason;

	if (__builtin_expect(!fiber, 0))
		eff__misuse(wait->what, "waited for outside of a fiber");
	if (wait->done)
		return wait->result;
	reason = eff__reason(fiber);
	if (reason) {
		wait->done = true;
		abandon(wait);
		return reason;
	}
	wait->fiber = fiber;
	fiber->wait = wait;
	(void)leave(rt, fiber);
	return wait->result;
}

/* The wait has its result: its fiber goes on. One that is not parked yet will see it in eff__park(). */
static inline void settle(struct eff__wait *wait, int result)
{
	struct eff_fiber *fiber = wait->fiber;

	wait->done = true;
	wait->result = result;
	if (!fiber || fiber->wait != wait)
		return;
	fiber->wait = NULL;
	__builtin_prefetch(fiber->context.sp);
	eff__ready(fiber);
}

void eff__wake(struct eff__wait *wait, int result)
{
	if (wait->done)
		return;
	eff_list_remove(&wait->link);
	settle(wait, result);
}

void eff__poke(struct eff_fiber *fiber)
{
	struct eff__wait *wait = fiber->wait;
	int reason = wait ? eff__reason(fiber) : 0;

	if (!reason)
		return;
	abandon(wait);
	settle(wait, reason);
}

int eff_check(void)
{
	struct eff_fiber *self = eff_self();

	return self ? eff__reason(self) : 0;
}

int eff_yield(void)
{
	struct eff_fiber *fiber = eff__in_fiber("eff_yield");
	struct eff_rt *rt = eff__rt;
	int reason = eff__reason(fiber);

	if (reason)
		return reason;
	eff__enqueue(rt, fiber);
	return leave(rt, fiber);
}
