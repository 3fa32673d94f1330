/* SPDX-License-Identifier: MIT */
/* Making a context: what the assembly files expect to find on a stack that has never run, and ucontext for machines that
 * have no assembly file (or with -DEFF_UCONTEXT, to test that). The order of words is that of switch_*.S. */
#include <string.h>

#include "internal.h"

#if EFF__UCONTEXT

void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	/* Cannot fail: it only reads the caller's registers and signal mask. */
	(void)getcontext(&context->registers);
	context->registers.uc_stack.ss_sp = stack->base;
	context->registers.uc_stack.ss_size = stack->size;
	context->registers.uc_link = NULL;
	makecontext(&context->registers, entry, 0);
	context->sp = (char *)stack->base + stack->size;
}

void eff__switch(struct eff__context *from, const struct eff__context *to)
{
	from->sp = __builtin_frame_address(0); /* only to tell how deep it is */
	(void)swapcontext(&from->registers, &to->registers);
}

void eff__switch_last(struct eff__context *from, const struct eff__context *to)
{
	eff__switch(from, to);
}

#elif defined(__x86_64__)

extern const char eff__switch_bottom[] __attribute__((visibility("hidden")));

void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	char *end = (char *)stack->base + stack->size;
	uintptr_t *sp = (uintptr_t *)(end - ((uintptr_t)end & 15));

	/* As if the entry had been called from the bottom, which leaves the stack a word off alignment. */
	*--sp = (uintptr_t)eff__switch_bottom;
	*--sp = (uintptr_t)entry;
	context->sp = (char *)sp + 1; /* it has never run */
}

#else

void eff__switch_begin(void);

void eff__switch_last(struct eff__context *from, const struct eff__context *to)
{
	eff__switch(from, to);
}

void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	char *end = (char *)stack->base + stack->size;
	uintptr_t *sp = (uintptr_t *)(end - ((uintptr_t)end & 15)) - 22;

	/* The control register begins as 0: what the ABI gives a process. */
	memset(sp, 0, 22 * sizeof(*sp));
	sp[0] = (uintptr_t)entry;              /* x19 */
	sp[11] = (uintptr_t)eff__switch_begin; /* x30 */
	context->sp = sp;
}

#endif
