/* SPDX-License-Identifier: MIT */
/* libaco on one shared stack, of which what is in use is copied when another one runs. No scheduler. */
#include <aco.h>

#include "driver.h"

static aco_t *outer;
static aco_share_stack_t *stack;

static void yields(void)
{
	for (;;)
		aco_yield();
}

static void nothing(void)
{
	aco_exit();
}

static aco_t *begin(void (*fn)(void))
{
	aco_t *one = aco_create(outer, stack, 0, fn, NULL);

	aco_resume(one);
	return one;
}

static void measure_switch(void)
{
	aco_t *one = begin(yields);
	double began = now_ns();

	for (long i = 0; i < SWITCHES / 2; i++)
		aco_resume(one);
	report("switch", (now_ns() - began) / SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FORKS; i++)
		aco_destroy(begin(nothing));
	report("fork_await", (now_ns() - began) / FORKS, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)begin(yields);
	report_live(began, before, LIVE);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"live", measure_live}, {NULL, NULL}};

	aco_thread_init(NULL);
	outer = aco_create(NULL, NULL, 0, NULL, NULL);
	stack = aco_share_stack_new(0);
	return measure_run(list, argc, argv);
}
