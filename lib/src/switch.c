/* SPDX-License-Identifier: MIT */
/* Making a context: what the assembly file expects to find on a stack that has never run, and ucontext for machines that
 * have none (or with -DEFF_UCONTEXT, to test that). The order of words is that of switch_*.S. For x86-64 it is in the
 * header, being a part of every fork. */
#include <signal.h>
#include <string.h>

#include "internal.h"

#if EFF__UCONTEXT

void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	/* Cannot fail: it only reads the caller's registers and signal mask. */
	(void)getcontext(&context->registers);
	context->registers.uc_stack.ss_sp = eff__stack_base(stack);
	context->registers.uc_stack.ss_size = eff__stack_size(stack);
	context->registers.uc_link = NULL;
	makecontext(&context->registers, entry, 0);
	context->sp = (char *)stack->top + sizeof(void *);
}

/* swapcontext() would bring back the signal mask with which a context was left. The mask is the thread's, whoever has set it:
 * what a fiber awaits by a signalfd stays blocked while others run. */
void eff__switch(struct eff__context *from, struct eff__context *to)
{
	from->sp = __builtin_frame_address(0); /* only to tell how deep it is */
	(void)pthread_sigmask(SIG_SETMASK, NULL, &to->registers.uc_sigmask);
	(void)swapcontext(&from->registers, &to->registers);
}

void eff__switch_last(struct eff__context *from, struct eff__context *to)
{
	eff__switch(from, to);
}

#elif !defined(__x86_64__)

void eff__switch_begin(void);

void eff__switch_last(struct eff__context *from, struct eff__context *to)
{
	eff__switch(from, to);
}

void eff__context_make(
	struct eff__context *context, const struct eff__stack *stack, void (*entry)(void))
{
	uintptr_t *sp = (uintptr_t *)stack->top + 1 - 22;

	/* The control register begins as 0: what the ABI gives a process. */
	memset(sp, 0, 22 * sizeof(*sp));
	sp[0] = (uintptr_t)entry;              /* x19 */
	sp[11] = (uintptr_t)eff__switch_begin; /* x30 */
	context->sp = sp;
}

#endif
