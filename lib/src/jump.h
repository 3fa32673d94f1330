/* SPDX-License-Identifier: MIT */
/* What a fiber does to run another in its place, without a call where all is as usual. */
#ifndef EFF_JUMP_H
#define EFF_JUMP_H

#include "internal.h"

/* The bottom frame of every fiber. */
void eff__trampoline(void);
/* Switch from the current fiber, whatever comes next, until something has made it ready and its turn has come. Returns 0. */
int eff__leave(struct eff_rt *rt, struct eff_fiber *fiber);

/* The watchdog's thread looks at who runs and at the count of switches; for the loop's own thread these are plain. */
static inline void eff__set_current(struct eff_rt *rt, struct eff_fiber *fiber)
{
	__atomic_store_n(&rt->current, fiber, __ATOMIC_RELEASE);
}

static inline void eff__set_budget(struct eff_rt *rt, size_t budget)
{
	__atomic_store_n(&rt->budget, budget, __ATOMIC_RELAXED);
}

/* Until somebody switches back. Returns 0: so it can be a function's last act. */
#if EFF__JUMP
static inline int eff__jump_to(struct eff__context *from, struct eff__context *to, struct eff_rt *rt)
{
	return eff__jump(from, to, &rt->carcass);
}
#else
int eff__jump_to(struct eff__context *from, struct eff__context *to, struct eff_rt *rt);
#endif

static inline struct eff_fiber *eff__take_ready(struct eff_rt *rt)
{
	struct eff_fiber *fiber = rt->ready;

	eff__set_budget(rt, rt->budget - 1);
	rt->ready = fiber->next;
	eff__set_current(rt, fiber);
	return fiber;
}

/* There is one, and it has run before: then it is only to be taken. */
static inline bool eff__next_is_usual(const struct eff_rt *rt)
{
	return rt->ready && rt->budget && rt->ready->state != EFF__NEW;
}

/* No checker is to be told of its stack. */
static inline void eff__begin_unseen(struct eff_fiber *fiber)
{
	fiber->state = EFF__BEGUN;
	eff__stack_take_unseen(&fiber->stack);
	eff__context_make(&fiber->context, &fiber->stack, eff__trampoline);
#if EFF__TSAN
	fiber->context.tsan = __tsan_create_fiber(0);
#endif
}

/* Switch from the current fiber, which waits, to the next one: that is another, and begins here, too, if that is as usual. */
static inline void eff__leave_waiting(struct eff_rt *rt, struct eff_fiber *fiber)
{
	struct eff_fiber *next = rt->ready;
	bool begins = next && next->state == EFF__NEW;

	if (!next || !rt->budget || (begins && (next->n_reasons || eff__stacks_checked))) {
		(void)eff__leave(rt, fiber);
		return;
	}
	(void)eff__take_ready(rt);
	if (begins)
		eff__begin_unseen(next);
	(void)eff__jump_to(&fiber->context, &next->context, rt);
}

#endif
