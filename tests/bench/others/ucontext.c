/* SPDX-License-Identifier: MIT */
/* What libc has: swapcontext(), which asks the kernel for the signal mask each time. */
#include <ucontext.h>

#include "driver.h"

enum { STACK = 65536, FEWER_SWITCHES = SWITCHES / 10, FEWER_FORKS = FORKS / 5 };

static ucontext_t outer, inner;

static void yields(void)
{
	for (;;)
		(void)swapcontext(&inner, &outer);
}

static void begin(char *stack)
{
	(void)getcontext(&inner);
	inner.uc_stack.ss_sp = stack;
	inner.uc_stack.ss_size = STACK;
	makecontext(&inner, yields, 0);
	(void)swapcontext(&outer, &inner);
}

static void measure_switch(void)
{
	double began;

	begin(malloc(STACK));
	began = now_ns();
	for (long i = 0; i < FEWER_SWITCHES / 2; i++)
		(void)swapcontext(&outer, &inner);
	report("switch", (now_ns() - began) / FEWER_SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FEWER_FORKS; i++) {
		char *stack = malloc(STACK);

		begin(stack);
		free(stack);
	}
	report("fork_await", (now_ns() - began) / FEWER_FORKS, "ns");
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {
		{"switch", measure_switch}, {"fork_await", measure_fork}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
