/* SPDX-License-Identifier: MIT */
/* Stacks, and the switch from one to another. */
#ifndef EFF_SWITCH_H
#define EFF_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sanitize.h"

#if defined(EFF_UCONTEXT) || defined(__ILP32__) || !(defined(__x86_64__) || defined(__aarch64__))
#define EFF__UCONTEXT 1
#include <ucontext.h>
#else
#define EFF__UCONTEXT 0
#endif

struct eff_fiber;
struct eff_rt;

/* ── stacks ── */

/* Stacks of one size: a list of free ones by their top words, in each of which is the next one's address. */
struct eff__stack_class {
	void *free;
	size_t n_spare; /* free, and not reserved */
	size_t size;    /* what may be touched; a guard page is below */
	size_t n_cut;
	char *uncut, *end; /* of the newest slab */
};
struct eff__stack {
	void *top; /* its highest word, once it is taken */
	struct eff__stack_class *class;
	unsigned valgrind_id;
};
static inline size_t eff__stack_size(const struct eff__stack *stack)
{
	return stack->class->size;
}
/* The lowest address that may be touched. */
static inline void *eff__stack_base(const struct eff__stack *stack)
{
	return (char *)stack->top + sizeof(void *) - stack->class->size;
}
struct eff__stacks; /* a pool: slabs, and a class for each power of two */
struct eff__stacks *eff__stacks_new(void);
void eff__stacks_free(struct eff__stacks *stacks);
/* From here on guard as older kernels need it, though this one may know better. */
void eff__stacks_guard_by_mprotect(struct eff__stacks *stacks);
/* The class for so many bytes; NULL when they are beyond reason. */
struct eff__stack_class *eff__stack_class(struct eff__stacks *stacks, size_t size);
/* Make a spare one. 0 or -ENOMEM. */
int eff__stack_cut(struct eff__stacks *stacks, struct eff__stack_class *class);
/* A stack that was reserved is there when it is taken. */
static inline int eff__stack_reserve(struct eff__stacks *stacks, struct eff__stack_class *class)
{
	int r = class->n_spare ? 0 : eff__stack_cut(stacks, class);

	if (r >= 0)
		class->n_spare--;
	return r;
}
static inline void eff__stack_unreserve(struct eff__stack_class *class)
{
	class->n_spare++;
}
/* There is a checker that is to be told of what is taken and given. */
#if EFF__VALGRIND
extern bool eff__stacks_checked __attribute__((visibility("hidden")));
#else
enum { eff__stacks_checked = EFF__ASAN };
#endif
__attribute__((cold)) void eff__stack_show(struct eff__stack *stack);
__attribute__((cold)) void eff__stack_hide(struct eff__stack *stack);
/* The next one of its class, where one is reserved. `unseen`: when no checker is to be told. */
static inline void eff__stack_take_unseen(struct eff__stack *stack)
{
	struct eff__stack_class *class = stack->class;

	stack->top = class->free;
	class->free = *(void **)stack->top;
	/* Where fibers are begun one after another the next one's has not been touched for long, if ever. */
	__builtin_prefetch(class->free);
}
static inline void eff__stack_take(struct eff__stack *stack)
{
	eff__stack_take_unseen(stack);
	if (eff__stacks_checked)
		eff__stack_show(stack);
}
static inline void eff__stack_give_unseen(struct eff__stack *stack)
{
	struct eff__stack_class *class = stack->class;
	void **top = stack->top;

	*top = class->free;
	class->free = top;
	class->n_spare++;
}
static inline void eff__stack_give(struct eff__stack *stack)
{
	if (eff__stacks_checked)
		eff__stack_hide(stack);
	eff__stack_give_unseen(stack);
}
size_t eff__stacks_mapped(const struct eff__stacks *stacks);
/* How much of it, from its top on, has ever been touched, in whole pages; 0 when that cannot be known. */
size_t eff__stack_touched(const struct eff__stack *stack);
bool eff__stack_is_guard(const struct eff__stack *stack, const void *address);
/* Tell of an overflow by the name of the fiber, from a handler of SIGSEGV. Process-wide, once, and a signal stack for this
 * thread. What cannot be had is left out. */
void eff__overflow_watch(struct eff_rt *rt);
void eff__overflow_unwatch(struct eff_rt *rt);

/* ── the switch ── */

/* The saved registers of a context that does not run are on its stack; this is its stack pointer. */
struct eff__context {
	void *sp;
#if EFF__UCONTEXT
	ucontext_t registers;
#endif
#if EFF__ASAN
	void *fake_stack;
	const void *bottom;
	size_t size;
#endif
#if EFF__TSAN
	void *tsan;
#endif
};
#if defined(__x86_64__) && !EFF__UCONTEXT
extern const char eff__switch_bottom[] __attribute__((visibility("hidden")));
static inline void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	uintptr_t *sp = stack->top;

	/* As if the entry had been called from the bottom, which leaves the stack a word off alignment. */
	*sp = (uintptr_t)eff__switch_bottom;
	*--sp = (uintptr_t)entry;
	context->sp = (char *)sp + 1; /* it has never run */
}
#else
void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void));
#endif
void eff__switch(struct eff__context *from, struct eff__context *to);
/* Nobody will come back to `from`. To be a function's last act. */
void eff__switch_last(struct eff__context *from, struct eff__context *to);

/* The same, and bury who is there when `to` has been entered: where the switch is more than a function, and no checker is to be
 * told of it. Returns 0. */
#if defined(__x86_64__) && !defined(__ILP32__) && !EFF__UCONTEXT && !EFF__ASAN && !EFF__TSAN
#define EFF__JUMP 1
int eff__jump(struct eff__context *from, const struct eff__context *to, struct eff_fiber **carcass);
void eff__jump_last(
	struct eff__context *from, const struct eff__context *to, struct eff_fiber **carcass);
#else
#define EFF__JUMP 0
#endif
/* The switch's. Returns 0. */
int eff__bury(struct eff_fiber **carcass);

#endif
